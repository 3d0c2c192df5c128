"""The permutation test on means: exact counts, size, power, edges."""

import itertools
import math
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.statistics import permutation
from harness.statistics.permutation import mean_test

some_floats = st.one_of(
    st.sampled_from([0.0, 0.1, 0.2, 0.3, 1e-300, -5e-324, 1e16, 1.7e308, -1.7e308]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-3, 3).map(float),
)


def p(own: Any, reference: Any, better: Any = "higher") -> float:
    outcome = mean_test(own, reference, better=better)
    assert outcome.exact
    return outcome.p_value


def on_a_grid(values: np.ndarray) -> np.ndarray:
    """Rounded so that sums of them fit 64 bits, which is ten times as fast."""
    return np.round(values * 2**16) / 2**16


def defined(own: list[float], reference: list[float]) -> float:
    """The p-value by its definition, in rational numbers."""
    pool = [Fraction(x) for x in own + reference]
    chosen = list(itertools.combinations(pool, len(own)))
    return sum(sum(choice) <= sum(pool[: len(own)]) for choice in chosen) / len(chosen)


@given(st.lists(some_floats, min_size=1, max_size=4), st.lists(some_floats, min_size=1, max_size=5))
def test_all_choices_are_counted_without_rounding(own: list[float], ref: list[float]) -> None:
    assert p(own, ref) == defined(own, ref)
    assert p(own, ref, "lower") == defined([-x for x in own], [-x for x in ref])


@pytest.mark.parametrize(("k", "m"), [(2, 2), (3, 20), (9, 2), (6, 6)])
def test_agrees_with_scipy(k: int, m: int) -> None:
    rng = np.random.default_rng(300)
    own, reference = rng.normal(-0.5, 1, k), rng.normal(0, 1, m)
    expected = stats.permutation_test(
        (own, reference),
        lambda x, y, axis: x.mean(axis) - y.mean(axis),
        vectorized=True,
        alternative="less",
        n_resamples=np.inf,
    )
    assert p(own, reference) == pytest.approx(expected.pvalue, rel=1e-12)


def test_drawn_choices_agree_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(301)
    own, reference = rng.normal(-0.7, 1, 5), rng.normal(0, 1, 15)
    exact = p(own, reference)
    assert not permutation.counted(20, 20)
    monkeypatch.setattr(permutation, "MOST_SUMS", 10)
    drawn = mean_test(own, reference, better="higher", rng=rng)
    assert not drawn.exact
    assert abs(drawn.p_value - exact) < 3.3 * math.sqrt(exact * (1 - exact) / 99_999)
    assert drawn.smallest_p == 1e-5


def test_more_runs_than_can_be_counted() -> None:
    rng = np.random.default_rng(302)
    own, reference = rng.normal(-5, 1, 20), rng.normal(0, 1, 30)
    with pytest.raises(ValueError, match="wanted an rng"):
        mean_test(own, reference, better="higher")
    outcomes = [
        mean_test(own, reference, better="higher", rng=np.random.default_rng(1), resamples=999)
        for _ in range(2)
    ]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0].p_value == 1 / 1000  # never 0
    swapped = mean_test(reference, own, better="higher", rng=rng, resamples=999)
    assert swapped.p_value == 1.0


def test_counting_does_not_depend_on_the_values() -> None:
    assert permutation.counted(5, 67) and permutation.counted(67, 5)
    assert permutation.counted(10, 28)
    assert not permutation.counted(5, 68)


# Of 1771 choices 88 make .05; with 85 % of the runs at a ceiling .029 was measured.
EXACT = 88 / 1771


@pytest.mark.parametrize(
    ("law", "size"),
    [
        ("normal", EXACT),
        ("skewed", EXACT),
        ("bimodal", EXACT),
        ("cauchy", EXACT),
        ("ceiling", 0.029),
    ],
)
def test_size(sim: Any, law: str, size: float) -> None:
    rng = np.random.default_rng(303)
    draw = {
        "normal": rng.standard_normal,
        "skewed": lambda n: -(rng.standard_exponential(n) ** 2),
        "bimodal": lambda n: rng.normal(0.1, 0.05, n) + 0.9 * (rng.random(n) < 0.85),
        "cauchy": rng.standard_cauchy,
        "ceiling": lambda n: np.where(rng.random(n) < 0.85, 500, rng.integers(20, 500, n)),
    }[law]
    seen = sim.rejections(2500, lambda: p(on_a_grid(draw(3)), on_a_grid(draw(20))) <= 0.05)
    assert seen in sim.band(2500, size)


@pytest.mark.slow
def test_size_far_out(sim: Any) -> None:
    rng = np.random.default_rng(304)
    draw = rng.standard_cauchy
    seen = sim.rejections(40_000, lambda: p(on_a_grid(draw(3)), on_a_grid(draw(20))) <= 1e-3)
    assert seen <= max(sim.band(40_000, 1e-3))


@pytest.mark.parametrize(
    ("alpha", "effect", "m", "k", "power"), [(0.01, 2, 20, 5, 0.924), (0.05, 1.5, 20, 6, 0.931)]
)
def test_power_at_the_required_runs(
    sim: Any, alpha: float, effect: float, m: int, k: int, power: float
) -> None:
    assert permutation.required_runs(alpha, 0.1, effect, m) == k
    rng = np.random.default_rng(305)

    def rejects() -> bool:
        own, reference = rng.normal(-effect, 1, k), rng.normal(0, 1, m)
        return mean_test(on_a_grid(own), on_a_grid(reference), better="higher").rejects_at(alpha)

    assert sim.rejections(600, rejects) in sim.band(600, power)


# The docstring's .13, .43, .85 for learners that succeed less often, five runs against fifty.
@pytest.mark.slow
@pytest.mark.parametrize(("rate", "power"), [(0.6, 0.126), (0.3, 0.434), (0.05, 0.852)])
def test_power_against_learners_that_fail_more_often(sim: Any, rate: float, power: float) -> None:
    rng = np.random.default_rng(306)

    def learner(rate: float, n: int) -> np.ndarray:
        good = 1 - 0.02 * rng.standard_exponential(n)
        return on_a_grid(np.where(rng.random(n) < rate, good, rng.uniform(0, 0.8, n)))

    seen = sim.rejections(500, lambda: p(learner(rate, 5), learner(0.85, 50)) <= 0.01)
    assert seen in sim.band(500, power - 0.04, power + 0.04)


def test_a_crash_never_helps_where_it_helps_welch() -> None:
    rng = np.random.default_rng(307)
    reference = rng.normal(1, 0.1, 50)
    bad, crashed = [0.86, 0.87, 0.86, 0.85, 0.86], [0.86, 0.87, 0.40, 0.85, 0.86]
    welch = [
        stats.ttest_ind(own, reference, equal_var=False, alternative="less").pvalue
        for own in (bad, crashed)
    ]
    assert welch[0] < 0.01 < welch[1]
    assert p(crashed, reference) < p(bad, reference) < 0.01


@settings(max_examples=200)
@given(
    st.lists(st.one_of(some_floats, st.just(math.nan)), min_size=1, max_size=4),
    st.lists(some_floats, min_size=1, max_size=4),
    some_floats,
    st.integers(0, 3),
)
@example([sys.float_info.max] * 3, [0.0], 0.0, 0)
@example([-sys.float_info.max] * 3, [sys.float_info.max] * 3, 0.0, 0)
def test_a_better_run_never_counts_against(
    own: list[float], reference: list[float], value: float, index: int
) -> None:
    index %= len(own)
    before = own[index]
    if math.isfinite(before) and value < before:
        value, own[index] = before, value
    improved = [*own[:index], value, *own[index + 1 :]]
    assert p(improved, reference) >= p(own, reference)


def test_a_better_run_never_counts_against_drawn_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permutation, "MOST_SUMS", 1)
    rng = np.random.default_rng(308)
    for _ in range(40):
        own, reference = rng.standard_cauchy((2, 6))
        better = own + np.where(rng.random(6) < 0.3, rng.standard_exponential(6), 0)
        low, high = (
            mean_test(x, reference, better="higher", rng=np.random.default_rng(9), resamples=500)
            for x in (own, better)
        )
        assert low.p_value <= high.p_value


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("better", ["higher", "lower"])
def test_a_run_that_is_not_finite_is_the_worst(bad: float, better: Any) -> None:
    reference = [1.0, 2.0, 3.0, 1e300, -1e300]
    outcome = mean_test([bad, 2.0], reference, better=better)
    worst = -1.7e308 if better == "higher" else 1.7e308
    assert outcome.p_value == p([worst, 2.0], reference, better)
    assert outcome.statistic == math.inf
    assert p([bad, bad], reference, better) == permutation.smallest_p(2, 5)
    assert p([bad] * 7, reference, better) == permutation.smallest_p(7, 5)


@pytest.mark.parametrize("k", [1, 4, 30])
def test_all_equal(k: int) -> None:
    outcome = mean_test([0.1] * k, [0.1] * 7, better="higher")
    assert outcome.p_value == 1.0
    assert abs(outcome.statistic) < 1e-15
    assert not outcome.rejects_at(0.5)


def test_a_reference_without_spread() -> None:
    reference = [500.0] * 20
    assert p([500.0, 499.5, 500.0], reference) == pytest.approx(3 / 23)
    assert p([499.0, 499.5, 499.0], reference) == permutation.smallest_p(3, 20)
    assert p([500.5, 500.0, 500.0], reference) == 1.0


def test_perfectly_separated_both_ways() -> None:
    low, high = [1.0, 2.0, 3.0], np.arange(10.0, 30.0)
    assert p(low, high) == permutation.smallest_p(3, 20)
    assert p(high, low) == 1.0
    assert p(low, high, "lower") == 1.0
    assert p(high, low, "lower") == permutation.smallest_p(20, 3)
    assert mean_test(low, high, better="higher").statistic == pytest.approx(17.5)
    assert mean_test(low, high, better="lower").statistic == pytest.approx(-17.5)


def test_one_run_is_judged_by_its_rank() -> None:
    reference = np.arange(9.0)
    assert [p([x], reference) for x in (-1.0, 4.5, 4.0, 9.0)] == [0.1, 0.6, 0.6, 1.0]
    assert p([0.0], [1.0]) == 0.5


def test_the_largest_floats() -> None:
    outcome = mean_test([-1.7e308] * 3, [1.7e308] * 5, better="higher")
    assert outcome.p_value == permutation.smallest_p(3, 5)
    assert outcome.statistic == math.inf


def test_smallest_p() -> None:
    for (k, m), wanted in (((3, 20), 5.6e-4), ((3, 50), 4.3e-5), ((5, 50), 2.9e-7)):
        assert permutation.smallest_p(k, m) == pytest.approx(wanted, rel=0.01)
    for arguments in ((0, 5), (5, 0), (1.5, 5)):
        with pytest.raises(ValueError, match="wanted"):
            permutation.smallest_p(*arguments)


def test_rejecting() -> None:
    outcome = mean_test([1.0, 2.0], [3.0, 4.0, 5.0, 6.0], better="higher")
    assert outcome.p_value == 1 / 15
    assert (outcome.rejects_at(1 / 15), outcome.rejects_at(0.1)) == (True, True)
    assert not mean_test([1.0, 3.5], [3.0, 4.0, 5.0, 6.0], better="higher").rejects_at(0.1)
    with pytest.raises(ValueError, match="smallest p-value"):
        outcome.rejects_at(0.05)
    with pytest.raises(ValueError, match="stage_alpha"):
        outcome.rejects_at(math.nan)
    for figures in ((math.nan, 0.5, 0.1), (0.0, 0.0, 0.0), (0.0, 0.1, 0.2), (0.0, 1.1, 0.1)):
        with pytest.raises(ArithmeticError, match="cannot be"):
            permutation.PermutationOutcome(
                statistic=figures[0], p_value=figures[1], smallest_p=figures[2], exact=True
            )


def test_planning() -> None:
    assert [permutation.required_runs(0.05, 0.1, d, 50) for d in (0.5, 1, 1.5, 2)] == [
        112,
        11,
        5,
        3,
    ]
    assert permutation.required_runs(1e-3, 0.1, 2, 50) == 6
    assert permutation.required_runs(1e-4, 0.1, 1, 50) == 58
    # separated beyond doubt: as many as make the p-value small enough
    assert permutation.required_runs(1e-4, 0.1, 100, 50) == 3
    with pytest.raises(ValueError, match="m well above 53"):
        permutation.required_runs(0.01, 0.1, 0.5, 50)
    with pytest.raises(ValueError, match="m=1 stored"):
        permutation.required_runs(1e-6, 0.1, 1, 1)
    for arguments in ((0, 0.1, 1, 50), (0.1, 1, 1, 50), (0.1, 0.1, 0, 50), (0.1, 0.1, 1, 0)):
        with pytest.raises(ValueError, match="wanted"):
            permutation.required_runs(*arguments)


@pytest.mark.parametrize(
    ("own", "reference", "better"),
    [
        ([], [1.0], "higher"),
        ([1.0], [], "higher"),
        ([1.0], [math.nan], "higher"),
        ([1.0], [1.0, math.inf], "higher"),
        ([[1.0]], [1.0], "higher"),
        (["a"], [1.0], "higher"),
        ([1.0], [1.0], "bigger"),
    ],
)
def test_refusals(own: Any, reference: Any, better: Any) -> None:
    with pytest.raises(ValueError, match="wanted"):
        mean_test(own, reference, better=better)
    with pytest.raises(ValueError, match="resamples"):
        mean_test([1.0], [1.0], better="higher", resamples=0)
