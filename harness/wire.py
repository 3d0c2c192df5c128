"""Frames between the grader and a worker: a small JSON header and raw little-endian buffers.

``u32 length | header | buffer | buffer …``. The header is a JSON object in ASCII that names every
buffer's dtype and shape; both are checked against an allow-list and a byte budget before a byte of
the body is read. A body is read into its arrays piece by piece, so it is held once. There is no
pickle, no object array and no text that is evaluated.

A header that equals the one before it in the same direction is left out, and its length is then 0:
the steps of a served environment are all alike. What it says was checked when it was read.

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
_NATIVE = {name: np.dtype(name) for name in DTYPES}
_NAMES = {np.dtype(name): name for name in DTYPES}

_PIECE = 1 << 20
#: Arrays up to this size are copied to be sent, which costs less than a view.
_SMALL = 1 << 12
#: Bytes that a stream holds at first.
_ROOM = 1 << 15
#: Types of what a header may hold that is left out in the next frame: values that never change, and
#: that are equal only where JSON has them equal.
_PLAIN = frozenset({str, int, bool, type(None)})


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


class Writer:
    """Encodes the frames that one end of a connection sends, in their order."""

    def __init__(self) -> None:
        self._message: dict[str, Any] | None = None  # of the last header, where it may be left out
        self._types: list[type] = []
        self._described: list[tuple[np.dtype[Any], tuple[int, ...]]] = []

    def encode(self, message: Mapping[str, Any], arrays: Sequence[Array] = ()) -> list[Buffer]:
        """See :func:`encode`; the header is left out where it equals the last one."""
        described = [(array.dtype, array.shape) for array in arrays]
        types = list(map(type, message.values()))
        if message == self._message and types == self._types and described == self._described:
            return [_SAME, *map(_body, arrays)]
        self._message = None  # an error below leaves the other end with an older header
        buffers = encode(message, arrays)
        if _PLAIN.issuperset(types):
            self._message, self._types, self._described = dict(message), types, described
        return buffers


class Reader:
    """Decodes the frames that the other end of a connection sends, in their order.

    ``read(n)`` gives exactly n bytes, valid until the next call; a body may hold ``budget`` bytes.
    """

    def __init__(self, read: Read, budget: int) -> None:
        self._read = read
        self._budget = budget
        self._last: _Header | None = None

    def decode(self) -> Frame:
        """Reads one frame.

        Texts of the message may hold lone surrogates: a program's own words can.

        Raises:
            WireError: the frame lies about itself or is larger than allowed.
        """
        (length,) = _LENGTH.unpack(self._read(4))
        header = self._last
        if length or header is None:
            header, self._last = _header(self._read, length, self._budget), None
            if _PLAIN.issuperset(map(type, header.message.values())):
                self._last = header
        arrays = tuple([_array(self._read, *buffer) for buffer in header.buffers])
        return Frame(dict(header.message), arrays)


class Stream:
    """What comes over a connection, received as it comes and read in pieces.

    ``receive(view)`` waits for bytes, writes them to the view and says how many they are.
    """

    def __init__(self, receive: Callable[[memoryview], int]) -> None:
        self._receive = receive
        self._view = memoryview(bytearray(_ROOM))
        self._start = self._end = 0  # of what was received and not read

    @property
    def rest(self) -> int:
        """How many bytes were received and not read."""
        return self._end - self._start

    def read(self, size: int) -> memoryview:
        """Exactly ``size`` bytes, valid until the next call."""
        if size > self.rest:
            self._fill(size)
        start = self._start
        self._start += size
        return self._view[start : self._start]

    def _fill(self, size: int) -> None:
        held, rest = self._view, self.rest
        if size > len(held):
            self._view = memoryview(bytearray(max(size, 2 * len(held))))
        self._view[:rest] = held[self._start : self._end]
        self._start, self._end = 0, rest
        while self._end < size:
            self._end += self._receive(self._view[self._end :])


def encode(message: Mapping[str, Any], arrays: Sequence[Array] = ()) -> list[Buffer]:
    """The buffers to send, in order; those of large contiguous arrays are views and no copies.

    Raises:
        WireError: an array of a dtype that does not cross, too many of them, or a header that
            :func:`decode` would refuse.
    """
    if len(arrays) > MAX_BUFFERS:
        raise WireError(f"{len(arrays)} arrays in one frame; at most {MAX_BUFFERS} are sent")
    described = []
    for array in arrays:
        name = _NAMES.get(array.dtype) or array.dtype.name  # which takes 4 microseconds
        if name not in DTYPES:
            raise WireError(f"dtype {name} does not cross the boundary")
        described.append([name, list(array.shape)])
    head = dict(message)
    _check(head, MAX_DEPTH)
    head["buffers"] = described
    try:
        header = _ENCODER.encode(head).encode("ascii")
    except ValueError as error:
        raise WireError("a header holds a number that is not finite") from error
    if len(header) > MAX_HEADER:
        raise WireError(f"a header of {len(header)} bytes is over the cap of {MAX_HEADER}")
    return [_LENGTH.pack(len(header)) + header, *map(_body, arrays)]


def unsent(buffers: Sequence[Buffer], sent: int) -> list[Buffer]:
    """What is left of buffers of which so many bytes were sent."""
    for place, buffer in enumerate(buffers):
        if sent < len(buffer):
            return [memoryview(buffer)[sent:], *buffers[place + 1 :]]
        sent -= len(buffer)
    return []


def _body(array: Array) -> Buffer:
    """The bytes of an array whose dtype crosses."""
    little = array.astype(_LITTLE[_NAMES.get(array.dtype) or array.dtype.name], copy=False)
    if array.nbytes <= _SMALL:
        return little.tobytes()
    return np.ascontiguousarray(little).reshape(-1).view(np.uint8).data


def decode(read: Read, budget: int) -> Frame:
    """Reads one frame by itself; see :class:`Reader`.

    Raises:
        WireError: the frame lies about itself or is larger than allowed.
    """
    return Reader(read, budget).decode()


@dataclass(frozen=True)
class _Header:
    """A header that was checked.

    Attributes:
        buffers: dtype, shape and size in bytes of each array.
    """

    message: dict[str, Any]
    buffers: tuple[tuple[str, tuple[int, ...], int], ...]


def _header(read: Read, length: int, budget: int) -> _Header:
    if not 2 <= length <= MAX_HEADER:
        raise WireError(f"a header of {length} bytes; at most {MAX_HEADER} are read")
    message = _parse(bytes(read(length)))
    buffers = tuple(_buffer(spec) for spec in _buffers(message))
    _check(message, MAX_DEPTH)
    total = sum(size for _, _, size in buffers)
    if total > budget:
        raise WireError(f"a body of {total} bytes; at most {budget} are accepted here")
    return _Header(message, buffers)


def _array(read: Read, dtype: str, shape: tuple[int, ...], size: int) -> Array:
    if size <= _PIECE:
        body = read(size)
        # arrays that are equal must have equal bytes: replicates and digests are compared by them
        if dtype == "bool" and bytes(body).translate(None, b"\0\1"):
            raise WireError(_NO_TRUTH)
        return np.ndarray(shape, _LITTLE[dtype], body).astype(_NATIVE[dtype])
    data = np.empty(size, dtype=np.uint8)
    for start in range(0, size, _PIECE):
        length = min(_PIECE, size - start)
        data[start : start + length] = np.frombuffer(read(length), dtype=np.uint8)
    if dtype == "bool" and data.max() > 1:
        raise WireError(_NO_TRUTH)
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


_NO_TRUTH = "a truth value is something else than 0 or 1"
_LENGTH = struct.Struct("<I")
_SAME = _LENGTH.pack(0)
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
