"""Whether one estimator's total variance stays below a multiple of another's, on the same draws."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

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
)
from harness.statistics.outcome import Reason, StageOutcome
from harness.statistics.unbiased import summarise

#: Fewer pairs make the size of the stage exceed its nominal value (.0025 for .001 at n = 200).
LEAST_N = 1000

Side = Literal["above", "below"]


@dataclass(frozen=True, kw_only=True)
class RatioOutcome(StageOutcome):
    """A stage that tested a ratio of total variances.

    Attributes:
        ratio: tr_x / tr_y, in [0, inf]; 1 where both are 0, inf where draws are not finite.
        skew_guard_n: sample size that the skewness of psi asks for (see
            :func:`harness.statistics.laws.guard_n`).
        skew_ok: whether the sample is that large. Where it is not, one of the two estimators has
            such heavy tails that the size of the stage is not vouched for.
    """

    ratio: float
    skew_guard_n: int
    skew_ok: bool


def summarise_pair(x: ArrayLike, y: ArrayLike) -> dict[str, NDArray[np.generic]]:
    """Total variances of two estimators on the same draws, and the error of their log-ratio.

    Args:
        x: "n d", the estimator in question, one draw a row.
        y: "n d", the estimator it is compared with, row i from the same randomness as row i of x.

    Returns:
        All 0-d: ``n``; ``trace_x`` and ``trace_y``, mean squared distance from the mean draw, 0
        where every coordinate is constant up to rounding; ``se_log_ratio``, the standard
        deviation over √n of psi_i = |x_i - x̄|²/tr_x - |y_i - ȳ|²/tr_y (the delta method, in
        pairs), and ``skew`` of psi, both 0 where a trace is 0; ``nonfinite``, draws that are NaN
        or infinite, or n where a trace is too large or too small for float64. Where it is not 0,
        the other four are NaN.

    Raises:
        ValueError: another number of axes, shapes that differ, fewer than two draws, not real.
    """
    first = shaped("x", x, "n d", least=(2, 1))
    second = shaped("y", y, "n d", least=(2, 1))
    if first.shape != second.shape:
        raise ValueError(f"x has shape {first.shape} and y {second.shape}; wanted pairs of draws")
    nonfinite = sum(int((~np.isfinite(values)).sum()) for values in (first, second))
    distances = [_squared_distances(values) for values in (first, second)]
    unit_traces = [float(squared.mean()) for squared, _ in distances]
    with np.errstate(over="ignore"):
        traces = [float(np.ldexp(t, e)) for t, (_, e) in zip(unit_traces, distances, strict=True)]
    held = [
        math.isfinite(t) and (t > 0) == (u > 0) for t, u in zip(traces, unit_traces, strict=True)
    ]
    if not nonfinite and not all(held):
        nonfinite = len(first)
    if nonfinite:
        traces, se, skew = [math.nan, math.nan], math.nan, math.nan
    elif min(traces) == 0:
        se = skew = 0.0
    else:
        psi = distances[0][0] / unit_traces[0] - distances[1][0] / unit_traces[1]
        figures = summarise(psi[:, None])
        se = figures["sd"].item() / math.sqrt(len(psi))
        skew = figures["skew"].item()
    return {
        "n": np.array(first.shape[0], dtype=np.int64),
        "trace_x": np.array(traces[0]),
        "trace_y": np.array(traces[1]),
        "se_log_ratio": np.array(se),
        "skew": np.array(skew),
        "nonfinite": np.array(nonfinite, dtype=np.int64),
    }


def _squared_distances(values: Floats) -> tuple[Floats, int]:
    """|v_i - v̄|² of each row in units of 2**exponent, and that exponent.

    Coordinates that vary by rounding only count as constant; entries that are not finite, as 0.
    """
    numbers = np.where(np.isfinite(values), values, 0.0)
    size = np.abs(numbers).max(axis=0)
    half = numbers / 2 - numbers[:1] / 2  # halved, because a difference may overflow
    half[:, np.abs(half).max(axis=0) <= ROUNDING * EPS64 * size / 2] = 0.0
    exponent = int(np.frexp(np.abs(half).max())[1])
    unit = np.ldexp(half, -exponent)
    unit -= unit.mean(axis=0)
    return np.asarray((unit**2).sum(axis=1), dtype=np.float64), 2 * exponent + 2


def ratio_stage(
    summary: Summary,
    limit: float,
    stage_alpha: float,
    *,
    side: Side = "above",
    eps: float = EPS64,
) -> RatioOutcome:
    """One one-sided stage: is tr_x / tr_y significantly beyond the limit?

    z = (log(tr_x/tr_y) - log limit) / se against the normal quantile, its numerator reduced by
    16·eps of rounding. Traces of 0 are compared exactly: tr_y = 0 is above any limit, tr_x = 0
    below any, and two zeros are on neither side. Draws that are not finite reject on either side.

    No rejection means that the draws do not show a ratio beyond the limit. Pair the check with one
    on the mean: a constant has no variance at all. The stage refuses n < 1,000; from
    there on a rejection is always possible.

    Measured size at the limit, n = 1,000, nominal .01 (20,000 stages) and .001 (40,000), side
    above: both normal .0103, .0012; both exponential .0112, .0016 (an F test: .124 for .01);
    lognormal reward times score with and without a baseline .0045, .0004; x normal and y
    exponential .0200, .0039. What inflates it is a y with heavier tails than x, and psi is skewed
    by it: within its guard the size is at most three times the nominal one, as for any one-sided
    t. Not every sample of the heaviest laws tells: x normal and y lognormal (excess kurtosis 111)
    has the size .090 at .01, ``skew_ok`` being false in 88 % of the samples.

    Args:
        summary: from :func:`summarise_pair`.
        limit: the ratio that is still right, > 0.
        stage_alpha: false rejection rate of this stage.
        side: ``above`` rejects ratios over the limit, ``below`` ratios under it.
        eps: machine epsilon of the dtype the program computed in.

    Raises:
        ValueError: a summary that does not fit, n < 1,000, an unknown side, limit or stage_alpha
            out of range.
        ArithmeticError: a figure came out NaN.
    """
    if side not in ("above", "below"):
        raise ValueError(f"side is {side!r}; wanted 'above' or 'below'")
    critical = laws.normal_critical(probability("stage_alpha", stage_alpha))
    log_limit = math.log(positive("limit", limit))
    n = stored_size(summary, least=LEAST_N)
    usable = np.asarray(stored(summary, "nonfinite", ndim=0) == 0)
    trace_x, trace_y, se, skew = (
        stored_figures(summary, name, usable).item()
        for name in ("trace_x", "trace_y", "se_log_ratio", "skew")
    )
    if min(trace_x, trace_y, se) < 0:
        raise ValueError(f"summary has traces {trace_x}, {trace_y} and error {se}; wanted >= 0")
    sign = 1.0 if side == "above" else -1.0
    log_ratio = _log_ratio(trace_x, trace_y, log_limit) if usable else sign * math.inf
    beyond = sign * (log_ratio - log_limit) - ROUNDING * positive("eps", eps)
    z = beyond / se if se > 0 else math.copysign(math.inf, beyond)
    reason: Reason = "none"
    if z > critical:
        reason = "nonfinite" if not usable else "statistic" if se > 0 else "exact"
    guard = laws.guard_n(skew if usable else 0.0, stage_alpha)
    return RatioOutcome(
        rejects=z > critical,
        statistic=z,
        critical=critical,
        p_value=laws.normal_tail(z),
        coordinate=0,
        reason=reason,
        ratio=_ratio(trace_x, trace_y) if usable else math.inf,
        skew_guard_n=guard,
        skew_ok=n >= guard,
    )


@dataclass(frozen=True)
class RatioPlan:
    """What a stage allows and must find, at which rates.

    Attributes:
        limit: the ratio that is still right, > 0.
        min_detectable: the ratio that must be found, above the limit.
        stage_alpha: bound on rejecting a ratio at the limit.
        stage_beta: bound on not rejecting one of ``min_detectable``.

    Raises:
        ValueError: a figure out of range.
    """

    limit: float
    min_detectable: float
    stage_alpha: float
    stage_beta: float

    def __post_init__(self) -> None:
        probability("stage_alpha", self.stage_alpha)
        probability("stage_beta", self.stage_beta)
        if not positive("limit", self.limit) < positive("min_detectable", self.min_detectable):
            raise ValueError(
                f"min_detectable is {self.min_detectable}; wanted a ratio above {self.limit}"
            )


def bounded_ratio_stage(summary: Summary, plan: RatioPlan, *, eps: float = EPS64) -> RatioOutcome:
    """One stage that is passed by what it shows, and not by noise.

    Rejects as :func:`ratio_stage` does, and also where the draws leave it open whether the ratio
    reaches ``min_detectable`` (log ratio + z_{1-stage_beta}·se is not below its logarithm; reason
    ``noisy``). The error se is the program's own: a few huge draws make it as large as 1 at any n,
    and then no ratio up to limit·exp(z) is significantly above the limit.

    No rejection means: the ratio is below ``min_detectable``, but for the rate ``stage_beta``. At
    :func:`required_n` draws a ratio at the limit is left open as often as it is rejected by
    ``stage_alpha`` alone. Measured at the limit, at .01 and beta .05 (8,000 stages): 1.2 against
    1.5, normal, n = 1,267: .0134; exponential, n = 5,068: .0105. A ratio of 1 where .4 must be
    found, four fifths of it in one draw: 1,000 of 1,000 are rejected, by :func:`ratio_stage` none.

    Raises:
        ValueError: as :func:`ratio_stage`.
        ArithmeticError: a figure came out NaN.
    """
    outcome = ratio_stage(summary, plan.limit, plan.stage_alpha, eps=eps)
    if outcome.rejects or outcome.ratio == 0:
        return outcome
    se = float(np.asarray(summary["se_log_ratio"]))
    reach = math.log(outcome.ratio) + laws.normal_critical(plan.stage_beta) * se
    if reach < math.log(plan.min_detectable):
        return outcome
    return replace(outcome, rejects=True, reason="noisy", statistic=math.inf)


def _log_ratio(trace_x: float, trace_y: float, undecided: float) -> float:
    """log(x/y) of sizes >= 0; ``undecided`` where both are 0."""
    if trace_x == 0 and trace_y == 0:
        return undecided
    if trace_x == 0 or trace_y == 0:
        return math.inf if trace_x > 0 else -math.inf
    return math.log(trace_x) - math.log(trace_y)


def _ratio(trace_x: float, trace_y: float) -> float:
    try:
        return math.exp(_log_ratio(trace_x, trace_y, 0.0))
    except OverflowError:
        return math.inf


def required_n(
    stage_alpha: float,
    beta: float,
    limit: float,
    min_detectable: float,
    *,
    excess_kurtosis: float = 6.0,
) -> int:
    """Pairs a stage needs to find a ratio with probability ``1 - beta``, at least 1,000.

    n = (z_{1-stage_alpha} + z_{1-beta})² · 2 (kurtosis + 2) / log(ratio/limit)², for scalar
    estimators that are independent of each other. Pairing on common draws (correlation r between
    the squared distances) and further coordinates both need fewer, by a factor of 1 - r and about
    1/d. Measured power (8,000 stages), independent, ratio 1.5 against 1.2, stage_alpha .01, beta
    .05: normal (kurtosis 0) .953 at n = 1,267; exponential (6, the default) .951 at n = 5,068.

    Args:
        stage_alpha: false rejection rate of one stage.
        beta: miss probability of one stage (see ``two_stage.stage_beta``).
        limit: the ratio that is still right, > 0.
        min_detectable: the ratio that must be found, > 0, on either side of the limit.
        excess_kurtosis: of both estimators' draws, > -2; 0 normal, 6 exponential.

    Raises:
        ValueError: an argument out of range, or the ratio equal to the limit.
    """
    effect = math.log(positive("min_detectable", min_detectable) / positive("limit", limit))
    if effect == 0:
        raise ValueError(f"min_detectable equals the limit {limit}; wanted a different ratio")
    z = laws.normal_critical(probability("stage_alpha", stage_alpha))
    z += laws.normal_critical(probability("beta", beta))
    spread = 2 * positive("excess_kurtosis + 2", excess_kurtosis + 2)
    return max(LEAST_N, math.ceil(z**2 * spread / effect**2))
