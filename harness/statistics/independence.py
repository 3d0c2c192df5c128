"""Whether the coordinates of draws are uncorrelated: the largest correlation of all pairs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.statistics import laws
from harness.statistics.inputs import (
    EPS64,
    ROUNDING,
    Floats,
    Summary,
    positive,
    probability,
    shaped,
    stored,
    stored_figures,
    stored_size,
    whole,
)
from harness.statistics.outcome import Reason, StageOutcome


def summarise_correlations(samples: ArrayLike) -> dict[str, NDArray[np.generic]]:
    """Pearson's correlation of all pairs of d coordinates.

    Args:
        samples: "n d" with n >= 3 and d >= 2.

    Returns:
        ``n`` (); ``correlation`` "d(d-1)/2" in [-1, 1], the upper triangle row by row: (0, 1),
        (0, 2), …, (d-2, d-1); ``nonfinite`` "d", how many draws are NaN or infinite; ``constant``
        "d", 1 where all draws are equal up to rounding. Pairs with a coordinate of either sort
        have the correlation NaN.

    Raises:
        ValueError: another number of axes, fewer than three draws or two coordinates, not real.
    """
    x = shaped("samples", samples, "n d", least=(3, 2))
    nonfinite = (~np.isfinite(x)).sum(axis=0).astype(np.int64)
    rows = np.where(nonfinite == 0, x, 0.0).T
    exponent = np.frexp(np.abs(rows).max(axis=1))[1]
    unit = np.ldexp(rows, -exponent[:, None])
    deviation = unit - unit[:, :1]
    constant = np.abs(deviation).max(axis=1) <= ROUNDING * EPS64
    usable = (nonfinite == 0) & ~constant
    deviation -= deviation.mean(axis=1, keepdims=True)
    # In units of the largest deviation, so that no square underflows.
    spread = np.abs(deviation).max(axis=1, keepdims=True)
    relative = deviation / np.where(usable[:, None], spread, 1.0)
    norm = np.sqrt((relative**2).sum(axis=1, keepdims=True))
    standard = relative / np.where(usable[:, None], norm, 1.0)
    matrix = np.clip(standard @ standard.T, -1.0, 1.0)
    matrix[~(usable[:, None] & usable[None, :])] = np.nan
    return {
        "n": np.array(x.shape[0], dtype=np.int64),
        "correlation": matrix[np.triu_indices(x.shape[1], k=1)],
        "nonfinite": nonfinite,
        "constant": (constant & (nonfinite == 0)).astype(np.int64),
    }


def correlation_stage(summary: Summary, stage_alpha: float) -> StageOutcome:
    """One two-sided stage: is any pair of coordinates correlated?

    The largest |r| √((n-2)/(1-r²)) against Student's law with n - 2 degrees of freedom at
    stage_alpha/(2·pairs), exact for normal draws. A draw that is not finite rejects, and so does a
    coordinate that never varies: nothing can be said about its independence.

    No rejection means: no pair has a correlation much above the critical one. Uncorrelated is not
    independent, and dependence between successive draws is not looked at. A rejection is possible
    from n = 3 on. Measured size at a nominal .01 (20,000 stages, d = 4): normal, n = 100: .0090;
    exponential (skewness 2), n = 100: .0189, n = 500: .0119, n = 2,000: .0107: skewed laws
    want n >= 500; Cauchy, d = 2, n = 1,000: .0146.

    Args:
        summary: from :func:`summarise_correlations`; ``coordinate`` of the outcome is the index
            of the pair, see :func:`pair_of`; for draws that are not finite or never vary, of the
            first pair with such a coordinate.
        stage_alpha: false rejection rate of this stage, over all pairs.

    Raises:
        ValueError: a summary that does not fit, stage_alpha not in (0, 1).
        ArithmeticError: a figure came out NaN.
    """
    n = stored_size(summary, least=3)
    finite = np.asarray(stored(summary, "nonfinite", ndim=1) == 0)
    varies = np.asarray(stored(summary, "constant", ndim=1) == 0)
    if finite.size <= 1 or varies.shape != finite.shape:
        raise ValueError(f"summary has {finite.size} and {varies.size} coordinates; wanted d >= 2")
    left, right = np.triu_indices(finite.size, k=1)
    pair_finite = finite[left] & finite[right]
    usable = pair_finite & varies[left] & varies[right]
    r = stored_figures(summary, "correlation", usable)
    if (np.abs(r[usable]) > 1).any():
        raise ValueError("summary entry 'correlation' exceeds 1")
    tail = laws.split(stage_alpha, r.size) / 2
    critical = laws.t_critical(tail, n - 2)
    statistic = _t_of_correlation(np.where(usable, r, 1.0), n)
    untested = np.where(pair_finite, usable.astype(np.int64), -1)
    worst = int(statistic.argmax() if usable.all() else untested.argmin())
    t = float(statistic[worst])
    reason: Reason = "none"
    if not usable[worst]:
        reason = "degenerate" if pair_finite[worst] else "nonfinite"
    elif t > critical:
        reason = "statistic"
    return StageOutcome(
        rejects=reason != "none",
        statistic=t,
        critical=critical,
        p_value=min(1.0, 2 * r.size * laws.t_tail(t, n - 2)),
        coordinate=worst,
        reason=reason,
    )


def _t_of_correlation(r: Floats, n: int) -> Floats:
    """|r| √((n-2)/(1-r²)); infinite at |r| = 1."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.abs(r) * np.sqrt((n - 2) / ((1 - r) * (1 + r))), dtype=np.float64)


def pair_of(index: int, dimensions: int) -> tuple[int, int]:
    """The two coordinates of pair ``index`` in the order of :func:`summarise_correlations`.

    Raises:
        ValueError: no such pair.
    """
    left, right = np.triu_indices(whole("dimensions", dimensions, least=2), k=1)
    if not 0 <= index < left.size:
        raise ValueError(f"pair {index} of {dimensions} coordinates; wanted 0 to {left.size - 1}")
    return int(left[index]), int(right[index])


def correlation_required_n(
    stage_alpha: float, beta: float, min_detectable: float, pairs: int
) -> int:
    """Draws a stage needs to find a correlation in one pair with probability ``1 - beta``.

    n = ((z_{1 - stage_alpha/(2·pairs)} + z_{1-beta}) / artanh |rho|)² + 3 (Fisher 1921). Measured
    power for normal draws, 6 pairs, rho = .2, stage_alpha .01, beta .05, n = 561: .948 (20,000
    stages, standard error .0016).

    Args:
        stage_alpha: false rejection rate of one stage.
        beta: miss probability of one stage (see ``two_stage.stage_beta``).
        min_detectable: |rho| in (0, 1).
        pairs: number of pairs, d(d - 1)/2 >= 1.

    Raises:
        ValueError: an argument out of range.
    """
    rho = positive("min_detectable", min_detectable)
    if rho >= 1:
        raise ValueError(f"min_detectable is {rho}; wanted a correlation below 1")
    tail = laws.split(stage_alpha, pairs) / 2
    z = laws.normal_critical(tail) + laws.normal_critical(probability("beta", beta))
    return math.ceil((z / math.atanh(rho)) ** 2) + 3
