"""Kolmogorov-Smirnov: size, power, edges."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.statistics import distribution, two_stage
from harness.statistics.distribution import Law, ks_required_n, ks_stage, summarise_ks


def test_distance_agrees_with_scipy() -> None:
    rng = np.random.default_rng(30)
    x = rng.standard_normal((37, 2))
    for law, draws, cdf in (
        ("normal", x, stats.norm.cdf),
        ("uniform", rng.random((37, 2)) * 1.2 - 0.1, stats.uniform.cdf),
    ):
        seen = summarise_ks(draws, law)["ks"]
        wanted = [stats.ks_1samp(column, cdf).statistic for column in draws.T]
        np.testing.assert_allclose(seen, wanted, rtol=1e-13)


def test_p_value_agrees_with_scipy() -> None:
    x = np.random.default_rng(31).random((25, 1)) * 0.7
    outcome = ks_stage(summarise_ks(x, "uniform"), 0.01)
    wanted = stats.ks_1samp(x[:, 0], stats.uniform.cdf, method="exact").pvalue
    assert outcome.p_value == pytest.approx(wanted, rel=1e-9)


# Exact law: 4,000 stages at .01 give 40 ± 3.29·6.3.
@pytest.mark.parametrize(("law", "n", "d"), [("normal", 20, 1), ("uniform", 200, 3)])
def test_size(sim: Any, law: Law, n: int, d: int) -> None:
    rng = np.random.default_rng(32)
    draw = rng.standard_normal if law == "normal" else rng.random
    seen = sim.rejections(4000, lambda: ks_stage(summarise_ks(draw((n, d)), law), 0.01).rejects)
    assert seen in sim.band(4000, 0.01)


# The bound holds for every law at the distance; one that differs at the median has power .995.
def test_power_at_the_declared_distance(sim: Any) -> None:
    rng = np.random.default_rng(33)
    n = ks_required_n(0.01, 0.1, 0.1)
    assert n == 730

    def draws() -> np.ndarray:
        low = rng.random((n, 1)) < 0.6
        return np.where(low, 0.0, 0.5) + 0.5 * rng.random((n, 1))

    seen = sim.rejections(2000, lambda: ks_stage(summarise_ks(draws(), "uniform"), 0.01).rejects)
    assert seen >= sim.at_least(2000, 0.9)
    assert seen in sim.band(2000, 0.9946)


def test_the_coordinate_that_is_off_is_named() -> None:
    x = np.random.default_rng(34).standard_normal((500, 3))
    x[:, 1] *= 2
    outcome = ks_stage(summarise_ks(x, "normal"), 0.01)
    assert (outcome.rejects, outcome.reason, outcome.coordinate) == (True, "statistic", 1)
    assert outcome.p_value < 0.01


@pytest.mark.parametrize("value", [0.0, 0.5, 5.0])
def test_ties_reject(value: float) -> None:
    assert ks_stage(summarise_ks(np.full((50, 1), value), "normal"), 0.01).rejects


def test_perfect_separation_and_the_smallest_sample() -> None:
    far = ks_stage(summarise_ks(np.full((30, 1), 9.0), "uniform"), 0.01)
    assert (far.statistic, far.p_value, far.rejects) == (1.0, 0.0, True)
    assert ks_stage(summarise_ks([[0.999]], "uniform"), 0.01).rejects
    assert not ks_stage(summarise_ks([[0.9]], "uniform"), 0.01).rejects
    assert summarise_ks([[0.5]], "uniform")["ks"].tolist() == [0.5]


def test_heavy_tails_are_found() -> None:
    x = np.random.default_rng(35).standard_cauchy((1000, 1))
    assert ks_stage(summarise_ks(x, "normal"), 1e-3).rejects


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_draw_that_is_not_finite_rejects(bad: float) -> None:
    x = np.random.default_rng(36).standard_normal((100, 2))
    x[0, 1] = bad
    summary = summarise_ks(x, "normal")
    assert summary["nonfinite"].tolist() == [0, 1]
    assert np.isnan(summary["ks"]).tolist() == [False, True]
    outcome = ks_stage(summary, 0.01)
    assert (outcome.rejects, outcome.reason, outcome.p_value) == (True, "nonfinite", 0.0)


@given(st.permutations(range(12)), st.integers(0, 1000))
def test_the_order_of_draws_does_not_matter(order: list[int], seed: int) -> None:
    x = np.random.default_rng(seed).random((12, 2))
    assert summarise_ks(x[order], "uniform")["ks"].tolist() == (
        summarise_ks(x, "uniform")["ks"].tolist()
    )


def test_planning() -> None:
    assert ks_required_n(0.01, 0.1, 0.1, 10) > ks_required_n(0.01, 0.1, 0.1)
    assert ks_required_n(0.01, two_stage.stage_beta(0.1), 0.1) > 730
    with pytest.raises(ValueError, match="<= 1"):
        ks_required_n(0.01, 0.1, 1.5)
    with pytest.raises(ValueError, match="beta"):
        ks_required_n(0.01, 0.0, 0.5)


def test_refusals() -> None:
    for samples in (np.zeros((0, 1)), np.zeros((3, 0)), np.zeros(3)):
        with pytest.raises(ValueError, match="wanted"):
            summarise_ks(samples, "normal")
    with pytest.raises(ValueError, match="law is 'cauchy'"):
        summarise_ks(np.zeros((3, 1)), "cauchy")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="stage_alpha"):
        ks_stage(summarise_ks(np.zeros((3, 1)), "normal"), 1.0)


def test_the_other_tests_are_offered_here_too() -> None:
    assert all(hasattr(distribution, name) for name in distribution.__all__)
