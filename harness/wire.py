"""Frames between the grader and a worker: a small JSON header and raw little-endian buffers.

``u32 length | header | buffer | buffer …``. The header names every buffer's dtype and shape; both
are checked against an allow-list and a byte budget before a byte of the body is read. There is no
pickle, no object array and no text that is evaluated.

Used on both sides of the trust boundary, so it imports numpy and the standard library only.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_HEADER = 64 * 1024
MAX_BUFFERS = 256
MAX_RANK = 8
DTYPES = ("float64", "float32", "int64", "uint8", "bool")

Array = NDArray[Any]
Read = Callable[[int], bytes]


class WireError(Exception):
    """A frame that breaks the protocol; nothing of it is used."""


@dataclass(frozen=True)
class Frame:
    """A decoded message and its arrays."""

    message: Mapping[str, Any]
    arrays: tuple[Array, ...]


def encode(message: Mapping[str, Any], arrays: Sequence[Array] = ()) -> list[bytes]:
    """The buffers to send, in order.

    Raises:
        WireError: an array of a dtype that does not cross, too many of them, a header that is too
            large or that holds a number that JSON does not have.
    """
    if len(arrays) > MAX_BUFFERS:
        raise WireError(f"{len(arrays)} arrays in one frame; at most {MAX_BUFFERS} are sent")
    buffers = []
    for array in arrays:
        if array.dtype.name not in DTYPES:
            raise WireError(f"dtype {array.dtype.name} does not cross the boundary")
        # ascontiguousarray would turn a scalar into a vector, so the shape is read before
        little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        buffers.append((array.dtype.name, array.shape, little.tobytes()))
    head = dict(message)
    head["buffers"] = [[dtype, list(shape)] for dtype, shape, _ in buffers]
    try:
        header = json.dumps(head, separators=(",", ":"), allow_nan=False).encode("ascii")
    except ValueError as error:
        raise WireError("a header holds a number that is not finite") from error
    if len(header) > MAX_HEADER:
        raise WireError(f"a header of {len(header)} bytes is over the cap of {MAX_HEADER}")
    return [struct.pack("<I", len(header)), header, *(data for _, _, data in buffers)]


def decode(read: Read, budget: int) -> Frame:
    """Reads one frame with ``read(n) -> exactly n bytes``; the body may hold ``budget`` bytes.

    Raises:
        WireError: the frame lies about itself or is larger than allowed.
    """
    (length,) = struct.unpack("<I", read(4))
    if not 2 <= length <= MAX_HEADER:
        raise WireError(f"a header of {length} bytes; at most {MAX_HEADER} are read")
    message = _parse(read(length))
    specs = [_buffer(spec) for spec in _buffers(message)]
    total = sum(size for _, _, size in specs)
    if total > budget:
        raise WireError(f"a body of {total} bytes; at most {budget} are accepted here")
    return Frame(message, tuple(_array(read(size), dtype, shape) for dtype, shape, size in specs))


def _array(data: bytes, dtype: str, shape: tuple[int, ...]) -> Array:
    # arrays that are equal must have equal bytes: replicates and digests are compared by them
    if dtype == "bool" and data.strip(b"\0\1"):
        raise WireError("a truth value is something else than 0 or 1")
    return np.frombuffer(data, dtype=np.dtype(dtype)).reshape(shape).copy()


def _parse(header: bytes) -> dict[str, Any]:
    try:
        message = json.loads(header, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise WireError("the header is not JSON") from error
    if not isinstance(message, dict):
        raise WireError("the header is not a JSON object")
    return message


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} in a header")


def _buffers(message: dict[str, Any]) -> list[Any]:
    specs = message.pop("buffers", [])
    if not isinstance(specs, list) or len(specs) > MAX_BUFFERS:
        raise WireError("the header's list of buffers is not usable")
    return specs


def _buffer(spec: object) -> tuple[str, tuple[int, ...], int]:
    match spec:
        case [str(dtype), list(dims)] if dtype in DTYPES and len(dims) <= MAX_RANK:
            pass
        case _:
            raise WireError("a buffer is described by an allowed dtype and a short shape")
    size = np.dtype(dtype).itemsize
    for dim in dims:
        if type(dim) is not int or not 0 <= dim < 2**40:
            raise WireError("a shape holds something else than small non-negative integers")
        size *= max(dim, 1)
        if size >= 2**62:
            raise WireError("a shape overflows")
    return dtype, tuple(dims), 0 if 0 in dims else size
