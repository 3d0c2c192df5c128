"""Whether every coordinate of a mean is established to lie within a margin of its target: TOST.

Two one-sided t-tests a coordinate (Schuirmann 1987). Where the stages of ``unbiased`` reject what
is shown to be wrong, this one affirms what is shown to be right: too few or too noisy draws leave
the claim open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from harness.statistics import laws
from harness.statistics.inputs import (
    EPS64,
    ROUNDING,
    Floats,
    Summary,
    finite,
    finite_array,
    positive,
    probability,
    scale_array,
    stored,
    stored_figures,
    stored_size,
    whole,
)

#: Why a claim is open. ``none``: it is established. ``bound``: a bias as large as the margin is not
#: ruled out. ``degenerate``: the draws of a coordinate are all alike, and nothing says how far off
#: a rare one may be. ``nonfinite``: a draw is NaN or infinite.
Gap = Literal["none", "bound", "degenerate", "nonfinite"]


@dataclass(frozen=True, kw_only=True)
class EquivalenceOutcome:
    """What is established about the means.

    Attributes:
        established: whether every coordinate is shown to be within its margin.
        bound: one-sided upper bound for the bias of ``coordinate``, in the unit of the draws.
        p_value: the largest p-value of all 2d one-sided tests, multiplied by nothing.
        coordinate: index of the coordinate whose bound is the largest part of its margin.
        reason: why the claim is open, see :data:`Gap`.
        skew_guard_n: sample size that the largest sample skewness asks for (see
            :func:`harness.statistics.laws.guard_n`).
        skew_ok: whether the sample is that large. Where it is not, the level is not vouched for.

    Raises:
        ArithmeticError: a figure is NaN, the p-value is outside [0, 1] or the reason is not the
            decision's; an error of the grader, never a verdict.
    """

    established: bool
    bound: float
    p_value: float
    coordinate: int
    reason: Gap
    skew_guard_n: int
    skew_ok: bool

    def __post_init__(self) -> None:
        if math.isnan(self.bound) or not 0 <= self.p_value <= 1:
            raise ArithmeticError(f"an equivalence test came to figures that cannot be: {self}")
        if self.established != (self.reason == "none"):
            raise ArithmeticError(f"an equivalence test contradicts itself: {self}")


def equivalence_stage(
    summary: Summary,
    target: ArrayLike,
    margin: ArrayLike,
    stage_alpha: float,
    *,
    reach: ArrayLike | None = None,
) -> EquivalenceOutcome:
    """Two one-sided t-tests a coordinate: is every mean within its margin of the target?

    Established where |mean_j - target_j| + t·sd_j/√n < margin_j for every j, with Student's upper
    quantile t at ``stage_alpha`` itself. The claim is about all coordinates together and is wrong
    as soon as one mean is off; it is then made only if that coordinate's own test errs, so its
    level is ``stage_alpha`` however many coordinates there are (intersection-union test, Berger
    1982). Sharing the level out, as a search for a bias must, would only cost power. A list of
    those coordinates that are within their margins would be another claim, and would need it.

    Not established says nothing against the program. Draws of one coordinate that are all alike
    have no measured noise: with ``reach``, the largest distance between two draws, their bound is
    |mean_j - target_j| + reach_j·(1 - alpha^(1/(n-1))), since a program that deviates more often
    than that shows it with probability 1 - alpha; without, the coordinate leaves the claim open.

    Possible from n = 2 on, with a margin of at least t/√2 standard deviations (4.5 at .05).
    Measured with one mean at its margin, at .05 (10,000 stages): normal, n = 2, 5, 50: .050, .050,
    .047; beside four coordinates at their targets .054, .049, .052; all five at their margins 0.
    Cauchy located at the margin, n = 5 to 500: .007 to .030. A long tail beyond the margin errs
    more often: centred chi-square(1) at its guard (n = 117) .033 at .01, and .0024 with the tail
    towards the target (20,000); draws that are 0 but for 2 % at 1, n = 200, .086 at .05 (20,000);
    Pareto(1.5), which has no variance, n = 500, .31 at .05 (5,000). ``skew_ok`` warns of few of
    these, 15 % of the last: the draw that would have told is missing from the sample.

    Args:
        summary: from :func:`harness.statistics.unbiased.summarise`.
        target: "d", finite.
        margin: "d" or one number, finite, > 0, in the unit of the draws.
        stage_alpha: probability of a wrong claim, in (0, 1).
        reach: "d", finite, >= 0.

    Raises:
        ValueError: a summary, target, margin or reach that does not fit; stage_alpha not in (0, 1).
        ArithmeticError: a figure came out NaN.
    """
    n = stored_size(summary, least=2)
    usable = np.asarray(stored(summary, "nonfinite", ndim=1) == 0)
    tail, d = probability("stage_alpha", stage_alpha), usable.size
    mean, sd, skew = (stored_figures(summary, name, usable) for name in ("mean", "sd", "skew"))
    wanted, margins = finite_array("target", target, (d,)), _margins(margin, d)
    far = np.full(d, np.inf) if reach is None else scale_array("reach", reach, (d,))
    size = np.maximum(np.abs(mean), np.abs(wanted))
    error = sd / math.sqrt(n)
    noisy = usable & (sd > ROUNDING * EPS64 * size) & (error > 0)
    with np.errstate(over="ignore"):
        off = np.where(usable, np.abs(mean - wanted), np.inf)
        noise = laws.t_critical(tail, n - 1) * error
    bounds = off + np.where(noisy, noise, far * _rarest(tail, n))
    worst = int((bounds / margins).argmax())
    reason: Gap = "none"
    if not bounds[worst] < margins[worst]:
        silent = usable[worst] and not noisy[worst] and math.isinf(far[worst])
        reason = "bound" if usable[worst] else "nonfinite"
        reason = "degenerate" if silent else reason
    guard = laws.guard_n(float(np.abs(skew[noisy]).max(initial=0.0)), tail)
    return EquivalenceOutcome(
        established=reason == "none",
        bound=float(bounds[worst]),
        p_value=_largest_p(margins - off, np.where(noisy, error, np.nan), far, n),
        coordinate=worst,
        reason=reason,
        skew_guard_n=guard,
        skew_ok=n >= guard,
    )


def _margins(margin: ArrayLike, d: int) -> Floats:
    given = np.asarray(margin)
    margins = finite_array("margin", np.full(d, given) if given.ndim == 0 else given, (d,))
    if not (margins > 0).all():
        raise ValueError(f"margin has the entry {margins.min()}; wanted margins > 0")
    return margins


def _rarest(tail: float, n: int) -> float:
    """The share of deviating draws that n draws all alike rule out.

    Given the first, the n - 1 others all equal it with probability (1 - share)^(n-1).
    """
    return -math.expm1(math.log(tail) / (n - 1))


def _largest_p(slack: Floats, error: Floats, far: Floats, n: int) -> float:
    """The p-value of the coordinate that is established least; ``error`` is NaN without noise."""
    noisy = np.isfinite(error)
    with np.errstate(over="ignore"):
        t = slack[noisy] / error[noisy]
    alike = zip(slack[~noisy].tolist(), far[~noisy].tolist(), strict=True)
    p_values = [_p_of_alike(room, distance, n) for room, distance in alike]
    return max([*p_values, laws.t_tail(float(t.min()), n - 1)] if t.size else p_values)


def _p_of_alike(room: float, distance: float, n: int) -> float:
    """The level at which :func:`_rarest` times ``distance`` is all the room that is left."""
    if room <= 0 or math.isinf(distance):
        return 1.0
    return 0.0 if room >= distance else (1 - room / distance) ** (n - 1)


def required_n(
    stage_alpha: float, beta: float, margin_sd: float, dimensions: int, *, bias_sd: float = 0.0
) -> int:
    """Draws that establish the claim with probability ``1 - beta`` or more, for normal draws.

    The level is not shared among the coordinates but the misses add up: each of the 2d one-sided
    tests may miss, and their probabilities together are at most beta. For (.05, .1, .5 sd, d = 1)
    45, simulated power .901; (.01, .05, .5, 4) 96 and .951; (.01, .1, .3, 10) with every bias .1
    544 and .905 (4,000 stages each). With the level shared among 10 coordinates, (.01, .05, .3, 10)
    would take 392 draws instead of 296.

    Args:
        stage_alpha: probability of a wrong claim.
        beta: probability of leaving a right one open.
        margin_sd: the margin, in standard deviations of one draw, > 0.
        dimensions: number of coordinates, >= 1.
        bias_sd: bias of every coordinate, in standard deviations, 0 to below the margin.

    Raises:
        ValueError: an argument out of range.
    """
    tail, miss = probability("stage_alpha", stage_alpha), probability("beta", beta)
    d, margin = whole("dimensions", dimensions, least=1), positive("margin_sd", margin_sd)
    bias = finite("bias_sd", bias_sd)
    if not 0 <= bias < margin:
        raise ValueError(f"bias_sd is {bias_sd}; wanted 0 to below margin_sd={margin_sd}")

    def enough(n: int) -> bool:
        found = (laws.t_power(n, tail, room) for room in (margin - bias, margin + bias))
        return d * sum(1 - power for power in found) <= miss

    return laws.smallest(laws.t_required_n(tail, miss / d, margin - bias), enough)
