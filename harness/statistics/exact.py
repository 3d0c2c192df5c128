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


def worst_ratio(value: ArrayLike, target: ArrayLike, tol: ArrayLike) -> Worst:
    """The largest |value - target| / tol of two arrays of one shape.

    Everything is compared in float64. A value that is NaN, or infinite where the target is not the
    same infinity, has the ratio inf, and so has any difference where the tolerance is 0. Equal
    entries, equal infinities among them, have the ratio 0 whatever the tolerance.

    Args:
        value: what the program computed, any shape with at least one entry.
        target: the same shape; may hold infinities, no NaN.
        tol: the same shape, or 0-d for one tolerance; finite and >= 0.

    Raises:
        ValueError: shapes that differ, no entry, NaN in the target, or a tolerance that is
            negative or not finite.
    """
    seen, wanted = real_array("value", value), real_array("target", target)
    allowed = real_array("tol", tol)
    if seen.shape != wanted.shape:
        raise ValueError(f"value has shape {seen.shape}; wanted the target's {wanted.shape}")
    if seen.size == 0:
        raise ValueError(f"value has shape {seen.shape}, without entries; wanted at least one")
    if np.isnan(wanted).any():
        raise ValueError("target holds NaN; wanted numbers")
    allowed = scale_array("tol", allowed, wanted.shape if allowed.ndim else ())
    with np.errstate(all="ignore"):
        ratio = np.abs(seen - wanted) / allowed
    ratio = np.where(np.isfinite(seen) & np.isfinite(wanted), ratio, np.inf)
    ratio = np.where(seen == wanted, 0.0, ratio)
    flat = int(ratio.argmax())
    index = tuple(int(i) for i in np.unravel_index(flat, ratio.shape))
    return Worst(float(ratio.ravel()[flat]), index)
