"""Arrays made from those of other calls: such as begin or end alike, such as have one sign.

A result that a program keeps by the part that is alike comes back where it is wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.spec import probabilities


def begun(old: Any, new: Any, *, has_laws: bool) -> Any:
    """The argument ``new``, its first row that of ``old``.

    Args:
        has_laws: whether vectors may be probabilities, whose sum is to stay what it is.

    Returns:
        ``new`` itself if it is no array, has another shape or one row, or nothing of it would be
        left; an array of its own otherwise.
    """
    if not _of_one_shape(old, new):
        return new
    old = np.asarray(old, dtype=new.dtype)
    mixed = np.concatenate([old[:1], new[1:]])
    if new.ndim == 1 and has_laws:
        mixed = probabilities.first_alike(old, new, mixed)
    return new if np.array_equal(mixed, old) else mixed


def ended(old: Any, new: Any, *, has_laws: bool) -> Any:
    """The argument ``new``, its last row that of ``old``; see :func:`begun`.

    Vectors that are probabilities are as they are.
    """
    if not _of_one_shape(old, new) or len(new) < 2:
        return new
    if new.ndim == 1 and has_laws and probabilities.sums_to_one(new):
        return new
    mixed = np.concatenate([new[:-1], np.asarray(old[-1:], dtype=new.dtype)])
    return new if np.array_equal(mixed, old) else mixed


def begun_along_axes(old: Any, new: Any) -> Any:
    """The argument ``new``, its first slice along every axis that of ``old``.

    Returns:
        ``new`` itself if it is no array or has another shape; an array of its own otherwise.
    """
    if not isinstance(new, np.ndarray) or np.shape(old) != new.shape:
        return new
    later = tuple(slice(int(size > 1), None) for size in new.shape)
    whole = np.array(old, dtype=new.dtype)
    whole[later] = new[later]
    return whole


def of_sign(array: Any, sign: int) -> Any:
    """The numbers of an array, those of the other sign reflected and scaled into its range.

    Zeros go a third of the way to the end of the range.

    Args:
        sign: 1 or -1.

    Returns:
        ``array`` itself unless it is one of float64 with numbers of both signs, all finite.
    """
    if not isinstance(array, np.ndarray) or array.dtype != np.float64 or not array.size:
        return array
    most, least = (sign * array).max(), (sign * array).min()
    if not (least < 0 < most and np.isfinite(array).all()):
        return array
    # to nine tenths of the other end, so that the two ends do not become equal
    reflected = np.where(sign * array < 0, 0.9 * array * (most / least), array)
    return np.where(array == 0, sign * most / 3, reflected)


def all_true(array: Any) -> Any:
    """Truth values that are all true; ``array`` itself unless it holds some that are not."""
    if not isinstance(array, np.ndarray) or array.dtype != bool or array.all():
        return array
    return np.ones_like(array)


def _of_one_shape(old: Any, new: Any) -> bool:
    return isinstance(new, np.ndarray) and np.shape(old) == new.shape and new.ndim > 0
