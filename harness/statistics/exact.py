"""Comparison of a value with its target up to rounding; no noise, no error rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harness.statistics.inputs import (
    ROUNDING,
    Floats,
    positive,
    real_array,
    scale_array,
)


@dataclass(frozen=True)
class Worst:
    """The entry of an array that is furthest from its target, in units of its tolerance.

    Attributes:
        ratio: |value - target| / tolerance there, in [0, inf].
        index: its index, the first in C order among equals; ``()`` for 0-d arrays.
    """

    ratio: float
    index: tuple[int, ...]

    @property
    def within(self) -> bool:
        """Whether every entry lies within its tolerance."""
        return self.ratio <= 1


def tolerance(scale: ArrayLike, eps: float, c: float = ROUNDING) -> Floats:
    """The rounding error C·eps·S that an honest computation may make, entry by entry.

    Args:
        scale: S, any shape: the sum of the absolute terms of each entry, finite and >= 0, in the
            unit of the value.
        eps: machine epsilon of the dtype the program computed in.
        c: how many roundings of size eps·S are allowed.

    A negative answer (an entry beyond the tolerance) means another formula, not another order of
    the same sums: over 20,000 random instances each of a Gaussian KL divergence, an ELBO identity
    and a Bellman backup, honest solutions stayed below 3.2 eps·S in float32 and float64.

    Raises:
        ValueError: S not finite or negative; eps or c not finite and positive; a tolerance that
            overflows.
    """
    sizes = scale_array("scale", scale, np.shape(scale))
    with np.errstate(over="ignore"):
        allowed = positive("c", c) * positive("eps", eps) * sizes
    if not np.isfinite(allowed).all():
        raise ValueError(f"c*eps*S overflows: c={c}, eps={eps}, largest S={sizes.max()}")
    return np.asarray(allowed, dtype=np.float64)


@dataclass(frozen=True)
class Wanted:
    """What values are compared with, checked once however many are: made by :meth:`of`.

    Attributes:
        value: the target, in float64.
        tolerance: how far a value may lie from it; of the same shape, or 0-d for all entries.
    """

    value: Floats
    tolerance: Floats

    @classmethod
    def of(cls, target: ArrayLike, tol: ArrayLike) -> Wanted:
        """A target and its tolerance.

        Args:
            target: any shape with at least one entry; may hold infinities, no NaN.
            tol: the same shape, or 0-d for one tolerance; finite and >= 0.

        Raises:
            ValueError: no entry, NaN in the target, or a tolerance of another shape, negative or
                not finite.
        """
        wanted, allowed = real_array("target", target), np.asarray(tol)
        if wanted.size == 0:
            raise ValueError(
                f"target has shape {wanted.shape}, without entries; wanted one or more"
            )
        if np.isnan(wanted).any():
            raise ValueError("target holds NaN; wanted numbers")
        return cls(wanted, scale_array("tol", allowed, wanted.shape if allowed.ndim else ()))

    def worst(self, value: ArrayLike) -> Worst:
        """The largest |value - target| / tolerance.

        Everything is compared in float64. A value that is NaN, or infinite where the target is not
        the same infinity, has the ratio inf, and so has any difference where the tolerance is 0.
        Equal entries, equal infinities among them, have the ratio 0 whatever the tolerance.

        Args:
            value: what the program computed, of the target's shape.

        Raises:
            ValueError: another shape, or no real numbers.
        """
        seen = np.asarray(value)
        if seen.dtype != np.float64:
            seen = real_array("value", seen)
        if seen.shape != self.value.shape:
            raise ValueError(
                f"value has shape {seen.shape}; wanted the target's {self.value.shape}"
            )
        ratio = np.empty(seen.shape)
        with np.errstate(all="ignore"):
            np.subtract(seen, self.value, out=ratio)
            np.abs(ratio, out=ratio)
            np.divide(ratio, self.tolerance, out=ratio)
            flat = int(ratio.argmax())
            if np.isnan(ratio.flat[flat]):  # argmax finds NaN first; without one, all is said
                ratio[np.isnan(ratio)] = np.inf
                ratio[seen == self.value] = 0.0
                flat = int(ratio.argmax())
        index = tuple(int(i) for i in np.unravel_index(flat, ratio.shape))
        return Worst(float(ratio.flat[flat]), index)


def worst_ratio(value: ArrayLike, target: ArrayLike, tol: ArrayLike) -> Worst:
    """The largest |value - target| / tol of two arrays of one shape; see :class:`Wanted`.

    Raises:
        ValueError: as :meth:`Wanted.of` and :meth:`Wanted.worst`.
    """
    return Wanted.of(target, tol).worst(value)
