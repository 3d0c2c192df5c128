"""Frames between the grader and a worker: a small JSON header and raw little-endian buffers.

``u32 length | header | buffer | buffer …``. The header is a JSON object in ASCII that names every
buffer's dtype and shape; both are checked against an allow-list and a byte budget before a byte of
the body is read. A body is read into its arrays piece by piece, so it is held once. There is no
pickle, no object array and no text that is evaluated.

Used on both sides of the trust boundary, so it imports numpy and the standard library only.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_HEADER = 64 * 1024
MAX_BUFFERS = 256
MAX_RANK = 8
MAX_DEPTH = 32
DTYPES = ("float64", "float32", "int64", "uint8", "bool")

Array = NDArray[Any]
Buffer = bytes | memoryview
Read = Callable[[int], Buffer]

_LITTLE = {name: np.dtype(name).newbyteorder("<") for name in DTYPES}
_NAMES = {np.dtype(name): name for name in DTYPES}

_PIECE = 1 << 20
#: Bodies up to this size are sent and read in one piece: a step of an environment in one frame.
_SMALL = 1 << 14


class WireError(Exception):
    """A frame that breaks the protocol; nothing of it is used."""


@dataclass(frozen=True)
class Frame:
    """A decoded message and its arrays."""

    message: Mapping[str, Any]
    arrays: tuple[Array, ...]


def crosses(dtype: np.dtype[Any]) -> bool:
    """Whether an array of this dtype can be sent as it is."""
    return dtype in _NAMES


def encode(message: Mapping[str, Any], arrays: Sequence[Array] = ()) -> list[Buffer]:
    """The buffers to send, in order; those of large contiguous arrays are views and no copies.

    Raises:
        WireError: an array of a dtype that does not cross, too many of them, or a header that
            :func:`decode` would refuse.
    """
    if len(arrays) > MAX_BUFFERS:
        raise WireError(f"{len(arrays)} arrays in one frame; at most {MAX_BUFFERS} are sent")
    described, bodies = [], []
    for array in arrays:
        name = _NAMES.get(array.dtype) or array.dtype.name  # which takes 4 microseconds
        if name not in DTYPES:
            raise WireError(f"dtype {name} does not cross the boundary")
        described.append([name, list(array.shape)])
        little = np.ascontiguousarray(array, dtype=_LITTLE[name])
        bodies.append(little.reshape(-1).view(np.uint8).data)
    head = dict(message)
    _check(head, MAX_DEPTH)
    head["buffers"] = described
    try:
        header = _ENCODER.encode(head).encode("ascii")
    except ValueError as error:
        raise WireError("a header holds a number that is not finite") from error
    if len(header) > MAX_HEADER:
        raise WireError(f"a header of {len(header)} bytes is over the cap of {MAX_HEADER}")
    prefix = struct.pack("<I", len(header)) + header
    if sum(map(len, bodies)) <= _SMALL:  # in one piece, which wakes the other side once
        return [b"".join((prefix, *bodies))]
    return [prefix, *bodies]


def decode(read: Read, budget: int) -> Frame:
    """Reads one frame with ``read(n) -> exactly n bytes``; the body may hold ``budget`` bytes.

    Texts of the message may hold lone surrogates: a program's own words can.

    Raises:
        WireError: the frame lies about itself or is larger than allowed.
    """
    (length,) = struct.unpack("<I", read(4))
    if not 2 <= length <= MAX_HEADER:
        raise WireError(f"a header of {length} bytes; at most {MAX_HEADER} are read")
    message = _parse(bytes(read(length)))
    specs = [_buffer(spec) for spec in _buffers(message)]
    _check(message, MAX_DEPTH)
    total = sum(size for _, _, size in specs)
    if total > budget:
        raise WireError(f"a body of {total} bytes; at most {budget} are accepted here")
    if total <= _SMALL:
        read = _from(read(total))
    return Frame(message, tuple(_array(read, dtype, shape, size) for dtype, shape, size in specs))


def _from(body: Buffer) -> Read:
    """Reads a body that is there already."""
    place = 0

    def read(size: int) -> Buffer:
        nonlocal place
        place += size
        return body[place - size : place]

    return read


def _array(read: Read, dtype: str, shape: tuple[int, ...], size: int) -> Array:
    data = np.empty(size, dtype=np.uint8)
    for start in range(0, size, _PIECE):
        length = min(_PIECE, size - start)
        data[start : start + length] = np.frombuffer(read(length), dtype=np.uint8)
    # arrays that are equal must have equal bytes: replicates and digests are compared by them
    if dtype == "bool" and size and data.max() > 1:
        raise WireError("a truth value is something else than 0 or 1")
    return data.view(_LITTLE[dtype]).reshape(shape).astype(dtype, copy=False)


def _parse(header: bytes) -> dict[str, Any]:
    try:
        message = _DECODER.decode(header.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise WireError("the header is not JSON") from error
    if not isinstance(message, dict):
        raise WireError("the header is not a JSON object")
    return message


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in a header")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} in a header")
    return number


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_finite, parse_float=_finite)


def _check(value: dict[str, Any] | list[Any] | tuple[Any, ...], depth: int) -> None:
    """Raise WireError where a header is nested too deeply or holds an integer over 64 bits."""
    if not depth:
        raise WireError(f"a header is nested more than {MAX_DEPTH} levels deep")
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, int):
            if not -(2**63) <= item < 2**64:
                raise WireError("a header holds an integer of more than 64 bits")
        elif isinstance(item, dict | list | tuple):
            _check(item, depth - 1)


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
