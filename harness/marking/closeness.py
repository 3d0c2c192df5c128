"""Which entries of two arrays differ by more than rounding, each judged by a scale of its own."""

from __future__ import annotations

import numpy as np

from harness.records import Array

#: Entries count as equal up to this relative difference, plus this share of their scale.
_RELATIVE = 1e-9
_ROUNDING = 1e-13
#: What is smaller than this share of its surroundings is what cancellation leaves of a zero.
_NEGLIGIBLE = 1e-15


def wrong_entries(own: Array, reference: Array) -> Array:
    """A mask of the entries that differ beyond rounding; both arrays have the same shape.

    NaN equals NaN, an infinity the same infinity. What rounding is excused depends on the entry
    itself and on what is usual in its row and its column (see :func:`tolerance`), so one extreme
    row does not excuse the errors of the others.
    """
    a, b = own.astype(np.float64), reference.astype(np.float64)
    with np.errstate(all="ignore"):
        within = np.abs(a - b) <= tolerance(b)
    wrong: Array = ~((a == b) | within | (np.isnan(a) & np.isnan(b)))
    return wrong


def tolerance(array: Array) -> Array:
    """What rounding is excused at every entry; 0 where it is not finite."""
    values = array.astype(np.float64)
    row, column = _usual(values)
    with np.errstate(all="ignore"):
        excused = _RELATIVE * np.abs(values) + _ROUNDING * np.minimum(row, column)
        negligible = _NEGLIGIBLE * np.maximum(row, column)
        excused = np.where(np.abs(values) <= negligible, excused + 2 * negligible, excused)
    return np.where(np.isfinite(values), excused, 0.0)


def same(own: Array, reference: Array) -> bool:
    """Whether two arrays have one shape and no entry differs beyond rounding."""
    return own.shape == reference.shape and not bool(wrong_entries(own, reference).any())


def relative_differences(own: Array, reference: Array) -> Array:
    """The difference of every entry, in units of the larger of the two; infinite if undefined."""
    a, b = own.astype(np.float64), reference.astype(np.float64)
    with np.errstate(all="ignore"):
        relative = np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))
    return np.where(np.isnan(relative), np.where(a == b, 0.0, np.inf), relative)


def ordinary_entry(own: Array, reference: Array, wrong: Array) -> tuple[int, ...]:
    """The index of the wrong entry whose relative difference is the median one.

    Entries that are finite in both arrays come before those that are not.
    """
    indices = np.argwhere(wrong)
    relative = relative_differences(own, reference)[wrong]
    order = np.argsort(relative, kind="stable")
    finite = order[np.isfinite(relative[order])]
    order = finite if finite.size else order
    return tuple(int(position) for position in indices[order[(len(order) - 1) // 2]])


def _usual(array: Array) -> tuple[Array, Array]:
    """What is usual in the row and in the column of every entry: medians of absolute values.

    Zeros, infinities and NaN do not count; where nothing else is in a row or a column, the median
    of the whole array stands for it. A vector is one column, and has the same for its rows.
    """
    magnitudes = np.where(np.isfinite(array) & (array != 0), np.abs(array), np.nan)
    if magnitudes.ndim == 0 or not magnitudes.size:
        alone = np.nan_to_num(magnitudes, nan=0.0)
        return alone, alone
    whole = np.nan_to_num(_median(magnitudes, tuple(range(magnitudes.ndim))), nan=0.0)
    column = _median(magnitudes, (0,))
    row = _median(magnitudes, tuple(range(1, magnitudes.ndim))) if magnitudes.ndim > 1 else column
    return np.where(np.isnan(row), whole, row), np.where(np.isnan(column), whole, column)


def _median(magnitudes: Array, axes: tuple[int, ...]) -> Array:
    """The median of what is not NaN along some axes, which are kept; NaN where nothing is left."""
    known = np.any(~np.isnan(magnitudes), axis=axes, keepdims=True)
    # a row of NaN alone is replaced by zeros, since numpy warns of a median of nothing
    median = np.nanmedian(np.where(known, magnitudes, 0.0), axis=axes, keepdims=True)
    return np.where(known, median, np.nan)
