"""Mean and variance under a law that is enumerated or integrated, instead of sampled."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.statistics.inputs import EPS64, ROUNDING, Floats, finite_array, real_array

_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class Moments:
    """Exact moments of an array of outcomes, and the sizes that their rounding scales with.

    Attributes:
        mean: E[x], shape of one outcome.
        variance: E[(x - E[x])²], same shape.
        mean_scale: E|x|, the scale S of the mean; finite, >= 0.
        variance_scale: E[x²] + E[x]², the scale S of the variance for whoever computes it as
            E[x²] - E[x]²; finite, >= 0.
    """

    mean: Floats
    variance: Floats
    mean_scale: Floats
    variance_scale: Floats

    @property
    def trace_variance(self) -> float:
        """Sum of the variances of all coordinates."""
        return _total(self.variance)

    @property
    def trace_variance_scale(self) -> float:
        """Sum of the variance scales of all coordinates, at most the largest float."""
        return min(_total(self.variance_scale), _LARGEST)


def weighted_moments(
    outcomes: ArrayLike, weights: ArrayLike, *, allow_negative: bool = False
) -> Moments:
    """Moments of m outcomes under their weights: of an enumeration, or of a quadrature rule.

    Products are rounded once and summed without further rounding (``math.fsum``), so the result
    does not depend on the order of the outcomes, and C·eps·S is an honest tolerance. The variance
    is summed about the mean; it is >= 0 for weights >= 0.

    Args:
        outcomes: "m ...", one outcome a row, any real numbers.
        weights: "m", finite, summing to one within 16·eps·m; Gauss-Hermite weights divided by
            their sum, or probabilities.
        allow_negative: accept weights below 0, as some quadrature rules have them; the
            variance may then come out negative.

    A coordinate in which an outcome is NaN or infinite, even at weight 0, has the mean and the
    variance NaN, which every comparison with a target rejects; its scales are of the finite
    outcomes. Moments too large for float64 are infinite, scales then the largest float.

    Raises:
        ValueError: no outcome; weights of another length, not finite, negative without leave, or
            not summing to one.
    """
    values = real_array("outcomes", outcomes)
    if values.ndim == 0 or values.size == 0:
        raise ValueError(f"outcomes have shape {values.shape}; wanted (m, ...) with entries")
    count = values.shape[0]
    law = _checked_weights(weights, count, allow_negative=allow_negative)
    columns = values.reshape(count, -1).T
    figures = np.array([_column_moments(column, law) for column in columns]).T
    mean, variance, mean_scale, variance_scale = figures.reshape(4, *values.shape[1:])
    return Moments(mean, variance, mean_scale, variance_scale)


def _checked_weights(weights: ArrayLike, count: int, *, allow_negative: bool) -> Floats:
    law = finite_array("weights", weights, (count,))
    if not allow_negative and (law < 0).any():
        raise ValueError(f"weights hold {law.min()}; wanted >= 0 (or allow_negative=True)")
    total = _total(law)
    if not abs(total - 1) <= ROUNDING * EPS64 * count:
        raise ValueError(f"weights sum to {total!r}; wanted 1 within {ROUNDING * EPS64 * count}")
    return law


def _column_moments(column: Floats, law: Floats) -> Floats:
    """Mean, variance and their scales of one coordinate, in units where no square overflows."""
    finite = np.isfinite(column)
    numbers = np.where(finite, column, 0.0)
    exponent = int(np.frexp(np.abs(numbers).max())[1])
    with np.errstate(all="ignore"):
        unit = np.ldexp(numbers, -exponent)
        mean = _total(law * unit)
        deviation = unit - mean
        variance = _total(law * deviation * deviation)
        mean_scale = _total(np.abs(law * unit))
        variance_scale = _total(np.abs(law) * unit * unit) + mean * mean
        figures: Floats = np.ldexp(
            np.array([mean, variance, mean_scale, variance_scale]),
            exponent * np.array([1, 2, 1, 2]),
        )
    if not finite.all():
        figures[:2] = np.nan
    figures[2:] = np.minimum(figures[2:], _LARGEST)
    return figures


def _total(array: Floats) -> float:
    """The correctly rounded sum of all entries; inf where it is too large, NaN where one is."""
    try:
        return math.fsum(array.ravel().tolist())
    except OverflowError:
        return math.inf
    except ValueError:  # inf - inf
        return math.nan
