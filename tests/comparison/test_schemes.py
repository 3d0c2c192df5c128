"""The four schemes: each can pass and can fail, their odd cases, and their published rates."""

import numpy as np
import pytest
from scipy import stats

from harness.comparison.gradings import Entrant, rates, spread
from harness.comparison.pools import RunPool
from harness.comparison.schemes import (
    AllCloseDraws,
    AllCloseRuns,
    AllSeeds,
    ConvergencePoints,
    WelchDraws,
    WelchRuns,
    share_of_best,
    welch_t,
)

GOOD, BAD = np.full(20, 200.0), np.full(20, 20.0)
STORED = 200.0 - np.arange(20) % 3
ON_RUNS = [
    AllCloseRuns(5),
    AllSeeds(2, 150.0, "higher"),
    AllSeeds(3, 150.0, "higher"),
    WelchRuns(5, 20, "higher"),
    ConvergencePoints(5, "higher"),
]


def by_name(scheme):
    return scheme.name


@pytest.mark.parametrize("scheme", ON_RUNS, ids=by_name)
def test_runs_pass_and_fail(scheme, rng):
    assert scheme.grade(STORED, STORED, rng)
    assert not scheme.grade(BAD, STORED, rng)


@pytest.mark.parametrize("scheme", [*ON_RUNS[1:]], ids=by_name)
def test_the_other_side_is_better_where_the_spec_says_so(scheme, rng):
    mirrored = {"better": "lower"}
    if isinstance(scheme, AllSeeds):
        mirrored["threshold"] = -150.0
    other = type(scheme)(**{**vars(scheme), **mirrored})
    assert other.grade(-GOOD, -STORED, rng)
    assert not other.grade(-BAD, -STORED, rng)
    if not isinstance(scheme, AllSeeds):
        assert scheme.grade(GOOD + 1000, STORED, rng)


@pytest.mark.parametrize("scheme", ON_RUNS[:4], ids=by_name)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_run_that_is_not_finite_fails(scheme, wrong, rng):
    own = STORED.copy()
    own[1 if scheme.own > 1 else 0] = wrong
    assert not scheme.grade(own, STORED, rng)


def test_convergence_points_forgive_one_run_that_broke(rng):
    scheme, own = ConvergencePoints(5, "higher"), STORED.copy()
    own[2] = np.nan
    assert scheme.grade(own, STORED, rng)
    own[3] = np.inf
    assert not scheme.grade(own, STORED, rng)


@pytest.mark.parametrize("scheme", ON_RUNS, ids=by_name)
def test_too_few_or_broken_input_is_refused(scheme, rng):
    with pytest.raises(ValueError, match=r"units of the program are given; wanted"):
        scheme.grade(STORED[: scheme.own - 1], STORED, rng)
    if scheme.reference:
        with pytest.raises(ValueError, match=r"units of the reference are given; wanted"):
            scheme.grade(STORED, STORED[: scheme.reference - 1], rng)
        with pytest.raises(ValueError, match="not finite"):
            scheme.grade(STORED, np.full(20, np.nan), rng)


def test_arguments_out_of_range_are_refused():
    for make in (
        lambda: AllSeeds(0, 1.0, "higher"),
        lambda: AllSeeds(2, np.nan, "higher"),
        lambda: WelchRuns(1, 20, "higher"),
        lambda: WelchRuns(5, 1, "higher"),
        lambda: WelchRuns(5, 20, "higher", 0.0),
        lambda: WelchDraws(1, 5),
        lambda: WelchDraws(5, 5, 1.0),
        lambda: ConvergencePoints(2, "higher"),
        lambda: ConvergencePoints(5, "higher", 2.0),
        lambda: share_of_best(0.0, 500.0, 1.5),
        lambda: share_of_best(0.0, np.inf, 0.98),
    ):
        with pytest.raises(ValueError, match="wanted"):
            make()


def test_without_spread_equal_passes_and_worse_fails(rng):
    welch, points = WelchRuns(5, 20, "higher"), ConvergencePoints(5, "higher")
    for scheme in (welch, points):
        assert scheme.grade(GOOD, GOOD, rng)
        assert scheme.grade(GOOD + 1, GOOD, rng)
        assert not scheme.grade(GOOD - 1e-6, GOOD, rng)
    draws = WelchDraws(10, 10)
    assert draws.grade(np.ones((10, 2)), np.ones((10, 2)), rng)
    assert not draws.grade(np.ones((10, 2)), np.ones((10, 2)) + 1e-6, rng)


def test_npfl139_threshold_of_cart_pole():
    assert share_of_best(0.0, 500.0, 490 / 500) == pytest.approx(490.0)
    assert share_of_best(5.0, 4.0, 0.98) == pytest.approx(4.02)  # lower is better


def test_allclose_wants_the_same_numbers(rng):
    scheme, draws = AllCloseDraws(100), rng.standard_normal((100, 3))
    assert scheme.grade(draws, draws, rng)
    assert scheme.grade(draws * (1 + 5e-6), draws, rng)
    assert not scheme.grade(draws * (1 + 2e-5), draws, rng)
    assert not scheme.grade(rng.permutation(draws), draws, rng)  # as honest, in another order
    broken = draws.copy()
    broken[7, 1] = np.nan
    assert not scheme.grade(broken, draws, rng)
    with pytest.raises(ValueError, match="shape"):
        scheme.grade(draws[:, :2], draws, rng)


def test_welch_agrees_with_scipy(rng):
    own, stored = rng.standard_normal((40, 1)) + 0.3, 2 * rng.standard_normal((60, 1))
    p = float(stats.ttest_ind(own, stored, equal_var=False).pvalue[0])
    for alpha, passes in ((p * 1.001, False), (p * 0.999, True)):
        assert WelchDraws(40, 60, alpha).grade(own, stored, rng) is passes
    own, stored = own[:5, 0] - 1, stored[:50, 0]
    p = float(stats.ttest_ind(own, stored, equal_var=False, alternative="less").pvalue)
    for alpha, passes in ((p * 1.001, False), (p * 0.999, True)):
        assert WelchRuns(5, 50, "higher", alpha).grade(own, stored, rng) is passes


def test_welch_has_no_unit(rng):
    """Runs that diverge come to values whose squares are no doubles."""
    own, stored = rng.standard_normal(5) - 1.0, rng.standard_normal(50)
    own[0] = -40.0  # the spread that makes the others pass
    for unit in (1e-200, 1e-100, 1.0, 1e100, 1e200):
        t, df = welch_t(own * unit, stored * unit)
        wanted = stats.ttest_ind(own, stored, equal_var=False)
        assert (float(t), float(df)) == pytest.approx((wanted.statistic, wanted.df), rel=1e-12)
        assert WelchRuns(5, 50, "higher").grade(own * unit, stored * unit, rng)


def test_convergence_points_agree_with_the_pooled_t_test(rng):
    """The limit is where the test of rcp_checker.py, from summary statistics, reaches 5 %."""
    stored = rng.normal(10.0, 2.0, 10)
    mean, sd = np.sort(stored)[1:-1].mean(), stored.std()

    def p(limit):  # N - 2 = 3 and 2N - 2 = 8 runs left, either side with the stored spread
        return stats.ttest_ind_from_stats(limit, sd, 3, mean, sd, 8, alternative="less").pvalue

    low, high = mean - 10 * sd, mean
    for _ in range(60):
        low, high = (
            (low, (low + high) / 2) if p((low + high) / 2) > 0.05 else ((low + high) / 2, high)
        )
    scheme = ConvergencePoints(5, "higher")
    for shift, passes in ((1e-6, True), (-1e-6, False)):
        own = np.array([-50.0, 1.0, 0.0, -1.0, 50.0]) + high + shift
        assert scheme.grade(own, stored, rng) is passes


def test_all_seeds_fails_one_honest_learner_in_seven(band, rng):
    """1 - .95³ = .143 at k = 3, .0975 at k = 2; 20,000 gradings each."""
    pool = RunPool.of(np.repeat([200.0, 20.0], [950, 50]))
    for seeds in (2, 3):
        scheme = AllSeeds(seeds, 150.0, "higher")
        passed, gradings = rates(scheme, pool, None, 20_000, rng)
        assert gradings - passed in band(gradings, 1 - 0.95**seeds)
        assert scheme.exact(pool.values) == pytest.approx(1 - 0.95**seeds)


@pytest.mark.parametrize("stored_runs", [10, 50])
def test_welch_on_runs_keeps_five_percent_on_average(stored_runs, band, normal_runs, rng):
    """Measured over 20,000 gradings: .0518 (M = 10), .0516 (M = 50); here 5,000."""
    scheme = WelchRuns(5, stored_runs, "higher")
    passed, gradings = rates(scheme, normal_runs(), normal_runs(), 5000, rng)
    assert gradings - passed in band(gradings, 0.048, 0.054)


def test_welch_on_draws_keeps_five_percent_over_six_coordinates(band, fresh, rng):
    passed, gradings = rates(WelchDraws(50, 50), fresh(50, 6), fresh(50, 6), 4000, rng)
    assert gradings - passed in band(gradings, 0.046, 0.054)


def test_welch_finds_a_shift(fresh, rng):
    shifted = fresh(200, 3, draw=lambda shape: rng.normal([0.0, 0.0, 0.5], 1.0, shape))
    passed, _ = rates(WelchDraws(200, 200), shifted, fresh(200, 3), 200, rng)
    assert passed < 10  # power .99


def test_a_crash_turns_welchs_failure_into_a_pass(rng):
    """Not monotone: the design notes' example, at a level of .01."""
    stored = rng.normal(1.0, 0.1, 50)
    scheme = WelchRuns(5, 50, "higher", 0.01)
    assert not scheme.grade(np.array([0.86, 0.87, 0.86, 0.85, 0.86]), stored, rng)
    assert scheme.grade(np.array([0.86, 0.87, 0.86, 0.85, 0.40]), stored, rng)


@pytest.mark.parametrize(("runs", "rate"), [(3, 0.0143), (5, 0.0357), (10, 0.0450)])
def test_convergence_points_fail_identical_code(runs, rate, band, normal_runs, rng):
    """The rates are those of 100,000 stored references against 10^6 gradings each."""
    scheme = ConvergencePoints(runs, "higher")
    passed, gradings = rates(scheme, normal_runs(), normal_runs(), 10_000, rng)
    assert gradings - passed in band(gradings, rate)


def test_convergence_points_depend_on_the_stored_reference(normal_runs, rng):
    """5th and 95th percentile at N = 5: 0 and .168; here of 150 references, 500 gradings each."""
    entrant = Entrant(ConvergencePoints(5, "higher"), normal_runs())
    failed = spread(entrant, normal_runs(), 150, 500, rng)
    low, high = np.quantile(failed, [0.05, 0.95])
    assert low <= 0.002
    assert 0.10 <= high <= 0.24  # sampling sd of a 95th percentile of 150: .03
    assert 0.025 <= failed.mean() <= 0.05


def test_grading_is_a_pure_function(rng):
    own, stored = rng.standard_normal(20), rng.standard_normal(20)
    before = own.copy(), stored.copy()
    for scheme in ON_RUNS:
        said = [scheme.judge(own, stored, np.random.default_rng(seed)) for seed in (1, 2)]
        assert said[0] == said[1]
        assert said[0].used == scheme.own
    assert np.array_equal(before[0], own)
    assert np.array_equal(before[1], stored)
