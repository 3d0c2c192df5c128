"""Likelihoods in pairs: size, power, edges."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics.inputs import EPS64
from harness.statistics.likelihood import (
    ExcessPlan,
    bounded_excess_n,
    bounded_excess_stage,
    floor_bound_stage,
    summarise_paired,
)


def excess(values: np.ndarray) -> dict[str, np.ndarray]:
    return summarise_paired(values, np.zeros(len(values)))


def displaced(rng: np.random.Generator, n: int, shift: float) -> dict[str, np.ndarray]:
    """Standard normal points under a normal model whose mean is off."""
    x = rng.standard_normal(n)
    return summarise_paired(0.5 * (x - shift) ** 2, 0.5 * x**2)


def test_summary() -> None:
    summary = summarise_paired([3.0, 5.0, 10.0], [1.0, 1.0, -1.0])
    assert summary["n"] == 3
    assert summary["mean_excess"] == pytest.approx(17 / 3)
    assert summary["sd_excess"] == pytest.approx(np.std([2, 4, 11], ddof=1))
    assert summary["mean_nll"] == 6.0
    assert summary["size"] == 2.0  # of the floor alone: nll is the program's own
    assert summary["nonfinite"] == 0
    assert all(value.ndim == 0 for value in summary.values())


def test_the_floor_is_kept_by_honest_models(sim: Any) -> None:
    rng = np.random.default_rng(73)
    for shift in (0.02, 0.1):
        summaries = [displaced(rng, 1000, shift) for _ in range(2000)]
        bound = sum(floor_bound_stage(summary, 0.01).rejects for summary in summaries)
        assert bound <= max(sim.band(2000, 0.0, 0.01))


# A fair coin, bet on heads at .9: two heads in two tosses, of probability 1/4, gain 2·log(1.8)
# nats, just above log(1/.31). The bound cannot be made much smaller.
def test_the_bound_is_nearly_reached(sim: Any) -> None:
    rng = np.random.default_rng(74)

    def rejects() -> bool:
        nll = np.where(rng.random(2) < 0.5, -math.log(0.9), -math.log(0.1))
        return floor_bound_stage(summarise_paired(nll, np.full(2, math.log(2))), 0.31).rejects

    assert sim.rejections(4000, rejects) in sim.band(4000, 0.25)


# A model that has seen a tenth of the points and gives them 1 nat more.
def test_power_of_the_bound_against_a_leak(sim: Any) -> None:
    rng = np.random.default_rng(76)

    def leak() -> dict[str, np.ndarray]:
        floor = rng.normal(18, 3, 1000)
        return summarise_paired(floor - (rng.random(1000) < 0.1), floor)

    assert sim.rejections(500, lambda: floor_bound_stage(leak(), 1e-6).rejects) == 500


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_nll_that_is_not_finite_rejects(bad: float) -> None:
    summary = summarise_paired([1.0, bad, 2.0], [1.0, 1.0, 1.0])
    assert summary["nonfinite"] == 1
    assert np.isnan([summary[name] for name in ("mean_excess", "sd_excess", "mean_nll")]).all()
    outcome = floor_bound_stage(summary, 0.01)
    assert (outcome.rejects, outcome.reason, outcome.p_value) == (True, "nonfinite", 0.0)


def test_sizes_beyond_float64_count_as_not_finite() -> None:
    summary = summarise_paired([1.7e308, 1.0], [-1.7e308, 1.0])
    assert summary["nonfinite"] == 1
    assert floor_bound_stage(summary, 0.01).rejects


def test_rounding_of_a_copy_of_the_truth_is_not_too_good() -> None:
    rng = np.random.default_rng(77)
    floor = rng.normal(18, 3, 1000)
    single = np.floor(floor * 2**19) / 2**19  # always rounded down, by up to float32's precision
    eps32 = float(np.finfo(np.float32).eps)
    gain, allowed = (
        floor_bound_stage(summarise_paired(single, floor), 0.01, eps=eps).statistic
        for eps in (EPS64, eps32)
    )
    assert allowed < 0 < gain


def test_two_points_suffice() -> None:
    assert floor_bound_stage(summarise_paired([0.0, 0.0], [3.0, 3.0]), 0.01).rejects
    assert not floor_bound_stage(summarise_paired([0.0, 0.0], [2.0, 2.0]), 0.01).rejects


def test_refusals() -> None:
    good = excess(np.arange(9.0))
    for nll, floor in (([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([1.0, 2.0], [np.nan, 1.0])):
        with pytest.raises(ValueError, match="wanted"):
            summarise_paired(nll, floor)
    with pytest.raises(ValueError, match="stage_alpha"):
        floor_bound_stage(good, 0.0)
    with pytest.raises(ValueError, match="not finite although"):
        floor_bound_stage(good | {"mean_excess": np.array(np.nan)}, 0.01)


PLAN = ExcessPlan(0.02, 0.5, 0.1, 8.0, 0.02, 0.01, 0.01)


def rate_of_bounded(draw: Any, stages: int) -> int:
    n = bounded_excess_n(PLAN)
    return sum(bounded_excess_stage(draw(n), np.zeros(n), PLAN).rejects for _ in range(stages))


def test_size_of_a_bounded_excess(sim: Any) -> None:
    """20,000 stages: normal .0099 at its own n, exponential .0127."""
    rng = np.random.default_rng(81)
    normal = rate_of_bounded(lambda n: 0.02 + 0.5 * rng.standard_normal(n), 1000)
    assert normal in sim.band(1000, 0.0, 0.0127)
    skewed = rate_of_bounded(lambda n: 0.5 * rng.standard_exponential(n) - 0.48, 1000)
    assert skewed in sim.band(1000, 0.0127)


@pytest.mark.parametrize("shape", ["normal", "wide", "rare", "far"])
def test_power_of_a_bounded_excess(sim: Any, shape: str) -> None:
    """A mean excess of .1 whatever its law, and 2 % of points beyond 8 nats whatever the mean."""
    rng = np.random.default_rng(82)
    draws = {
        "normal": lambda n: 0.1 + 0.5 * rng.standard_normal(n),
        "wide": lambda n: 0.1 + 2 * rng.standard_normal(n),
        "rare": lambda n: 7.9 * (rng.random(n) < 0.1 / 7.9),
        "far": lambda n: -1.0 + 9.1 * (rng.random(n) < 0.02),
    }
    assert rate_of_bounded(draws[shape], 200) >= sim.at_least(200, 0.99)


@given(st.floats(-2, 2), st.floats(0, 2))
def test_a_larger_nll_never_helps(mean: float, worse: float) -> None:
    floor = np.zeros(4000)
    nll = mean + np.linspace(-1, 1, len(floor))
    before, after = (bounded_excess_stage(nll + more, floor, PLAN) for more in (0.0, worse))
    assert after.rejects >= before.rejects


def test_a_plan_says_what_it_cannot_mean() -> None:
    with pytest.raises(ValueError, match="margin"):
        ExcessPlan(0.1, 0.5, 0.1, 8.0, 0.02, 0.01, 0.01)
    outcome = bounded_excess_stage([1.0, np.nan], [0.0, 0.0], PLAN)
    assert (outcome.rejects, outcome.reason, outcome.coordinate) == (True, "nonfinite", 1)
