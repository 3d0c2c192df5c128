"""Likelihoods in pairs: size, power, edges."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.statistics.likelihood import (
    ExcessPlan,
    bounded_excess_n,
    bounded_excess_stage,
    excess_stage,
    floor_bound_stage,
    floor_stage,
    required_n,
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


def test_p_values_agree_with_scipy() -> None:
    rng = np.random.default_rng(70)
    nll, floor = rng.normal([[0.1], [0.0]], 1.0, size=(2, 40))
    summary = summarise_paired(nll, floor)
    below = stats.ttest_rel(nll, floor, alternative="less").pvalue
    above = stats.ttest_1samp(nll - floor, 0.05, alternative="greater").pvalue
    assert floor_stage(summary, 0.01).p_value == pytest.approx(below, rel=1e-9)
    assert excess_stage(summary, 0.05, 0.01).p_value == pytest.approx(above, rel=1e-9)


# 4,000 stages at .01 give 40 ± 3.29·6.3.
def test_size_normal(sim: Any) -> None:
    rng = np.random.default_rng(71)
    floor = sim.rejections(4000, lambda: floor_stage(excess(rng.standard_normal(50)), 0.01).rejects)
    assert floor in sim.band(4000, 0.01)
    above = sim.rejections(
        4000, lambda: excess_stage(excess(0.5 + rng.standard_normal(50)), 0.5, 0.01).rejects
    )
    assert above in sim.band(4000, 0.01)


# One-sided, the guard of n = 117 allows three times the nominal size on the side away from the
# long tail, and a third on the other (measured .0300 and .0022).
@pytest.mark.parametrize(("sign", "floor", "above"), [(1, 0.03, 0.0029), (-1, 0.0022, 0.0298)])
def test_size_skewed_at_its_guard(sim: Any, sign: int, floor: float, above: float) -> None:
    rng = np.random.default_rng(72)

    def draws() -> dict[str, np.ndarray]:
        return excess(sign * sim.centred_chi_square(rng, 117, 1)[:, 0])

    assert sim.rejections(4000, lambda: floor_stage(draws(), 0.01).rejects) in sim.band(4000, floor)
    seen = sim.rejections(4000, lambda: excess_stage(draws(), 0.0, 0.01).rejects)
    assert seen in sim.band(4000, above)


def test_the_floor_is_kept_by_honest_models(sim: Any) -> None:
    rng = np.random.default_rng(73)
    for shift in (0.02, 0.1):
        summaries = [displaced(rng, 1000, shift) for _ in range(2000)]
        bound = sum(floor_bound_stage(summary, 0.01).rejects for summary in summaries)
        assert bound <= max(sim.band(2000, 0.0, 0.01))
        paired = sum(floor_stage(summary, 0.01).rejects for summary in summaries)
        assert paired <= max(sim.band(2000, 0.0, 0.01))


# A fair coin, bet on heads at .9: two heads in two tosses, of probability 1/4, gain 2·log(1.8)
# nats, just above log(1/.31). The bound cannot be made much smaller.
def test_the_bound_is_nearly_reached(sim: Any) -> None:
    rng = np.random.default_rng(74)

    def rejects() -> bool:
        nll = np.where(rng.random(2) < 0.5, -math.log(0.9), -math.log(0.1))
        return floor_bound_stage(summarise_paired(nll, np.full(2, math.log(2))), 0.31).rejects

    assert sim.rejections(4000, rejects) in sim.band(4000, 0.25)


def test_power_at_the_declared_excess(sim: Any) -> None:
    rng = np.random.default_rng(75)
    n = required_n(0.01, 0.05, 0.2)
    assert n == 397
    floor = sim.rejections(
        3000, lambda: floor_stage(excess(rng.standard_normal(n) - 0.2), 0.01).rejects
    )
    above = sim.rejections(
        3000, lambda: excess_stage(excess(rng.standard_normal(n) + 0.7), 0.5, 0.01).rejects
    )
    assert floor in sim.band(3000, 0.95)
    assert above in sim.band(3000, 0.95)


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
    for outcome in (
        floor_stage(summary, 0.01),
        excess_stage(summary, 1e9, 0.01),
        floor_bound_stage(summary, 0.01),
    ):
        assert (outcome.rejects, outcome.reason, outcome.p_value) == (True, "nonfinite", 0.0)


def test_sizes_beyond_float64_count_as_not_finite() -> None:
    summary = summarise_paired([1.7e308, 1.0], [-1.7e308, 1.0])
    assert summary["nonfinite"] == 1
    assert excess_stage(summary, 0.0, 0.01).rejects


@pytest.mark.parametrize(
    ("offset", "too_good", "too_bad"),
    [(0.0, False, False), (1e-15, False, False), (-1e-3, True, False), (1e-3, False, True)],
)
def test_equal_excesses_are_compared_exactly(offset: float, too_good: bool, too_bad: bool) -> None:
    floor = np.full(100, 2.0)
    summary = summarise_paired(floor + offset, floor)
    below, above = floor_stage(summary, 0.01), excess_stage(summary, 0.0, 0.01)
    assert (below.rejects, above.rejects) == (too_good, too_bad)
    assert below.reason == ("exact" if too_good else "none")
    assert not excess_stage(summary, 1.0, 0.01).rejects
    assert not floor_bound_stage(summary, 0.01).rejects


def test_rounding_of_a_copy_of_the_truth_is_not_too_good() -> None:
    rng = np.random.default_rng(77)
    floor = rng.normal(18, 3, 1000)
    single = np.floor(floor * 2**19) / 2**19  # always rounded down, by up to float32's precision
    eps32 = float(np.finfo(np.float32).eps)
    assert floor_stage(summarise_paired(single, floor), 0.01).rejects
    assert not floor_stage(summarise_paired(single, floor), 0.01, eps=eps32).rejects


def test_heavy_tails_are_told() -> None:
    rng = np.random.default_rng(78)
    outcomes = [floor_stage(excess(rng.pareto(1.2, 2000) - 5), 0.01) for _ in range(100)]
    assert sum(not outcome.skew_ok for outcome in outcomes) > 90


def test_two_points_suffice() -> None:
    assert floor_stage(summarise_paired([0.0, 0.001], [1.0, 1.0]), 0.01).rejects
    assert floor_bound_stage(summarise_paired([0.0, 0.0], [3.0, 3.0]), 0.01).rejects
    assert not floor_bound_stage(summarise_paired([0.0, 0.0], [2.0, 2.0]), 0.01).rejects


@given(st.floats(-2, 2), st.floats(0, 2))
def test_a_larger_nll_never_helps_against_the_margin(mean: float, worse: float) -> None:
    noise = np.linspace(-1, 1, 20)
    before = excess_stage(excess(noise + mean), 0.5, 0.01)
    after = excess_stage(excess(noise + mean + worse), 0.5, 0.01)
    assert after.p_value <= before.p_value * (1 + 1e-9)


def test_refusals() -> None:
    good = excess(np.arange(9.0))
    for nll, floor in (([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([1.0, 2.0], [np.nan, 1.0])):
        with pytest.raises(ValueError, match="wanted"):
            summarise_paired(nll, floor)
    with pytest.raises(ValueError, match="limit"):
        excess_stage(good, math.nan, 0.01)
    for stage in (floor_stage, floor_bound_stage):
        with pytest.raises(ValueError, match="stage_alpha"):
            stage(good, 0.0)
        with pytest.raises(ValueError, match="not finite although"):
            stage(good | {"mean_excess": np.array(np.nan)}, 0.01)
    with pytest.raises(ValueError, match="min_detectable"):
        required_n(0.01, 0.05, 0.0)


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


def test_a_plan_says_what_it_cannot_mean() -> None:
    with pytest.raises(ValueError, match="margin"):
        ExcessPlan(0.1, 0.5, 0.1, 8.0, 0.02, 0.01, 0.01)
    outcome = bounded_excess_stage([1.0, np.nan], [0.0, 0.0], PLAN)
    assert (outcome.rejects, outcome.reason, outcome.coordinate) == (True, "nonfinite", 1)
