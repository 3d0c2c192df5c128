"""The arrays of an observation in one piece of bytes, and where each of them lies in it.

As JSON an array would be a third longer, and marking a class would spend a quarter of its time on
turning text into bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.arrays import Array, encode_array
from harness.records import Statistics, canonical, sha256

#: Every array begins at a multiple of so many bytes, so that it can be used where it lies.
_ALIGNED = 8
#: check id -> name -> [dtype, shape, offset in bytes].
Layout = dict[str, dict[str, list[Any]]]


def pack(statistics: Statistics) -> tuple[Layout, bytes]:
    """The places of all arrays, and their bytes: little-endian, in C order."""
    layout: Layout = {}
    parts: list[bytes] = []
    offset = 0
    for check, arrays in statistics.items():
        layout[check] = {}
        for name, array in arrays.items():
            contiguous = np.ascontiguousarray(array)
            little = contiguous.dtype.newbyteorder("<")
            data = contiguous.astype(little, copy=False).tobytes()
            layout[check][name] = [little.str, list(array.shape), offset]
            parts.append(data + b"\0" * (-len(data) % _ALIGNED))
            offset += len(parts[-1])
    return layout, b"".join(parts)


def unpack(layout: Mapping[str, Mapping[str, Any]], data: bytes) -> dict[str, dict[str, Array]]:
    """The inverse of :func:`pack`. The arrays lie in ``data`` and cannot be written.

    Raises:
        ValueError, TypeError: places and bytes do not fit each other.
    """
    return {
        check: {name: _array(data, *place) for name, place in places.items()}
        for check, places in layout.items()
    }


def _array(data: bytes, dtype: str, shape: list[int], offset: int) -> Array:
    stored = np.dtype(dtype)
    count = math.prod(shape)
    if count == 0:  # numpy makes no view of an empty buffer
        return np.zeros(shape, stored.newbyteorder("="))
    array: Array = np.frombuffer(data, stored, count, offset).reshape(shape)
    return array if stored.isnative else array.astype(stored.newbyteorder("="))


def digest_array(array: Array) -> str:
    """A digest of dtype, shape and bytes."""
    return sha256(canonical(encode_array(array)))
