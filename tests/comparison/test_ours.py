"""Our own kinds as schemes: they decide as the grader does, and take what it takes."""

import numpy as np
import pytest

from harness.comparison.gradings import Entrant, tally
from harness.comparison.ours import OursOnDraws, OursOnRuns, PermutationOnRuns
from harness.comparison.pools import RunPool
from harness.spec.checks import DistributionCheck, IndependenceCheck, UnbiasedCheck

COMMON = {"measurement": "own", "metric": "noise", "points": 1}
RATES = {"stage_alpha": 1e-3, "beta": 0.01, "dimensions": 3}
CHECKS = [
    UnbiasedCheck(id="mean", kind="unbiased", min_detectable=0.2, **COMMON, **RATES),
    DistributionCheck(
        id="law", kind="distribution", law="normal", min_detectable=0.1, **COMMON, **RATES
    ),
    IndependenceCheck(id="apart", kind="independence", min_detectable=0.2, **COMMON, **RATES),
]
BROKEN = {
    "mean": lambda draws: draws + 0.5,
    "law": lambda draws: draws * 1.5,
    "apart": lambda draws: draws[:, :1] + 0.1 * draws,
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_draws_pass_in_one_stage_and_fail_in_two(check, rng):
    scheme = OursOnDraws(check, 4000)
    draws = rng.standard_normal((scheme.own, 3))
    found = scheme.judge(draws, np.empty(0), rng)
    assert (found.passes, found.used) == (True, 4000)
    found = scheme.judge(BROKEN[check.id](draws), np.empty(0), rng)
    assert (found.passes, found.used) == (False, scheme.own)
    assert scheme.nominal == pytest.approx(1e-6)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_two_stages_both_have_to_reject(check, rng):
    scheme = OursOnDraws(check, 4000)
    draws = rng.standard_normal((scheme.own, 3))
    draws[:4000] = BROKEN[check.id](draws[:4000])
    found = scheme.judge(draws, np.empty(0), rng)
    assert (found.passes, found.used) == (True, 8000)


def test_draws_that_are_not_finite_fail(rng):
    scheme = OursOnDraws(CHECKS[0], 4000)
    draws = rng.standard_normal((8000, 3))
    draws[[5, 4005], 1] = np.nan
    assert not scheme.grade(draws, np.empty(0), rng)


def test_looks_take_further_draws(rng):
    """A spread twice the honest one is not accepted at the first look."""
    check = UnbiasedCheck(
        id="mean", kind="unbiased", min_detectable=0.2, looks=4, **COMMON, **RATES
    )
    scheme = OursOnDraws(check, 1000)
    assert scheme.own == 8000
    honest = scheme.judge(rng.standard_normal((8000, 3)), np.empty(0), rng)
    noisy = scheme.judge(2 * rng.standard_normal((8000, 3)), np.empty(0), rng)
    assert honest.passes
    assert honest.used < noisy.used


def test_runs_stop_early_both_ways(learns, rng):
    scheme = OursOnRuns(learns)
    good = scheme.judge(np.full(20, 200.0), np.empty(0), rng)
    bad = scheme.judge(np.full(20, 20.0), np.empty(0), rng)
    assert good.passes
    assert not bad.passes
    assert max(good.used, bad.used) < 10
    broken = scheme.judge(np.full(20, np.nan), np.empty(0), rng)
    assert broken == bad
    with pytest.raises(ValueError, match="wanted 20"):
        scheme.judge(np.full(19, 200.0), np.empty(0), rng)


def test_seeds_for_the_leaderboard_are_no_part_of_a_grading(learns, rng):
    shown = learns.model_copy(update={"leaderboard": True, "leaderboard_seeds": 12})
    values = np.full(20, 200.0)
    seen = [OursOnRuns(check).judge(values, np.empty(0), rng) for check in (learns, shown)]
    assert seen[0] == seen[1]


@pytest.mark.parametrize("success", [0.95, 0.7, 0.4])
def test_runs_are_failed_at_the_exact_rate(success, learns, band, rng):
    """What is counted over 4,000 gradings is what the dynamic programme says."""
    scheme = OursOnRuns(learns)
    pool = RunPool.of(
        np.repeat([200.0, 20.0], [round(1000 * success), round(1000 - 1000 * success)])
    )
    (found,) = tally([Entrant(scheme)], pool, 4000, rng)
    exact = scheme.exact(pool.values)
    assert found.gradings - found.passed in band(4000, exact)
    if success == 0.95:
        assert exact <= 3e-6
    if success == 0.4:
        assert exact >= 0.95
    if success == 0.7:
        assert 0 < found.undecided < 4000  # counted as not failed, and said


def test_a_permutation_of_a_fixed_number_passes_what_is_alike_and_fails_what_is_worse(rng):
    scheme = PermutationOnRuns(5, 50, "higher")
    reference = rng.normal(180, 10, 50)
    assert scheme.grade(rng.normal(180, 10, 5), reference, rng)
    assert not scheme.grade(rng.normal(120, 10, 5), reference, rng)
    assert not scheme.grade(np.full(5, np.nan), reference, rng)
    assert scheme.grade(np.full(5, 500.0), reference, rng)  # better is never worse
    lower = PermutationOnRuns(5, 50, "lower")
    assert not lower.grade(np.full(5, 500.0), reference, rng)


def test_a_permutation_fails_honest_work_at_its_rate(band, rng):
    scheme = PermutationOnRuns(3, 20, "higher", alpha=0.05)
    pool = RunPool.of(rng.normal(size=4000))
    (found,) = tally([Entrant(scheme, pool)], pool, 2000, rng)
    assert found.gradings - found.passed in band(2000, 0.05)
