"""Whether a fixed number of runs are worse, on average, than stored runs: a permutation test.

If both come from one law, every choice of K among the K + M runs is as likely as the one that was
made (Pitman 1937), so the test is exact for every law. A run that gets better never makes the
p-value smaller, which Welch's test does not promise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.statistics import laws
from harness.statistics.inputs import Floats, finite_array, positive, probability, shaped, whole

Better = Literal["higher", "lower"]

#: Partial sums that are held at once for an exact p-value; beyond them choices are drawn.
MOST_SUMS = 500_000
#: The largest number of runs that :func:`required_runs` looks for.
MOST_RUNS = 1000
#: Whole numbers below this add up in int64; larger ones are Python's.
_INT64_SUMS = 2**62
_DRAWN_AT_ONCE = 4096


@dataclass(frozen=True, kw_only=True)
class PermutationOutcome:
    """How the mean of a program's runs stands among all choices of as many runs.

    Attributes:
        statistic: by how much the program's mean is worse than the reference's, in the unit of the
            metric; infinite where a run is not finite, negative where the program is better.
        p_value: share of the choices whose mean is at most as good as the program's, in (0, 1].
        smallest_p: the smallest p-value that could have come out.
        exact: whether all choices were counted; otherwise some were drawn.

    Raises:
        ArithmeticError: a figure that cannot be; an error of the grader, never a verdict.
    """

    statistic: float
    p_value: float
    smallest_p: float
    exact: bool

    def __post_init__(self) -> None:
        if math.isnan(self.statistic) or not 0 < self.smallest_p <= self.p_value <= 1:
            raise ArithmeticError(f"a permutation test came to figures that cannot be: {self}")

    def rejects_at(self, stage_alpha: float) -> bool:
        """Whether the runs are worse at this false rejection rate.

        Raises:
            ValueError: ``stage_alpha`` not in (0, 1), or below ``smallest_p``: no runs whatever
                could have been rejected.
        """
        if probability("stage_alpha", stage_alpha) < self.smallest_p:
            raise ValueError(
                f"stage_alpha is {stage_alpha}; wanted at least {self.smallest_p}, the smallest "
                "p-value of this test"
            )
        return self.p_value <= stage_alpha


def mean_test(
    own: ArrayLike,
    reference: ArrayLike,
    *,
    better: Better,
    rng: np.random.Generator | None = None,
    resamples: int = 99_999,
) -> PermutationOutcome:
    """One-sided permutation test: is the mean of the program's runs worse than the reference's?

    The sums are compared without rounding, as whole multiples of one power of two. All choices are
    counted (by the sums of both halves of the runs) where that takes at most MOST_SUMS sums:
    K = 5 to M = 67, K = 10 to M = 28. Otherwise ``resamples`` of them are drawn, and the p-value
    is (1 + as bad) / (1 + resamples), never 0.

    The law of the runs must be one if the program is right; equal means of different laws are
    another hypothesis. No rejection means that K runs of such spread do not show a shortfall: with
    K = 5, M = 50, learners that succeed .6, .3, .05 of the time where the reference's do .85
    (failures uniform below .8 of the success) are rejected with .13, .43, .85 at .01 (500 tests
    each). One run against M is judged by its rank.

    Measured size at .05, .01, .001, K = 3, M = 20 (10,000 tests): normal .048, .0094, .0010;
    skewed (minus a squared exponential) .049, .0091, .0011; bimodal .050, .0104, .0008; Cauchy
    .047, .0081, .0005. It is the size over programs *and* references: for the one reference that is
    stored it may be larger or smaller. Ties count against rejecting: with 85 % of the runs at one
    ceiling .029, .0016, .0002.

    Args:
        own: "k", k >= 1; a run that is not finite counts as worse than every finite one.
        reference: "m", m >= 1, finite.
        better: which values of the metric are better.
        rng: what draws the choices; wanted only where not all are counted.
        resamples: how many, >= 1; ten over the smallest rate that is asked for is enough.

    Raises:
        ValueError: no run, a reference that is not finite, no rng where one is wanted.
    """
    if better not in ("higher", "lower"):
        raise ValueError(f"better is {better!r}; wanted 'higher' or 'lower'")
    runs = shaped("own", own, "k", least=(1,))
    stored = shaped("reference", reference, "m", least=(1,))
    stored = finite_array("reference", stored, stored.shape)
    drawn = whole("resamples", resamples, least=1)
    sign = 1.0 if better == "higher" else -1.0
    pool, size = _smaller_side(_whole_numbers(sign * runs, sign * stored), runs.size)
    exact = counted(runs.size, stored.size)
    if exact:
        p_value = _as_low(pool, size) / math.comb(pool.size, size)
        smallest = smallest_p(runs.size, stored.size)
    elif rng is None:
        raise ValueError(
            f"{runs.size} and {stored.size} runs have too many choices to count; wanted an rng"
        )
    else:
        p_value = (1 + _drawn_as_low(pool, size, rng, drawn)) / (1 + drawn)
        smallest = 1 / (1 + drawn)
    return PermutationOutcome(
        statistic=_shortfall(sign * runs, sign * stored),
        p_value=p_value,
        smallest_p=smallest,
        exact=exact,
    )


def _shortfall(runs: Floats, stored: Floats) -> float:
    if not np.isfinite(runs).all():
        return math.inf
    # by halves: rounded up, shares of the largest float would add up to more than it
    halves = (math.fsum(values / (2 * values.size)) for values in (stored, runs))
    return 2 * (next(halves) - next(halves))


def _whole_numbers(runs: Floats, stored: Floats) -> NDArray[Any]:
    """Both, own runs first, as whole numbers whose sums compare as the values' do.

    Runs that are not finite become one number, so low that a choice with more of them has the
    smaller sum.
    """
    ratios = [x.as_integer_ratio() if math.isfinite(x) else None for x in [*runs, *stored]]
    unit = max(ratio[1] for ratio in ratios if ratio)
    scaled = [ratio and ratio[0] * (unit // ratio[1]) for ratio in ratios]
    least = min(x for x in scaled if x is not None)
    most = max(x for x in scaled if x is not None)
    crashed = -len(runs) * (most - least) - 1
    numbers = [crashed if x is None else x - least for x in scaled]
    small = max(map(abs, numbers)) * len(numbers) < _INT64_SUMS
    return np.array(numbers, dtype=np.int64 if small else object)


def _smaller_side(numbers: NDArray[Any], k: int) -> tuple[NDArray[Any], int]:
    """The same test from its smaller side: own runs are low just as the others are high."""
    if 2 * k <= numbers.size:
        return numbers, k
    return -np.roll(numbers, -k), numbers.size - k


def counted(k: int, m: int) -> bool:
    """Whether :func:`mean_test` counts all choices of k among k + m."""
    larger, size = (k + m + 1) // 2, min(k, m)
    return sum(math.comb(larger, taken) for taken in range(size + 1)) <= MOST_SUMS


def _as_low(pool: NDArray[Any], size: int) -> int:
    """How many choices of ``size`` have a sum of at most that of the first ``size``."""
    observed = pool[:size].sum()
    left, right = (_sums(half, size) for half in np.array_split(pool, 2))
    pairs = zip(left, reversed(right), strict=True)
    return sum(int(np.sort(b).searchsorted(observed - a, "right").sum()) for a, b in pairs)


def _sums(values: NDArray[Any], most: int) -> list[NDArray[Any]]:
    """Entry j: the sums of all choices of j of the values."""
    sums = [np.zeros(int(j == 0), dtype=values.dtype) for j in range(most + 1)]
    for value in values:
        for j in range(most, 0, -1):
            sums[j] = np.concatenate([sums[j], sums[j - 1] + value])
    return sums


def _drawn_as_low(pool: NDArray[Any], size: int, rng: np.random.Generator, resamples: int) -> int:
    observed, count = pool[:size].sum(), 0
    for start in range(0, resamples, _DRAWN_AT_ONCE):
        rows = min(_DRAWN_AT_ONCE, resamples - start)
        chosen = rng.random((rows, pool.size)).argpartition(size - 1, axis=1)[:, :size]
        count += int((pool[chosen].sum(axis=1) <= observed).sum())
    return count


def smallest_p(k: int, m: int) -> float:
    """The p-value of k runs all worse than all m stored ones: 1 / C(k + m, k).

    5.6e-4 for 3 and 20, 4.3e-5 for 3 and 50, 2.9e-7 for 5 and 50. Rates below it never reject.

    Raises:
        ValueError: k or m below 1.
    """
    own, stored = whole("k", k, least=1), whole("m", m, least=1)
    return 1 / math.comb(own + stored, own)


def required_runs(stage_alpha: float, beta: float, min_detectable: float, m: int) -> int:
    """Own runs that find a shortfall against m stored ones with probability ``1 - beta``.

    By the power of the pooled t-test on normal runs, which the permutation test on means has too:
    5 for (.01, .1, 2 sd, m = 20) have .924, simulated .925; 8 for (.01, .1, 1.5, 30) .903 and .919;
    6 for (1e-3, .1, 2, 50) .909 and .909 (1,500 tests each). The normal formula
    1/k + 1/m = (effect / (z_alpha + z_beta))² says 1 to 2 fewer, and 7 fewer where m is barely
    enough (58 for 1e-4, .1, 1 sd, m = 50).

    Args:
        stage_alpha: false rejection rate.
        beta: miss probability.
        min_detectable: the shortfall, in standard deviations of one run, > 0.
        m: number of stored runs, >= 1.

    Raises:
        ValueError: an argument out of range; or no number of runs up to MOST_RUNS is enough,
            because m stored runs pin the reference's mean down no better.
    """
    tail, miss = probability("stage_alpha", stage_alpha), probability("beta", beta)
    effect, stored = positive("min_detectable", min_detectable), whole("m", m, least=1)
    first = next((k for k in range(1, MOST_RUNS) if smallest_p(k, stored) <= tail), MOST_RUNS)

    def enough(k: int) -> bool:
        return laws.two_sample_t_power(k, stored, tail, effect) >= 1 - miss

    if not enough(MOST_RUNS):
        least = ((laws.normal_critical(tail) + laws.normal_critical(miss)) / effect) ** 2
        raise ValueError(
            f"no {MOST_RUNS} runs find a shortfall of {effect} against m={stored} stored ones; "
            f"wanted m well above {math.ceil(least)}"
        )
    return laws.smallest(first, enough)
