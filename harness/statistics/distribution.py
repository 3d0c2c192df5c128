"""Whether draws follow a declared law: Kolmogorov-Smirnov, chi-square, correlations.

The chi-square and the correlation tests live in modules of their own and are offered here too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.statistics import laws
from harness.statistics.chi_square import (
    chi_square_required_n,
    chi_square_stage,
    summarise_counts,
    summarise_table,
)
from harness.statistics.independence import (
    correlation_required_n,
    correlation_stage,
    summarise_correlations,
)
from harness.statistics.inputs import (
    Floats,
    Summary,
    positive,
    probability,
    shaped,
    stored,
    stored_figures,
    stored_size,
)
from harness.statistics.outcome import Reason, StageOutcome

__all__ = [
    "Law",
    "chi_square_required_n",
    "chi_square_stage",
    "correlation_required_n",
    "correlation_stage",
    "ks_required_n",
    "ks_stage",
    "summarise_correlations",
    "summarise_counts",
    "summarise_ks",
    "summarise_table",
]

#: ``normal``: mean 0 and variance 1. ``uniform``: on [0, 1].
Law = Literal["normal", "uniform"]

_CDF: dict[str, Callable[[Floats], Floats]] = {
    "normal": laws.normal_cdf,
    "uniform": lambda x: np.clip(x, 0.0, 1.0),
}


def summarise_ks(samples: ArrayLike, law: Law) -> dict[str, NDArray[np.generic]]:
    """Two-sided Kolmogorov-Smirnov distance of each coordinate from a standard law.

    Args:
        samples: "n d" with n >= 1 and d >= 1.
        law: the law that a right program draws from.

    Returns:
        ``n`` (); ``ks`` "d" in [1/(2n), 1], the largest |F_n(x) - F(x)|; ``nonfinite`` "d", how
        many draws are NaN or infinite. Where any is, ``ks`` is NaN.

    Raises:
        ValueError: an unknown law, another number of axes, no draw, no coordinate, not real.
    """
    if law not in _CDF:
        raise ValueError(f"law is {law!r}; wanted one of {sorted(_CDF)}")
    x = shaped("samples", samples, "n d", least=(1, 1))
    n = x.shape[0]
    nonfinite = (~np.isfinite(x)).sum(axis=0).astype(np.int64)
    reached = _CDF[law](np.sort(np.where(nonfinite == 0, x, 0.0), axis=0))
    steps = np.arange(n + 1)[:, None] / n
    distance = np.maximum(steps[1:] - reached, reached - steps[:-1]).max(axis=0)
    return {
        "n": np.array(n, dtype=np.int64),
        "ks": np.where(nonfinite == 0, distance, np.nan),
        "nonfinite": nonfinite,
    }


def ks_stage(summary: Summary, stage_alpha: float) -> StageOutcome:
    """One stage: does any coordinate's sample lie too far from the law?

    Compares the largest distance with the exact law of the two-sided statistic (Simard & L'Ecuyer
    2011, ``scipy.stats.kstwo``) at stage_alpha/d. A coordinate with a draw that is not finite
    rejects. Ties make the distance larger, never smaller, than a continuous law would.

    No rejection means: no coordinate's distribution function is off by more than about
    √(log(2d/stage_alpha)/2n) + 1/√n at any point. The mean is found less readily than by max-t,
    and dependence, between draws or coordinates, not at all. A rejection is possible from n = 1
    on. Measured size at a nominal .01 (20,000 stages): uniform, d = 3, n = 200: .0094; normal,
    d = 1, n = 20: .0094.

    Args:
        summary: from :func:`summarise_ks`.
        stage_alpha: false rejection rate of this stage, over all coordinates.

    Raises:
        ValueError: a summary that does not fit, stage_alpha not in (0, 1).
        ArithmeticError: a figure came out NaN.
    """
    n = stored_size(summary, least=1)
    usable = np.asarray(stored(summary, "nonfinite", ndim=1) == 0)
    tail = laws.split(stage_alpha, usable.size)
    distance = stored_figures(summary, "ks", usable)
    statistic = np.where(usable, distance, np.inf)
    worst = int(statistic.argmax())
    largest, critical = float(statistic[worst]), laws.ks_critical(tail, n)
    reason: Reason = "none"
    if largest > critical:
        reason = "statistic" if usable[worst] else "nonfinite"
    return StageOutcome(
        rejects=largest > critical,
        statistic=largest,
        critical=critical,
        p_value=min(1.0, usable.size * laws.ks_tail(min(largest, 1.0), n)),
        coordinate=worst,
        reason=reason,
    )


def ks_required_n(
    stage_alpha: float, beta: float, min_detectable: float, dimensions: int = 1
) -> int:
    """Draws a stage needs to find any law at a distance with probability at least ``1 - beta``.

    n = ((√(log(2d/stage_alpha)/2) + √(log(1/beta)/2)) / distance)², from Massart's constant in
    the Dvoretzky-Kiefer-Wolfowitz inequality for the critical value and Hoeffding's inequality at
    the point where the two laws differ most: a guarantee for every law and every n, not an
    approximation. Measured power at distance .1, stage_alpha .01, beta .1, n = 730, for a law that
    differs most at the median: .995 (20,000 stages; declared .9).

    Args:
        stage_alpha: false rejection rate of one stage.
        beta: miss probability of one stage (see ``two_stage.stage_beta``).
        min_detectable: Kolmogorov-Smirnov distance, in (0, 1].
        dimensions: number of coordinates, >= 1.

    Raises:
        ValueError: an argument out of range.
    """
    distance = positive("min_detectable", min_detectable)
    if distance > 1:
        raise ValueError(f"min_detectable is {distance}; a Kolmogorov-Smirnov distance is <= 1")
    tail = laws.split(stage_alpha, dimensions)
    reach = math.sqrt(math.log(2 / tail) / 2)
    slack = math.sqrt(-math.log(probability("beta", beta)) / 2)
    return math.ceil(((reach + slack) / distance) ** 2)
