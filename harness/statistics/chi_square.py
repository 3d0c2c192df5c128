"""Whether categories are drawn with their declared probabilities: Pearson's chi-square."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.statistics import laws
from harness.statistics.inputs import (
    EPS64,
    ROUNDING,
    Floats,
    Ints,
    Summary,
    finite_array,
    positive,
    probability,
    real_array,
    shaped,
    stored,
    whole,
)
from harness.statistics.outcome import Reason, StageOutcome

#: Categories are pooled until each is expected this often, or more: see :func:`least_expected`.
LEAST_EXPECTED = 5.0
#: By how much the chi-square law may fall short of the tail of a rare category's count.
_GROWTH = 4.0


def summarise_counts(samples: ArrayLike, categories: int) -> dict[str, NDArray[np.generic]]:
    """How often each of k categories was drawn.

    Args:
        samples: "n d", category indices 0 to k - 1, as integers or as whole floats.
        categories: k >= 1.

    Returns:
        ``counts`` "d k"; ``outside`` "d", how many draws are no category at all: negative, k or
        more, not whole, NaN or infinite.

    Raises:
        ValueError: another number of axes, no draw, no coordinate, not real.
    """
    x = shaped("samples", samples, "n d", least=(1, 1))
    k = whole("categories", categories, least=1)
    inside = (x >= 0) & (x < k) & (np.floor(x) == x)
    index = np.where(inside, x, k).astype(np.int64)
    table = np.stack([np.bincount(column, minlength=k + 1) for column in index.T])
    return {"counts": table[:, :k].astype(np.int64), "outside": table[:, k].astype(np.int64)}


def summarise_table(counts: ArrayLike) -> dict[str, NDArray[np.generic]]:
    """The same summary from counts "d k" that were already taken.

    Raises:
        ValueError: another number of axes, or counts that are not whole and >= 0.
    """
    table = shaped("counts", counts, "d k", least=(1, 1))
    if not (np.isfinite(table).all() and (table >= 0).all() and (np.floor(table) == table).all()):
        raise ValueError("counts hold entries that are not whole numbers >= 0")
    return {"counts": table.astype(np.int64), "outside": np.zeros(len(table), dtype=np.int64)}


@lru_cache(maxsize=256)
def least_expected(tail: float) -> float:
    """How often each category must be expected for a chi-square test at this level.

    The count of a rare category is near Poisson's, whose upper tail is longer than the normal one:
    expected 5 times it exceeds the critical value of 2e-5 with 11 times that probability, that of
    2e-7 with 99 times. From here on it does with at most 4 times: 5 down to a level of 2e-3, then
    8 at 2e-4, 25 at 2e-5 and 101 at 2e-7. Exact size of two categories, over shares of .005 to .5
    and numbers from the least on: at most 4.35 times the level.

    Raises:
        ValueError: ``tail`` not in (0, 1).
    """
    z = laws.normal_critical(probability("tail", tail) / 2)
    expected = np.arange(LEAST_EXPECTED, LEAST_EXPECTED + 3 * max(z, 2.0) ** 6 / 36)
    beyond = np.floor(expected + z * np.sqrt(expected)) + 1
    short = expected[laws.poisson_tail(beyond, expected) > _GROWTH * tail]
    return float(short.max()) + 1 if short.size else LEAST_EXPECTED


def pooled_cells(probabilities: Floats, n: int, least: float = LEAST_EXPECTED) -> Ints:
    """The pool that each of k categories is counted in, "k"; -1 where the probability is 0.

    All categories expected fewer than ``least`` times form one pool; while that is itself expected
    fewer times, the next likelier category joins it (ties: the lower index first). The rule looks
    at probabilities and n only, never at counts, so it cannot favour a result.
    """
    expected = n * probabilities
    order = np.argsort(probabilities, kind="stable")
    order = order[probabilities[order] > 0]
    rare = int((expected[order] < least).sum())
    while 0 < rare < order.size and expected[order[:rare]].sum() < least:
        rare += 1
    pools = np.full(probabilities.size, -1, dtype=np.int64)
    pools[order] = np.maximum(np.arange(order.size) - max(rare - 1, 0), 0)
    return pools


def chi_square_stage(
    summary: Summary, probabilities: ArrayLike, stage_alpha: float
) -> StageOutcome:
    """One stage: is any coordinate's table too far from its probabilities?

    Pearson's statistic over the pools of :func:`pooled_cells` against chi-square at stage_alpha/d;
    each pool is expected as often as that level needs (:func:`least_expected`).
    A draw outside the categories, or in one of probability 0, rejects outright. A coordinate with
    a single possible category has nothing further to test.

    No rejection means: no coordinate shows an effect of the size that
    :func:`chi_square_required_n` was asked about; shifts inside a pool are invisible. The smallest
    n at which a rejection is possible is where even the rarest pool taking all n draws,
    n (1 - q)/q, exceeds the critical value: 11 for two equal categories at 1e-3. Below it the
    stage refuses. Measured size at a nominal .01 and .001 (100,000 stages, d = 1): 8 equal
    categories, n = 200: .0102, .0011; seven from .5 down to .01, n = 500, the rarest expected 5
    times: .0114, .0013 (the chi-square approximation); n = 5,000: .0106, .0012.

    Args:
        summary: from :func:`summarise_counts` or :func:`summarise_table`.
        probabilities: "d k", >= 0, each row summing to one within 16·eps·k.
        stage_alpha: false rejection rate of this stage, over all coordinates.

    Raises:
        ValueError: a summary that does not fit; rows that are not probabilities; stage_alpha not
            in (0, 1); too few draws for two pools or for a rejection.
        ArithmeticError: a figure came out NaN.
    """
    counts = stored(summary, "counts", ndim=2)
    outside = stored(summary, "outside", ndim=1)
    if counts.dtype.kind not in "iu" or outside.shape != counts.shape[:1]:
        raise ValueError(
            f"summary has counts of dtype {counts.dtype} and shape {counts.shape}, outside of "
            f"shape {outside.shape}; wanted integers (d, k) and (d,)"
        )
    law = _checked_law(probabilities, counts.shape)
    tail = laws.split(stage_alpha, len(counts))
    rows = [_row(*row, tail) for row in zip(counts, outside, law, strict=True)]
    worst = min(range(len(rows)), key=lambda j: (rows[j][2], -rows[j][0]))
    statistic, critical, p = rows[worst]
    reason: Reason = "none"
    if statistic > critical:
        reason = "statistic" if math.isfinite(statistic) else "impossible"
    return StageOutcome(
        rejects=statistic > critical,
        statistic=statistic,
        critical=critical,
        p_value=min(1.0, len(rows) * p),
        coordinate=worst,
        reason=reason,
    )


def _checked_law(probabilities: ArrayLike, shape: tuple[int, ...]) -> Floats:
    law = finite_array("probabilities", real_array("probabilities", probabilities), shape)
    if (law < 0).any():
        raise ValueError(f"probabilities hold {law.min()}; wanted >= 0")
    totals = np.array([math.fsum(row) for row in law.tolist()])
    if (np.abs(totals - 1) > ROUNDING * EPS64 * law.shape[1]).any():
        raise ValueError(f"rows of probabilities sum to {totals.tolist()}; wanted 1")
    return law


def _row(counts: Ints, outside: np.int64, law: Floats, tail: float) -> tuple[float, float, float]:
    """Statistic, critical value and tail probability of one coordinate."""
    n = int(counts.sum()) + int(outside)
    if n < 1:
        raise ValueError("a coordinate has no draws; wanted at least one")
    least = least_expected(tail)
    pools = pooled_cells(law, n, least)
    possible = pools >= 0
    impossible = int(outside) + int(counts[~possible].sum())
    if possible.sum() == 1:
        return (math.inf, 0.0, 0.0) if impossible else (0.0, 0.0, 1.0)
    width = int(pools.max()) + 1
    if width == 1:
        # two pools: one of the likeliest category, if that is not expected too often itself
        wanted = math.ceil(least / min(law.max(), 1 - law.max()) - 1e-9)
        raise ValueError(
            f"{n} draws leave a single pool of categories; wanted two or more, as {wanted} would"
        )
    expected = n * np.bincount(pools[possible], weights=law[possible])
    critical = laws.chi_square_critical(tail, width - 1)
    largest = (n - expected.min()) * n / expected.min()
    if largest <= critical:
        raise ValueError(f"{n} draws reach {largest:.3g} at most; a rejection needs {critical:.3g}")
    if impossible:
        return math.inf, critical, 0.0
    observed = np.bincount(pools[possible], weights=counts[possible])
    statistic = float(((observed - expected) ** 2 / expected).sum())
    return statistic, critical, laws.chi_square_tail(statistic, width - 1)


def chi_square_required_n(
    stage_alpha: float, beta: float, min_detectable: float, categories: int, dimensions: int = 1
) -> int:
    """Draws a stage needs to find an effect w with probability ``1 - beta``.

    From the noncentral chi-square law with noncentrality n·w². Measured power with 6 equal
    categories, w = .3, stage_alpha .01, beta .05, n = 287: .955 (20,000 stages). At least so many
    that equal categories need not be pooled, which would change w, and that a rejection is
    possible; where categories are unequal, the rarest should still be expected
    :func:`least_expected` times.

    Args:
        stage_alpha: false rejection rate of one stage.
        beta: miss probability of one stage (see ``two_stage.stage_beta``), below 1 - stage_alpha.
        min_detectable: Cohen's w = √(Σ (q - p)²/p) over the categories, > 0.
        categories: number of categories with positive probability, >= 2.
        dimensions: number of coordinates, >= 1.

    Raises:
        ValueError: an argument out of range.
    """
    tail = laws.split(stage_alpha, dimensions)
    df = whole("categories", categories, least=2) - 1
    if probability("beta", beta) >= 1 - tail:
        raise ValueError(f"beta is {beta}; a test at {tail} misses no more than {1 - tail}")
    noncentrality = laws.chi_square_noncentrality(tail, df, beta)
    found = math.ceil(noncentrality / positive("min_detectable", min_detectable) ** 2)
    unpooled = math.ceil((df + 1) * least_expected(tail))
    possible = math.floor(laws.chi_square_critical(tail, df) / df) + 1
    return max(found, unpooled, possible)
