"""Arrays, and odd numbers, as JSON holds them without losing a bit.

An array is stored as its dtype, shape and little-endian bytes in base64, so NaN and infinities need
no special spelling.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def encode_array(array: Array) -> dict[str, Any]:
    """An array as JSON, without losing a bit."""
    contiguous = np.ascontiguousarray(array)
    little = contiguous.astype(contiguous.dtype.newbyteorder("<"), copy=False)
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "data": base64.b64encode(little.tobytes()).decode("ascii"),
    }


def decode_array(record: Mapping[str, Any]) -> Array:
    """The inverse of :func:`encode_array`."""
    stored, native = _dtypes(record["dtype"])
    flat = np.frombuffer(base64.b64decode(record["data"]), dtype=stored)
    return flat.astype(native).reshape(record["shape"])


@lru_cache(maxsize=32)
def _dtypes(name: str) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """A dtype as arrays of it are stored, little-endian, and as this machine computes with it."""
    dtype = np.dtype(name)
    return dtype.newbyteorder("<"), dtype


def encoded(nested: Mapping[str, Mapping[str, Array]]) -> dict[str, dict[str, Any]]:
    """Named arrays of named groups as JSON."""
    return {
        group: {name: encode_array(array) for name, array in arrays.items()}
        for group, arrays in nested.items()
    }


def decoded(nested: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Array]]:
    """The inverse of :func:`encoded`."""
    return {
        group: {name: decode_array(array) for name, array in arrays.items()}
        for group, arrays in nested.items()
    }


def finite_or_text(number: float) -> float | str:
    """A number as JSON evidence: itself if finite, else ``"nan"``, ``"inf"`` or ``"-inf"``."""
    value = float(number)
    return value if np.isfinite(value) else str(value)
