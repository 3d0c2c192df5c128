"""dqn-cartpole: double targets by brute force and their bias."""

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load_module


@pytest.fixture(scope="module")
def solution():
    return load_module(ROOT / "reference" / "dqn-cartpole" / "solution.py")


# --- targets ---------------------------------------------------------------------------------


def test_double_targets_by_brute_force(solution):
    rng = np.random.default_rng(1)
    for _ in range(30):
        b, a, gamma = rng.integers(1, 9), rng.integers(1, 6), rng.random()
        r = rng.normal(size=b)
        online, target = rng.integers(-3, 4, (2, b, a)).astype(np.float64)
        fallen, cut = rng.random((2, b)) < 0.4
        wanted = [
            r[i] + (0.0 if fallen[i] else gamma * target[i, list(online[i]).index(max(online[i]))])
            for i in range(b)
        ]
        arrays = [torch.from_numpy(each) for each in (r, online, target, fallen, cut)]
        np.testing.assert_allclose(solution.double_targets(*arrays, gamma), wanted, atol=1e-14)


def test_two_networks_take_away_the_bias_of_the_largest_estimate(solution):
    """All of six actions are worth 0; estimates have noise 1. E max of six is 1.267."""
    rng, b = np.random.default_rng(2), 40_000
    online, target = (torch.from_numpy(each) for each in rng.normal(size=(2, b, 6)))
    r, never = torch.zeros(b, dtype=torch.float64), torch.zeros(b, dtype=torch.bool)
    double = solution.double_targets(r, online, target, never, never, 1.0).mean()
    single = solution.double_targets(r, target, target, never, never, 1.0).mean()
    assert double == pytest.approx(0.0, abs=4 / b**0.5)
    assert single == pytest.approx(1.2672, abs=4 / b**0.5)
