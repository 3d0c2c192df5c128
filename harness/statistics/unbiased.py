"""Whether every coordinate of a mean equals its target: max-t with Bonferroni.

A check fails only when two stages on independent draws both reject, so stages at 1e-3 each give
1e-6 while the normal approximation is needed no further out than z = 3.3 (d = 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.statistics import laws
from harness.statistics.inputs import (
    EPS64,
    ROUNDING,
    Floats,
    Summary,
    finite_array,
    positive,
    probability,
    scale_array,
    shaped,
    stored,
    stored_figures,
    stored_size,
)
from harness.statistics.outcome import REPORTED_BETA, MeanOutcome, Reason

_LARGEST = float(np.finfo(np.float64).max)


def summarise(samples: ArrayLike) -> dict[str, NDArray[np.generic]]:
    """Size, means, standard deviations and skewnesses of n draws of d coordinates.

    Args:
        samples: "n d" with n >= 2 and d >= 1.

    Returns:
        ``n`` (); ``mean``, ``sd`` (n - 1 in the denominator) and ``skew`` (third standardised
        moment, 0 where sd is 0), each "d"; ``nonfinite`` "d", how many draws are NaN or infinite.
        Where any is, the other three are NaN. A constant coordinate has the sd 0 exactly; an sd
        too large for float64 is the largest float.

    Raises:
        ValueError: another number of axes, fewer than two draws, no coordinate, not real.
    """
    x = shaped("samples", samples, "n d", least=(2, 1))
    nonfinite = (~np.isfinite(x)).sum(axis=0).astype(np.int64)
    usable = nonfinite == 0
    mean, sd, skew = np.full((3, x.shape[1]), np.nan)
    mean[usable], sd[usable], skew[usable] = _column_figures(np.ascontiguousarray(x.T[usable]))
    return {
        "n": np.array(x.shape[0], dtype=np.int64),
        "mean": mean,
        "sd": sd,
        "skew": skew,
        "nonfinite": nonfinite,
    }


def _column_figures(rows: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean, sd and skewness of finite rows "d n", in units where no power over- or underflows."""
    n = rows.shape[1]
    exponent = np.frexp(np.abs(rows).max(axis=1, initial=0.0))[1]
    unit = np.ldexp(rows, -exponent[:, None])
    first = unit[:, :1]  # subtracted, so that a constant row deviates by 0 exactly
    deviation = unit - first
    centre = deviation.mean(axis=1, keepdims=True)
    deviation -= centre
    spread = np.abs(deviation).max(axis=1, initial=0.0)
    relative = deviation / np.where(spread > 0, spread, 1.0)[:, None]
    squares = relative * relative
    second, third = squares.mean(axis=1), (squares * relative).mean(axis=1)  # a power is slow
    with np.errstate(over="ignore"):
        sd = np.ldexp(spread * np.sqrt(second * n / (n - 1)), exponent)
    skew = third / np.where(second > 0, second, 1.0) ** 1.5
    return np.ldexp((first + centre)[:, 0], exponent), np.minimum(sd, _LARGEST), skew


def merge(summaries: Sequence[Summary]) -> dict[str, NDArray[np.generic]]:
    """The summary of the draws of several summaries together, up to rounding.

    Args:
        summaries: at least one, each from :func:`summarise`, of the same number of coordinates.

    Raises:
        ValueError: none, or some that do not fit each other.
    """
    if not summaries:
        raise ValueError("no summary is given; wanted at least one")
    sizes = np.array([stored_size(one, least=2) for one in summaries], dtype=np.float64)
    wrong = np.stack([stored(one, "nonfinite", ndim=1) for one in summaries])
    n = sizes.sum()
    usable = ~wrong.any(axis=0)
    mean, sd, skew = (
        np.stack([np.asarray(one[name], dtype=np.float64) for one in summaries])[:, usable]
        for name in ("mean", "sd", "skew")
    )
    pooled = np.full((3, usable.size), np.nan)
    pooled[:, usable] = _pooled(sizes[:, None], mean, sd, skew)
    return {
        "n": np.array(int(n), dtype=np.int64),
        "mean": pooled[0],
        "sd": pooled[1],
        "skew": pooled[2],
        "nonfinite": wrong.sum(axis=0).astype(np.int64),
    }


def _pooled(sizes: Floats, mean: Floats, sd: Floats, skew: Floats) -> tuple[Floats, ...]:
    """Mean, sd and skewness "d" of groups "k d", in units where no power over- or underflows."""
    n = sizes.sum()
    exponent = np.frexp(np.maximum(np.abs(mean), sd).max(axis=0, initial=0.0))[1]
    unit, spread = np.ldexp(mean, -exponent), np.ldexp(sd, -exponent)
    first = unit[:1]  # subtracted, so that equal means deviate by 0 exactly
    centre = (sizes * (unit - first)).sum(axis=0) / n
    shift = unit - first - centre
    second = spread**2 * (sizes - 1) / sizes
    third = skew * second**1.5
    total = (sizes * (second + shift**2)).sum(axis=0)
    cubes = (sizes * (third + 3 * shift * second + shift**3)).sum(axis=0)
    variance = total / n
    joint_skew = np.divide(
        cubes / n, variance**1.5, out=np.zeros_like(variance), where=variance > 0
    )
    with np.errstate(over="ignore"):
        joint_sd = np.minimum(np.ldexp(np.sqrt(total / (n - 1)), exponent), _LARGEST)
    return np.ldexp(first[0] + centre, exponent), joint_sd, joint_skew


def max_t_stage(
    summary: Summary,
    target: ArrayLike,
    scale: ArrayLike,
    stage_alpha: float,
    *,
    eps: float = EPS64,
) -> MeanOutcome:
    """One two-sided stage: is any coordinate's mean off its target?

    t_j = max(0, |mean_j - target_j| - 16·eps·scale_j) / (sd_j / √n), rejecting where the largest
    exceeds Student's upper quantile at stage_alpha/(2d). The allowance keeps rounding from being
    tested as if it were noise; a coordinate with sd_j <= 16·eps·scale_j has no noise to speak of
    and is compared exactly, within the same allowance. A coordinate with a draw that is not finite
    rejects.

    Args:
        summary: from :func:`summarise`.
        target: "d", the expectation under a right program; finite.
        scale: "d", size of the terms of one draw; finite, >= 0.
        stage_alpha: false rejection rate of this stage, over all coordinates.
        eps: machine epsilon of the dtype the program computed in.

    No rejection means: no coordinate is off by more than about ``achieved_mdb_sd`` standard
    deviations *of the program's own draws*. A noisier program hides a larger bias: compare
    :func:`achieved_mdb` with the declared bias before believing it.

    A rejection is possible from n = 2 on. Measured size at a nominal .01 (20,000 stages): normal,
    d = 5, n = 50: .0093; centred chi-square(1), d = 5, at the guard (n = 642): .0163, bound
    .0167; n = 64, a tenth of the guard: .067. Laws without a variance, n = 2,000 (4,000 stages):
    Cauchy .0018; Pareto(1.5) .15, where ``skew_ok`` is false in 94 % of the samples.

    Plan n by :func:`skew_guard_n` of the *right* program's skewness, doubled: ``skew_ok`` judges
    by the largest sample skewness, which for that law satisfies the guard in 11 % of samples at
    the guard itself, 96 % at twice and all of 2,000 at four times its n. The same plan covers a
    coordinate that differs from a constant with probability q only (skewness about 1/√q): it
    looks constant, and is then compared exactly with a mean it cannot equal, with probability
    (1 - q)^n, below e^-20 at the guard for q <= .1 and a stage_alpha of .01.


    Raises:
        ValueError: a summary, target or scale that does not fit; stage_alpha not in (0, 1).
        ArithmeticError: a figure came out NaN.
    """
    n = stored_size(summary, least=2)
    usable = np.asarray(stored(summary, "nonfinite", ndim=1) == 0)
    d = usable.size
    tail = laws.split(stage_alpha, d) / 2
    mean, sd = (stored_figures(summary, name, usable) for name in ("mean", "sd"))
    skew = stored_figures(summary, "skew", usable)
    wanted = finite_array("target", target, (d,))
    allowance = ROUNDING * positive("eps", eps) * scale_array("scale", scale, (d,))
    noisy = usable & (sd > allowance)
    with np.errstate(over="ignore", invalid="ignore"):
        excess = np.maximum(np.abs(mean - wanted) - allowance, 0.0)
        statistic = excess * math.sqrt(n) / np.where(noisy, sd, 1.0)
    statistic[~noisy] = np.where(excess[~noisy] == 0, 0.0, np.inf)  # NaN counts as off
    worst = int(statistic.argmax())
    t, critical = float(statistic[worst]), laws.t_critical(tail, n - 1)
    reason: Reason = "none"
    if t > critical:
        reason = "statistic" if noisy[worst] else "exact" if usable[worst] else "nonfinite"
    guard = laws.guard_n(float(np.abs(skew[noisy]).max(initial=0.0)), tail)
    return MeanOutcome(
        rejects=t > critical,
        statistic=t,
        critical=critical,
        p_value=min(1.0, 2 * d * laws.t_tail(t, n - 1)),
        coordinate=worst,
        reason=reason,
        achieved_mdb_sd=_mdb_sd(n, tail, REPORTED_BETA),
        skew_guard_n=guard,
        skew_ok=n >= guard,
    )


def _mdb_sd(n: int, tail: float, beta: float) -> float:
    z_beta = laws.normal_critical(probability("beta", beta))
    return (laws.t_critical(tail, n - 1) + z_beta) / math.sqrt(n)


def achieved_mdb(summary: Summary, stage_alpha: float, beta: float) -> Floats:
    """The bias that one stage finds with probability ``1 - beta``, "d", in the unit of the draws.

    Where it exceeds the bias that the check must detect, the program is too noisy to be certified:
    with 10 times the noise, a bias of .5 of the honest standard deviation passes 85 % of the time
    at a fixed n = 2,000. Coordinates with draws that are not finite have inf.

    Raises:
        ValueError: a summary that does not fit; stage_alpha or beta not in (0, 1).
    """
    n = stored_size(summary, least=2)
    usable = np.asarray(stored(summary, "nonfinite", ndim=1) == 0)
    tail = laws.split(stage_alpha, usable.size) / 2
    sd = stored_figures(summary, "sd", usable)
    with np.errstate(over="ignore"):
        return np.where(usable, sd * _mdb_sd(n, tail, beta), np.inf)


def required_n(stage_alpha: float, beta: float, min_detectable: float, dimensions: int) -> int:
    """Draws a stage needs to find a bias in one coordinate with probability ``1 - beta``.

    Both stages must reject, so the check finds it with probability ``(1 - beta)²`` only: pass
    ``two_stage.stage_beta(beta)`` where beta is meant for the check. Exact for normal draws; for
    centred chi-square(1), d = 10, bias .1, n = 3,873 and a declared power of .99, the power
    measured (6,000 stages) is .997 upwards and .983 downwards, for normal draws .992: a skewed
    law loses a little on one side.

    Args:
        stage_alpha: false rejection rate of one stage.
        beta: miss probability of one stage.
        min_detectable: the bias, in standard deviations of one draw, > 0.
        dimensions: number of coordinates, >= 1; costs only a logarithm.

    Raises:
        ValueError: an argument out of range.
    """
    tail = laws.split(stage_alpha, dimensions) / 2
    return laws.t_required_n(tail, probability("beta", beta), min_detectable)


def skew_guard_n(skew: float, stage_alpha: float, dimensions: int) -> int:
    """Draws from which a law of this skewness keeps the stage's size within 1.67 of its nominal.

    See :func:`harness.statistics.laws.guard_n`. Skewness 2.83: 935 at 1e-3 and 10,101 at 1e-6
    (d = 1), which is why two stages at 1e-3 are cheaper than one at 1e-6.

    Raises:
        ValueError: skew not finite, stage_alpha not in (0, 1), no coordinate.
    """
    return laws.guard_n(skew, laws.split(stage_alpha, dimensions) / 2)
