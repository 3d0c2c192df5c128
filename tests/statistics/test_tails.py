"""Counts of far draws: size, power, edges."""

from typing import Any

import numpy as np
import pytest

from harness.statistics.distribution import ks_stage, summarise_ks
from harness.statistics.outcome import StageOutcome
from harness.statistics.tails import summarise_tails, tail_stage

N, D = 16_000, 6


def judge(samples: np.ndarray, alpha: float = 1e-4, law: str = "normal") -> StageOutcome:
    return tail_stage(summarise_tails(samples, law), alpha)


# Binomial counts are discrete: 20,000 stages of n = 2,000, d = 2 gave .0067 for .01.
@pytest.mark.parametrize("law", ["normal", "uniform"])
def test_size(sim: Any, law: str) -> None:
    rng = np.random.default_rng(1)
    draw = rng.standard_normal if law == "normal" else rng.random
    seen = sim.rejections(2000, lambda: judge(draw((2000, 2)), 0.01, law).rejects)
    assert seen in sim.band(2000, 0.004, 0.01)


def three_uniforms(rng: np.random.Generator) -> np.ndarray:
    return 2 * (rng.random((3, N, D)).sum(axis=0) - 1.5)


def clamped(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((N, D)).clip(-2.5, 2.5)


def half_of_a_tail(rng: np.random.Generator) -> np.ndarray:
    """One coordinate of six has half of its upper hundredth: declared .99, measured .995."""
    x = rng.standard_normal((N, D))
    lost = (x[:, 0] > 2.3263) & (rng.random(N) < 0.5)
    x[lost, 0] = rng.uniform(1.0, 2.0, int(lost.sum()))
    return x


@pytest.mark.parametrize("draw", [three_uniforms, clamped, half_of_a_tail])
def test_departures_that_are_promised(sim: Any, draw: Any) -> None:
    rng = np.random.default_rng(2)
    assert sim.rejections(40, lambda: judge(draw(rng)).rejects) >= sim.at_least(40, 0.99)


def test_a_distance_of_distribution_functions_sees_few_of_them() -> None:
    rng = np.random.default_rng(3)
    seen = sum(ks_stage(summarise_ks(clamped(rng), "normal"), 1e-4).rejects for _ in range(20))
    assert seen <= 10


def test_draws_that_are_not_finite_are_far() -> None:
    x = np.random.default_rng(4).standard_normal((1000, 1))
    x[:300] = np.nan
    assert judge(x).rejects
    assert not judge(np.random.default_rng(5).standard_normal((1000, 1))).rejects
    assert judge(np.zeros((1000, 1))).rejects
