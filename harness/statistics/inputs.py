"""What every statistic demands of its arguments, in one wording."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: The sufficient statistics of one observation, as they are stored.
Summary = Mapping[str, NDArray[Any]]

#: Integers up to here are exact in float64.
EXACT_INTEGERS = 2**53
EPS64 = float(np.finfo(np.float64).eps)
#: Rounding allowance in units of eps times the size of the terms: five times the largest error
#: measured on honest float32 and float64 solutions (3.2).
ROUNDING = 16.0


def real_array(name: str, value: ArrayLike) -> Floats:
    """``value`` as float64, of any shape, NaN and infinities kept.

    Raises:
        ValueError: not real numbers, or integers that float64 cannot hold exactly.
    """
    array = np.asarray(value)
    if array.dtype == np.float64:
        return array.copy()
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} has dtype {array.dtype}; wanted real numbers")
    if array.dtype.kind in "iu" and array.size and not _held_exactly(array):
        raise ValueError(f"{name} holds integers beyond 2**53, which float64 cannot hold exactly")
    with np.errstate(over="ignore"):
        return array.astype(np.float64)


def _held_exactly(array: NDArray[Any]) -> bool:
    return int(array.max()) <= EXACT_INTEGERS and int(array.min()) >= -EXACT_INTEGERS


def shaped(name: str, value: ArrayLike, wanted: str, *, least: tuple[int, ...]) -> Floats:
    """``value`` as float64 with ``len(least)`` axes, axis i of length ``least[i]`` or more.

    ``wanted`` names the axes for the message, such as ``"n d"``.

    Raises:
        ValueError: another number of axes, or an axis too short.
    """
    array = real_array(name, value)
    if array.ndim != len(least):
        raise ValueError(f"{name} has shape {array.shape}; wanted axes ({wanted})")
    if any(seen < want for seen, want in zip(array.shape, least, strict=True)):
        raise ValueError(f"{name} has shape {array.shape}; wanted ({wanted}) of at least {least}")
    return array


def finite_array(name: str, value: ArrayLike, shape: tuple[int, ...]) -> Floats:
    """``value`` as finite float64 of exactly ``shape``.

    Raises:
        ValueError: another shape, or an entry that is NaN or infinite.
    """
    array = real_array(name, value)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}; wanted {shape}")
    usable = np.isfinite(array)
    if not usable.all():
        wrong = int((~usable).sum())
        raise ValueError(f"{name} has {wrong} entries that are not finite; wanted none")
    return array


def scale_array(name: str, value: ArrayLike, shape: tuple[int, ...]) -> Floats:
    """``value`` as finite, non-negative float64 of exactly ``shape``.

    Raises:
        ValueError: another shape, or an entry that is NaN, infinite or negative.
    """
    array = finite_array(name, value, shape)
    if (array < 0).any():
        raise ValueError(f"{name} has the negative entry {array.min()}; wanted sizes >= 0")
    return array


def probability(name: str, value: float) -> float:
    """``value`` strictly between 0 and 1.

    Raises:
        ValueError: anything else, NaN included.
    """
    if not 0 < value < 1:
        raise ValueError(f"{name} is {value}; wanted a probability strictly between 0 and 1")
    return float(value)


def positive(name: str, value: float) -> float:
    """``value``, finite and above 0.

    Raises:
        ValueError: anything else, NaN included.
    """
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value}; wanted a finite number above 0")
    return float(value)


def finite(name: str, value: float) -> float:
    """``value``, neither NaN nor infinite.

    Raises:
        ValueError: anything else.
    """
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}; wanted a finite number")
    return float(value)


def whole(name: str, value: int, *, least: int) -> int:
    """``value`` as an int of at least ``least``.

    Raises:
        ValueError: not a whole number, or too small.
    """
    if not math.isfinite(value) or int(value) != value or value < least:
        raise ValueError(f"{name} is {value}; wanted a whole number of at least {least}")
    return int(value)


def stored(summary: Summary, name: str, *, ndim: int) -> NDArray[Any]:
    """Entry ``name`` of a summary, with ``ndim`` axes.

    Raises:
        ValueError: the entry is missing or has another number of axes.
    """
    if name not in summary:
        raise ValueError(f"the summary holds {sorted(summary)}; wanted {name!r} too")
    array = np.asarray(summary[name])
    if array.ndim != ndim:
        raise ValueError(f"summary entry {name!r} has shape {array.shape}; wanted {ndim} axes")
    return array


def stored_size(summary: Summary, *, least: int) -> int:
    """The stored number of draws, at least ``least``.

    Raises:
        ValueError: missing, not whole, or too small for a decision.
    """
    return whole("stored n", stored(summary, "n", ndim=0).item(), least=least)


def stored_figures(summary: Summary, name: str, usable: NDArray[np.bool_]) -> Floats:
    """Entry ``name`` as float64 of the shape of ``usable``, finite wherever ``usable`` holds.

    Raises:
        ValueError: missing, of another shape, or NaN or infinite where a number must stand.
    """
    array = real_array(f"summary entry {name!r}", stored(summary, name, ndim=usable.ndim))
    if array.shape != usable.shape:
        raise ValueError(f"summary entry {name!r} has shape {array.shape}; wanted {usable.shape}")
    if not np.isfinite(array[usable]).all():
        raise ValueError(f"summary entry {name!r} is not finite although its samples were")
    return array
