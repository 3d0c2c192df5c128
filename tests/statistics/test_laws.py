"""Quantiles, tails and power against scipy's own distributions and published figures."""

import math

import numpy as np
import pytest
from scipy import stats

from harness.statistics import laws

TAILS = (0.25, 1e-2, 1e-3, 5e-5, 1e-8)


@pytest.mark.parametrize("tail", TAILS)
def test_critical_values_and_tails_are_each_others_inverse(tail: float) -> None:
    assert laws.normal_critical(tail) == pytest.approx(stats.norm.isf(tail), rel=1e-12)
    assert laws.normal_tail(laws.normal_critical(tail)) == pytest.approx(tail, rel=1e-9)
    for df in (1, 2, 30, 10**6):
        t = laws.t_critical(tail, df)
        assert t == pytest.approx(stats.t.isf(tail, df), rel=1e-8)
        assert laws.t_tail(t, df) == pytest.approx(tail, rel=1e-8)
        assert laws.chi_square_tail(laws.chi_square_critical(tail, min(df, 50)), min(df, 50)) == (
            pytest.approx(tail, rel=1e-8)
        )
    for n in (1, 20, 10**4):
        assert laws.ks_tail(laws.ks_critical(tail, n), n) == pytest.approx(tail, rel=1e-4)


def test_tails_at_infinity_are_zero_and_at_minus_infinity_one() -> None:
    assert laws.t_tail(math.inf, 5) == laws.normal_tail(math.inf) == 0.0
    assert laws.t_tail(-math.inf, 5) == laws.normal_tail(-math.inf) == 1.0
    assert laws.ks_tail(1.0, 7) == 0.0
    assert laws.chi_square_tail(math.inf, 3) == 0.0


def test_power_of_t_is_that_of_the_noncentral_law() -> None:
    for n, tail, effect in ((5, 0.005, 2.0), (32, 5e-4, 1.0), (3866, 5e-5, 0.1)):
        expected = stats.nct.sf(stats.t.isf(tail, n - 1), n - 1, effect * math.sqrt(n))
        assert laws.t_power(n, tail, effect) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("tail", "beta", "effect", "normal", "needed"),
    [(5e-4, 0.01, 0.2, 789, 795), (5e-5, 0.01, 0.1, 3866, 3873), (5e-4, 0.01, 1.0, 32, 38)],
)
def test_required_n_is_the_smallest_that_suffices(
    tail: float, beta: float, effect: float, normal: int, needed: int
) -> None:
    z = laws.normal_critical(tail) + laws.normal_critical(beta)
    assert math.ceil((z / effect) ** 2) == normal
    assert laws.t_required_n(tail, beta, effect) == needed
    assert laws.t_power(needed, tail, effect) >= 1 - beta > laws.t_power(needed - 1, tail, effect)


def test_a_huge_effect_needs_only_a_few_draws() -> None:
    n = laws.t_required_n(0.005, 0.05, 1e3)
    assert n == 2
    with pytest.raises(ValueError, match="min_detectable"):
        laws.t_required_n(0.005, 0.05, 0.0)


@pytest.mark.parametrize("first", [1, 10, 77])
@pytest.mark.parametrize("wanted", [77, 100, 1234])
def test_smallest_finds_the_threshold(first: int, wanted: int) -> None:
    assert laws.smallest(first, lambda n: n >= wanted) == wanted


def test_noncentrality_gives_the_power() -> None:
    noncentrality = laws.chi_square_noncentrality(1e-3, 7, 0.01)
    power = stats.ncx2.sf(stats.chi2.isf(1e-3, 7), 7, noncentrality)
    assert power == pytest.approx(0.99, abs=1e-9)


def test_guard_figures() -> None:
    assert laws.guard_n(2.83, 5e-4) == 935 or laws.guard_n(math.sqrt(8), 5e-4) == 935
    assert laws.guard_n(-10.0, 5e-4) == laws.guard_n(10.0, 5e-4)
    assert laws.guard_n(0.0, 5e-4) == 2
    with pytest.raises(ValueError, match="skew"):
        laws.guard_n(math.nan, 5e-4)
    with pytest.raises(ValueError, match="tail"):
        laws.guard_n(1.0, 0.0)


def test_the_normal_distribution_function() -> None:
    x = np.array([-40.0, 0.0, 1.0, 40.0])
    np.testing.assert_allclose(laws.normal_cdf(x), stats.norm.cdf(x), rtol=1e-12)


def test_bonferroni_shares() -> None:
    assert laws.split(0.01, 5) == 0.002
    with pytest.raises(ValueError, match="dimensions"):
        laws.split(0.01, 0)
    with pytest.raises(ValueError, match="stage_alpha"):
        laws.split(0.0, 1)


@pytest.mark.parametrize("rate", [1e-6, 0.3, 0.95])
def test_binomial_probabilities(rate: float) -> None:
    for events in (0, 1, 7, 12):
        law = stats.binom(12, rate)
        assert laws.binomial_mass(events, 12, rate) == pytest.approx(law.pmf(events), rel=1e-12)
        assert laws.binomial_cdf(events, 12, rate) == pytest.approx(law.cdf(events), rel=1e-12)
        tail = laws.binomial_tail(events, 12, rate)
        assert tail == pytest.approx(law.sf(events - 1), rel=1e-10)
    assert laws.binomial_cdf(-1, 12, rate) == laws.binomial_tail(13, 12, rate) == 0.0
    assert laws.binomial_tail(0, 12, rate) == 1.0


def test_beta_quantile_is_the_inverse() -> None:
    for share, a, b in ((0.003, 189, 12), (0.05, 1, 1), (0.95, 3, 28)):
        assert laws.beta_quantile(share, a, b) == pytest.approx(stats.beta.ppf(share, a, b))


def test_power_of_two_samples_is_that_of_the_noncentral_law() -> None:
    for k, m, tail, effect in ((5, 20, 0.01, 2.0), (6, 50, 1e-3, 2.0), (50, 5, 0.05, 0.3)):
        noncentrality = effect / math.sqrt(1 / k + 1 / m)
        expected = stats.nct.sf(stats.t.isf(tail, k + m - 2), k + m - 2, noncentrality)
        assert laws.two_sample_t_power(k, m, tail, effect) == pytest.approx(expected, abs=1e-9)
    assert laws.two_sample_t_power(1, 1, 0.05, 100.0) == 0.0
