"""Negative log-likelihoods against a floor (too good to be true) and against a margin, in pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.statistics import laws, unbiased
from harness.statistics.inputs import (
    EPS64,
    ROUNDING,
    Summary,
    finite,
    finite_array,
    positive,
    probability,
    shaped,
    stored,
    stored_figures,
    stored_size,
)
from harness.statistics.outcome import Reason, StageOutcome


def summarise_paired(nll: ArrayLike, floor: ArrayLike) -> dict[str, NDArray[np.generic]]:
    """Sufficient statistics of the excess nll - floor over the same n points.

    Args:
        nll: "n", what the program committed itself to, nats; n >= 2.
        floor: "n", -log p_true (or the reference's nll) of the same points, nats; finite.

    Returns:
        All 0-d: ``n``; ``mean_excess``, ``sd_excess``, ``skew_excess`` of nll - floor;
        ``mean_nll``; ``size``, twice the mean of |floor|, which the rounding of values near it
        scales with; ``nonfinite``, how many nll are NaN or infinite or too large for their sum to
        be held. Where any is, the other figures are NaN.

    Raises:
        ValueError: axes or lengths that do not fit, fewer than two points, a floor not finite.
    """
    values = shaped("nll", nll, "n", least=(2,))
    bounds = finite_array("floor", floor, values.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        columns = np.stack([values - bounds, values, 2 * np.abs(bounds)], axis=1)
    summary = unbiased.summarise(columns)
    nonfinite = np.asarray(summary["nonfinite"]).max()
    mean, sd, skew = (
        np.where(nonfinite == 0, summary[name], np.nan) for name in ("mean", "sd", "skew")
    )
    return {
        "n": summary["n"],
        "mean_excess": np.array(mean[0]),
        "sd_excess": np.array(sd[0]),
        "skew_excess": np.array(skew[0]),
        "mean_nll": np.array(mean[1]),
        "size": np.array(mean[2]),
        "nonfinite": np.array(nonfinite, dtype=np.int64),
    }


def floor_bound_stage(summary: Summary, stage_alpha: float, *, eps: float = EPS64) -> StageOutcome:
    """Likelihood-ratio bound: is the program better than the truth allows?

    If the n points are drawn from p_true and the program commits to normalised conditionals
    before each is revealed, Π q/p_true is a supermartingale of mean at most 1 (Ville 1939), so
    that Σ (floor - nll) exceeds log(1/stage_alpha) with probability at most stage_alpha: for every
    n, without a law of large numbers, and for programs that learn from the points they have seen.
    It holds for an ELBO on fresh z's too, whose exponential is at most q in expectation.

    Rejects where that sum exceeds the bound beyond rounding, or where an nll is not finite. No
    rejection means that the gain over the truth stays within luck. A rejection is possible from
    n = 2 on, at a mean gain of log(1/stage_alpha)/n: .0138 nats for 1e-6 and n = 1,000. Measured
    size at a nominal .01 (20,000 stages, n = 1,000, q a normal displaced by .05, .1 or .2 sd):
    .0001, .0013, .0002; the bound is far from reached.

    Args:
        summary: from :func:`summarise_paired`, ``floor`` being -log p_true.
        stage_alpha: false rejection rate of this stage.
        eps: machine epsilon of the dtype the program computed in.

    Raises:
        ValueError: a summary that does not fit, stage_alpha not in (0, 1).
        ArithmeticError: a figure came out NaN.
    """
    bound = -math.log(probability("stage_alpha", stage_alpha))
    n = stored_size(summary, least=2)
    usable = np.asarray(stored(summary, "nonfinite", ndim=0) == 0)
    mean, size = (stored_figures(summary, name, usable).item() for name in ("mean_excess", "size"))
    gain = n * (-mean - ROUNDING * positive("eps", eps) * size) if usable else math.inf
    reason: Reason = "none"
    if gain > bound:
        reason = "statistic" if usable else "nonfinite"
    return StageOutcome(
        rejects=gain > bound,
        statistic=gain,
        critical=bound,
        p_value=math.exp(-max(gain, 0.0)),
        coordinate=0,
        reason=reason,
    )


@dataclass(frozen=True)
class ExcessPlan:
    """What the excess of right programs is, and what must be found; all in nats a point.

    Attributes:
        margin: the largest mean excess that is still right, >= 0.
        spread: the largest standard deviation of a right program's excess, > 0.
        min_detectable: mean excess that must be found, above the margin.
        rare_nats: excess of a single point that no right program has, > 0.
        rare_share: share of points beyond ``rare_nats`` that must be found, in (0, 1).
        stage_alpha: bound on rejecting a right program.
        stage_beta: bound on accepting what must be found.

    Raises:
        ValueError: a figure out of range.
    """

    margin: float
    spread: float
    min_detectable: float
    rare_nats: float
    rare_share: float
    stage_alpha: float
    stage_beta: float

    def __post_init__(self) -> None:
        for name in ("rare_share", "stage_alpha", "stage_beta"):
            probability(name, getattr(self, name))
        for name in ("spread", "min_detectable", "rare_nats"):
            positive(name, getattr(self, name))
        if not 0 <= finite("margin", self.margin) < self.min_detectable:
            raise ValueError(f"margin is {self.margin}; wanted 0 to below {self.min_detectable}")

    def width(self, sd: float, n: int) -> float:
        """How far above its estimate the mean of n points may lie (empirical Bernstein bound)."""
        logarithm = math.log(2 / self.stage_beta)
        reach = 7 * (2 * self.rare_nats) * logarithm / (3 * (n - 1))
        return sd * math.sqrt(2 * logarithm / n) + reach


def bounded_excess_stage(nll: ArrayLike, floor: ArrayLike, plan: ExcessPlan) -> StageOutcome:
    """Is the excess over the reference established to be small, in its mean and point by point?

    Rejects where a point exceeds its reference by ``rare_nats`` (reason ``exact``) or is not
    finite, and where the mean excess plus its error leaves ``min_detectable`` possible
    (``statistic``). The
    error is that of Maurer & Pontil (2009, theorem 4): it holds for every law of points within
    ±``rare_nats``, so that what is rare cannot hide behind a spread of its own. Points further
    below are taken as -``rare_nats``, which raises the mean.

    No rejection means: neither a mean excess of ``min_detectable`` nor a share ``rare_share`` of
    points beyond ``rare_nats``, but for the rate ``stage_beta`` each. Possible from the n of
    :func:`bounded_excess_n` on, where right programs are rejected with ``stage_alpha`` at most (the
    mean is near-normal there). Measured at .01 (20,000 stages), excess of mean .02 and sd .5, .1
    to be found: normal, n = 3,655: .0099; exponential, n = 4,920: .0127. A mean of .1 (normal, of
    sd 2, or 2 % of points at 4.9 nats), and 2 % of points at 700 nats: 4,000 of 4,000 rejected.

    Args:
        nll: "n", what the program committed itself to, nats; n >= 2.
        floor: "n", the reference's nll of the same points, nats; finite.

    Raises:
        ValueError: axes or lengths that do not fit, fewer than two points, a floor not finite.
        ArithmeticError: a figure came out NaN.
    """
    values = shaped("nll", nll, "n", least=(2,))
    excess = values - finite_array("floor", floor, values.shape)
    worst = int(np.where(np.isfinite(values), excess, np.inf).argmax())
    reason: Reason = "none"
    if not np.isfinite(values).all():
        reason, bound = "nonfinite", math.inf
    elif excess[worst] > plan.rare_nats:
        reason, bound = "exact", math.inf
    else:
        clipped = np.maximum(excess, -plan.rare_nats)
        bound = float(clipped.mean()) + plan.width(float(clipped.std(ddof=1)), len(clipped))
        reason = "none" if bound < plan.min_detectable else "statistic"
    return StageOutcome(
        rejects=reason != "none",
        statistic=bound,
        critical=plan.min_detectable,
        p_value=1.0 if reason == "none" else 0.0,
        coordinate=worst,
        reason=reason,
    )


def bounded_excess_n(plan: ExcessPlan) -> int:
    """Points with which :func:`bounded_excess_stage` keeps both rates of its plan.

    Enough that a right program's bound lies below ``min_detectable`` but for ``stage_alpha``, and
    that a share ``rare_share`` of points shows itself but for ``stage_beta``.
    """
    z = laws.normal_critical(plan.stage_alpha)
    room = plan.min_detectable - plan.margin

    def enough(n: int) -> bool:
        return z * plan.spread / math.sqrt(n) + plan.width(plan.spread, n) < room

    rare = math.ceil(math.log(plan.stage_beta) / math.log1p(-plan.rare_share))
    return laws.smallest(max(2, rare), enough)
