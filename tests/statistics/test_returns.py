"""Credit for returns and intervals for their mean."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.statistics.returns import full_credit_at, mean_interval, ramp, summarise_returns

finite = st.floats(allow_nan=False, allow_infinity=False)


def test_summary_counts_distinct_trajectories() -> None:
    summary = summarise_returns([1.0, 1.0, 2.0], ["aa", "bb", "aa"])
    assert (summary["n"], summary["distinct"]) == (3, 2)
    assert summary["returns"].tolist() == [1.0, 1.0, 2.0]
    digests = np.array([7, 7, 2**64 - 1], dtype=np.uint64)
    assert summarise_returns([1, 2, 3], digests)["distinct"] == 2


@pytest.mark.parametrize(
    ("returns", "digests"),
    [
        ([], []),
        ([1.0], ["a", "b"]),
        ([np.nan], ["a"]),
        ([np.inf], ["a"]),
        ([1.0], [1.5]),
        ([1.0], np.array([1])),
        (1.0, "a"),
    ],
)
def test_summary_refuses(returns: Any, digests: Any) -> None:
    with pytest.raises(ValueError, match="wanted"):
        summarise_returns(returns, digests)


def test_ramp() -> None:
    assert [ramp(m, 20.0, 220.0) for m in (-5, 20, 120, 220, 500)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert ramp(0.0, -1.7e308, 1.7e308) == 0.5
    assert ramp(1.7e308, -1.7e308, 0.0) == 1.0


@given(finite, finite, finite, finite)
def test_ramp_is_a_credit_and_never_decreases(a: float, b: float, c: float, d: float) -> None:
    low, high = sorted((c, d))
    if low == high:
        return
    credits_ = [ramp(mean, low, high) for mean in sorted((a, b))]
    assert 0 <= credits_[0] <= credits_[1] <= 1
    assert ramp(low, low, high) == 0
    assert ramp(high, low, high) == 1


@pytest.mark.parametrize(
    ("mean", "low", "high"),
    [(math.nan, 0, 1), (math.inf, 0, 1), (0, math.nan, 1), (0, 0, math.inf), (0, 1, 1), (0, 2, 1)],
)
def test_ramp_refuses(mean: float, low: float, high: float) -> None:
    with pytest.raises(ValueError, match="wanted"):
        ramp(mean, low, high)


def test_interval_is_students_where_all_differ() -> None:
    x = np.random.default_rng(80).normal(100, 20, 12)
    seen = mean_interval(x, 12, 0.95)
    wanted = stats.t.interval(0.95, 11, loc=x.mean(), scale=stats.sem(x))
    assert seen == pytest.approx(wanted)
    assert mean_interval(np.repeat(x, 5), 12, 0.95) == pytest.approx(wanted)


# 4,000 intervals at .95; the exponential law's .919 is the known shortfall of Student's interval.
@pytest.mark.parametrize(
    ("law", "n", "repeats", "coverage"),
    [("normal", 5, 1, 0.95), ("normal", 5, 4, 0.95), ("exponential", 20, 1, 0.919)],
)
def test_coverage(sim: Any, law: str, n: int, repeats: int, coverage: float) -> None:
    rng = np.random.default_rng(81)
    draw, mean = (rng.standard_normal, 0.0) if law == "normal" else (rng.standard_exponential, 1.0)

    def covers() -> bool:
        low, high = mean_interval(np.repeat(draw(n), repeats), n, 0.95)
        return low <= mean <= high

    assert sim.rejections(4000, covers) in sim.band(4000, coverage)


def test_interval_edges() -> None:
    assert mean_interval([500.0] * 4, 4, 0.95) == (500.0, 500.0)
    assert mean_interval([0.1] * 3, 2, 0.95) == (0.1, 0.1)
    low, high = mean_interval([1.7e308, -1.7e308], 2, 0.95)
    assert (low, high) == (-math.inf, math.inf)
    assert all(math.isfinite(end) for end in mean_interval([1e300, 2e300, 3e300], 3, 0.95))
    wide, narrow = (mean_interval([1.0, 2.0, 4.0, 8.0], m, 0.95) for m in (2, 4))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize(
    ("returns", "distinct", "confidence"),
    [
        ([1.0, 1.0], 1, 0.95),
        ([1.0], 1, 0.95),
        ([1.0, 2.0], 3, 0.95),
        ([1.0, np.nan], 2, 0.95),
        ([1.0, np.inf], 2, 0.95),
        ([], 2, 0.95),
        ([1.0, 2.0], 2, 1.0),
        ([1.0, 2.0], 2, math.nan),
    ],
)
def test_interval_refuses(returns: Any, distinct: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"wanted|distinct trajectories"):
        mean_interval(returns, distinct, confidence)


# 50,000 programs, each with a stored reference of its own; 1.7e-3 measured with 200,000.
def test_honest_programs_seldom_lose_credit(sim: Any) -> None:
    rng = np.random.default_rng(82)
    runs, k, m, sd = 50_000, 5, 50, 0.15
    references = zip(
        rng.normal(1, sd / math.sqrt(m), runs),
        sd * np.sqrt(rng.chisquare(m - 1, runs) / (m - 1)),
        strict=True,
    )
    limits = np.array([full_credit_at(mean, spread, k, m, 3.09) for mean, spread in references])
    programs = rng.normal(1, sd / math.sqrt(k), runs)
    assert int((programs < limits).sum()) in sim.band(runs, 1.685e-3)


def test_full_credit() -> None:
    assert full_credit_at(1.0, 0.0, 5, 50, 3.0) == 1.0
    assert full_credit_at(10.0, 2.0, 4, 4, 1.0) == pytest.approx(10 - math.sqrt(2))
    for arguments in (
        (math.nan, 1.0, 5, 50, 3.0),
        (1.0, -1.0, 5, 50, 3.0),
        (1.0, math.inf, 5, 50, 3.0),
        (1.0, 1.0, 0, 50, 3.0),
        (1.0, 1.0, 5, 1, 3.0),
        (1.0, 1.0, 5, 50, 0.0),
    ):
        with pytest.raises(ValueError, match="wanted"):
            full_credit_at(*arguments)
