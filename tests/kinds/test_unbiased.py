"""The mean of draws is the expected one."""

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
STAGES = {"stage_alpha": 1e-3, "min_detectable": 0.3, "beta": 0.01}
NAN, INF = float("nan"), float("inf")
UNBIASED = spec.UnbiasedCheck(**COMMON, **STAGES, kind="unbiased", dimensions=2)


RNG = np.random.default_rng(7)
GOOD, _ = RNG.normal(size=(2, 2000, 2))


def broken(samples, value):
    changed = samples.copy()
    changed[3, 1] = value
    return changed


def unbiased(samples, scale=1.0):
    return {"x": samples, "x__expected": np.zeros(2), "x__scale": np.full(2, scale)}


@pytest.mark.parametrize(
    ("check", "good", "bad", "cause"),
    [
        (UNBIASED, unbiased(GOOD), unbiased(GOOD + 0.4), "biased"),
        (UNBIASED, unbiased(GOOD), unbiased(broken(GOOD, NAN)), "not-finite"),
    ],
)
def test_two_rejections_fail_and_one_does_not(fails_after_two_rejections, check, good, bad, cause):
    fails_after_two_rejections(check, good, bad, cause)


def test_unbiased_but_too_noisy_fails_for_its_variance(decide):
    rng = np.random.default_rng(2)
    first, second = (unbiased(rng.normal(0, 10, (2000, 2))) for _ in range(2))
    assert decide(UNBIASED, first).status == "MORE"
    found = decide(UNBIASED, first, second)
    assert (found.status, found.cause) == ("FAIL", "variance")
    assert found.figures["widest"] > 1


def test_noise_of_a_constant_needs_no_scale(verdict):
    found = verdict(UNBIASED, {**unbiased(np.zeros((50, 2))), "x__scale": np.ones(2)})
    assert found == ("PASS", "")


def test_constant_whose_honest_scale_is_zero_passes(decide):
    found = decide(UNBIASED, unbiased(np.zeros((50, 2)), scale=0.0))
    assert (found.status, found.figures["widest"]) == ("PASS", 0.0)


@pytest.mark.parametrize("shape", [(100,), (100, 3), (100, 2, 1)])
def test_draws_of_another_shape_are_an_error_of_ours(shape):
    with pytest.raises(MeasurementError, match="shape"):
        kinds.reduce(UNBIASED, {**unbiased(GOOD), "x": np.zeros(shape)})


def test_expected_mean_of_another_length_is_an_error_of_ours():
    with pytest.raises(MeasurementError, match=r"x__expected has shape \(3,\); wanted \(2,\)"):
        kinds.reduce(UNBIASED, {**unbiased(GOOD), "x__expected": np.zeros(3)})


def test_too_few_draws_are_an_error_of_ours():
    with pytest.raises(MeasurementError):
        kinds.reduce(UNBIASED, unbiased(GOOD[:1]))
