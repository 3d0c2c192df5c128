"""Correlations: size, power, edges."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.statistics.independence import (
    correlation_required_n,
    correlation_stage,
    pair_of,
    summarise_correlations,
)
from harness.statistics.outcome import StageOutcome


def judge(samples: np.ndarray, alpha: float = 0.01) -> StageOutcome:
    return correlation_stage(summarise_correlations(samples), alpha)


def test_correlations_agree_with_numpy() -> None:
    x = np.random.default_rng(50).exponential(size=(40, 4)) * [1e-200, 1.0, 1e200, -3.0]
    seen = summarise_correlations(x)["correlation"]
    matrix = np.corrcoef(x / [1e-200, 1.0, 1e200, 1.0], rowvar=False)
    np.testing.assert_allclose(seen, matrix[np.triu_indices(4, k=1)], rtol=0, atol=1e-14)
    assert [pair_of(i, 4) for i in (0, 2, 3, 5)] == [(0, 1), (0, 3), (1, 2), (2, 3)]


def test_p_value_agrees_with_scipy() -> None:
    x = np.random.default_rng(51).standard_normal((30, 2))
    assert judge(x).p_value == pytest.approx(stats.pearsonr(x[:, 0], x[:, 1]).pvalue, rel=1e-9)


# Exact for normal draws; skewness 2 in both coordinates measures .0119 at n = 500.
@pytest.mark.parametrize(
    ("law", "n", "measured"), [("normal", 100, 0.01), ("exponential", 500, 0.0119)]
)
def test_size(sim: Any, law: str, n: int, measured: float) -> None:
    rng = np.random.default_rng(52)
    draw = rng.standard_normal if law == "normal" else rng.standard_exponential
    seen = sim.rejections(4000, lambda: judge(draw((n, 4))).rejects)
    assert seen in sim.band(4000, measured)


def test_power_at_the_declared_correlation(sim: Any) -> None:
    rng = np.random.default_rng(53)
    n = correlation_required_n(0.01, 0.05, 0.2, 6)
    assert n == 561

    def draws() -> np.ndarray:
        z = rng.standard_normal((n, 4))
        z[:, 2] = 0.2 * z[:, 0] + math.sqrt(0.96) * z[:, 2]
        return z

    outcomes = [judge(draws()) for _ in range(3000)]
    assert sum(outcome.rejects for outcome in outcomes) in sim.band(3000, 0.95)
    named = [pair_of(outcome.coordinate, 4) for outcome in outcomes if outcome.rejects]
    assert named.count((0, 2)) > 0.99 * len(named)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_perfect_correlation(sign: float) -> None:
    x = np.random.default_rng(54).standard_normal((200, 1))
    outcome = judge(np.hstack([x, sign * x]))
    assert (outcome.rejects, outcome.reason) == (True, "statistic")
    assert outcome.p_value < 1e-300
    assert judge(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])).rejects


@pytest.mark.parametrize("value", [0.0, 0.1, -1e300])
def test_a_coordinate_that_never_varies_rejects(value: float) -> None:
    x = np.random.default_rng(55).standard_normal((50, 3))
    x[:, 1] = value
    summary = summarise_correlations(x)
    assert summary["constant"].tolist() == [0, 1, 0]
    assert np.isnan(summary["correlation"]).tolist() == [True, False, True]
    outcome = correlation_stage(summary, 0.01)
    assert (outcome.rejects, outcome.reason, outcome.coordinate) == (True, "degenerate", 0)
    assert judge(np.ones((9, 2))).reason == "degenerate"


def test_rounding_noise_is_no_variation() -> None:
    x = np.random.default_rng(56).standard_normal((50, 2))
    x[:, 1] = 1 + x[:, 0] * 1e-16
    assert judge(x).reason == "degenerate"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_draw_that_is_not_finite_rejects(bad: float) -> None:
    x = np.random.default_rng(57).standard_normal((50, 3))
    x[:, 0] = 1.0
    x[4, 2] = bad
    outcome = judge(x)
    assert (outcome.rejects, outcome.reason, outcome.coordinate) == (True, "nonfinite", 1)


# Without variances the correlation has a law of its own: .0146 measured at a nominal .01.
def test_heavy_tails(sim: Any) -> None:
    rng = np.random.default_rng(58)
    seen = sim.rejections(4000, lambda: judge(rng.standard_cauchy((1000, 2))).rejects)
    assert seen in sim.band(4000, 0.0146)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(-40, 40), st.floats(-5, 5))
def test_shift_and_unit_do_not_matter(seed: int, power: int, shift: float) -> None:
    x = np.random.default_rng(seed).standard_normal((20, 3))
    one = summarise_correlations(x)["correlation"]
    two = summarise_correlations((x + shift) * 2.0**power)["correlation"]
    np.testing.assert_allclose(one, two, rtol=0, atol=1e-12)


def test_refusals() -> None:
    for samples in (np.zeros((2, 2)), np.zeros((5, 1)), np.zeros(5), np.zeros((0, 2))):
        with pytest.raises(ValueError, match="wanted"):
            summarise_correlations(samples)
    summary = summarise_correlations(np.random.default_rng(59).standard_normal((9, 2)))
    for broken in (
        {"constant": np.zeros(3)},
        {"constant": np.zeros(1), "nonfinite": np.zeros(1)},
        {"correlation": np.array([1.5])},
        {"correlation": np.array([np.nan])},
        {"n": np.array(2)},
    ):
        with pytest.raises(ValueError, match=r"wanted|exceeds|finite"):
            correlation_stage(summary | broken, 0.01)
    with pytest.raises(ValueError, match="wanted 0 to 5"):
        pair_of(6, 4)
    for rho in (1.0, 0.0, -0.2, np.nan):
        with pytest.raises(ValueError, match="min_detectable"):
            correlation_required_n(0.01, 0.05, rho, 1)
