"""Credit for a mean episode return, and an interval for it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.statistics import laws
from harness.statistics.inputs import finite, finite_array, positive, probability, shaped, whole


def summarise_returns(
    returns: ArrayLike, trajectory_digests: Sequence[str] | NDArray[np.uint64]
) -> dict[str, NDArray[np.generic]]:
    """The returns of n episodes and how many of their trajectories differ.

    Args:
        returns: "n", summed rewards as the grader counted them; finite, n >= 1.
        trajectory_digests: n digests of the observations and actions of each episode.

    Returns:
        ``n`` (), ``returns`` "n" and ``distinct`` (). A deterministic policy in a deterministic
        environment repeats one trajectory: n episodes then hold the information of one.

    Raises:
        ValueError: no episode, a return not finite (the grader counts them, so an error of ours),
            or another number of digests.
    """
    values = shaped("returns", returns, "n", least=(1,))
    values = finite_array("returns", values, values.shape)
    digests = np.asarray(trajectory_digests)
    if digests.dtype.kind not in "Uu" or digests.shape != values.shape:
        raise ValueError(
            f"trajectory digests have dtype {digests.dtype} and shape {digests.shape}; "
            f"wanted texts or unsigned integers of shape {values.shape}"
        )
    return {
        "n": np.array(values.size, dtype=np.int64),
        "returns": values,
        "distinct": np.array(np.unique(digests).size, dtype=np.int64),
    }


def ramp(mean: float, low: float, high: float) -> float:
    """Credit in [0, 1]: 0 up to ``low``, 1 from ``high`` on, linear between, never decreasing.

    Args:
        mean: mean return, finite.
        low: return without credit, such as a random agent's.
        high: return with full credit, above ``low`` (see :func:`full_credit_at`).

    Raises:
        ValueError: an argument not finite, or ``low >= high``.
    """
    bottom, top = finite("low", low), finite("high", high)
    if bottom >= top:
        raise ValueError(f"the ramp runs from low={low} to high={high}; wanted low < high")
    seen = min(max(finite("mean", mean), bottom), top)
    # Halved, because the width of two finite numbers need not be finite.
    width = top - bottom
    if math.isinf(width):
        return (seen / 2 - bottom / 2) / (top / 2 - bottom / 2)
    return (seen - bottom) / width


def mean_interval(returns: ArrayLike, distinct: int, confidence: float) -> tuple[float, float]:
    """Student's interval for the expected return, repeated trajectories counted once.

    The half-width is t · s / √(m - 1) with s² = mean squared deviation and m = ``distinct``: the
    ordinary interval if all trajectories differ, and the interval of the distinct ones if each is
    repeated equally often. Unequal repetition makes it too short.

    Args:
        returns: "n", finite.
        distinct: number of distinct trajectories among them, 2 to n.
        confidence: coverage, in (0, 1); exact for normal returns. Measured at .95 (20,000
            intervals): normal, n = 5: .950; each of 5 trajectories played 4 times: .951;
            exponential, n = 20: .919.

    Raises:
        ValueError: fewer than two distinct trajectories (one episode, however often it is played,
            says nothing about the spread), more than n, returns not finite, confidence not in
            (0, 1).
    """
    values = shaped("returns", returns, "n", least=(1,))
    values = finite_array("returns", values, values.shape)
    count = whole("distinct", distinct, least=2)
    if count > values.size:
        raise ValueError(f"{count} distinct trajectories among {values.size} episodes")
    t = laws.t_critical((1 - probability("confidence", confidence)) / 2, count - 1)
    exponent = int(np.frexp(np.abs(values).max())[1])
    unit = np.ldexp(values, -exponent)
    centre = unit[0] + (unit - unit[0]).mean()
    half = t * math.sqrt(float(((unit - centre) ** 2).mean()) / (count - 1))
    with np.errstate(over="ignore"):
        low, high = np.ldexp(np.array([centre - half, centre + half]), exponent).tolist()
    return low, high


def full_credit_at(reference_mean: float, reference_sd: float, k: int, m: int, z: float) -> float:
    """The mean return from which credit is full: R - z·s·√(1/k + 1/m).

    The spread is the reference's, not the program's own, so that a better run never costs credit.
    An honest program of the reference's normal law loses credit a little more often than the
    normal tail of ``z`` says, because R and s are estimates too: 1.7e-3 at 3.09 and 1e-5 at 4.75
    (k = 5, m = 50; 200,000 programs, each with a reference of its own).

    Args:
        reference_mean: R, mean of m stored runs of the reference.
        reference_sd: s >= 0, their standard deviation.
        k: number of runs of the program, >= 1.
        m: number of stored runs, >= 2.
        z: normal quantile, > 0.

    Raises:
        ValueError: an argument out of range or not finite.
    """
    spread = finite("reference_sd", reference_sd)
    if spread < 0:
        raise ValueError(f"reference_sd is {reference_sd}; wanted >= 0")
    runs = 1 / whole("k", k, least=1) + 1 / whole("m", m, least=2)
    return finite("reference_mean", reference_mean) - positive("z", z) * spread * math.sqrt(runs)
