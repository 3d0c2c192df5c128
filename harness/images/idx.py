"""Files of the MNIST format (idx) as arrays; read without trusting a word of them.

Nothing is allocated by what a header says: a file is read and unpacked up to a limit, and its
length decides whether the header is true.

Source: the description at Y. LeCun, C. Cortes and C. Burges, *The MNIST database*.
"""

from __future__ import annotations

import math
import zlib

import numpy as np
from numpy.typing import NDArray

from harness.errors import UsageError

#: The largest file, packed or not, in bytes: the images that train Fashion-MNIST take 47 million.
MOST_BYTES = 64 * 2**20
_GZIP = b"\x1f\x8b"
_UNSIGNED_BYTE, _MOST_AXES = 8, 3
_AGAIN = "get the file again"


def parse(content: bytes, place: str) -> NDArray[np.uint8]:
    """The array of one idx file of unsigned bytes, not packed; it can't be written to.

    Args:
        content: the whole file.
        place: what the file is called in messages.

    Raises:
        UsageError: it is cut off, or holds something else.
    """
    if len(content) < 4 or content[:2] != b"\0\0":
        begin = content[:4].hex(" ") or "nothing"
        raise UsageError(
            f"{place}: it begins with {begin}, and an idx file with 00 00: name the .gz that was "
            "published, or what it unpacks to"
        )
    kind, axes = content[2], content[3]
    if kind != _UNSIGNED_BYTE or not 1 <= axes <= _MOST_AXES:
        raise UsageError(
            f"{place}: numbers of type {kind:#04x} on {axes} axes; wanted are unsigned bytes "
            f"(0x08) on 1 to {_MOST_AXES}: name a file of images or of labels"
        )
    header = 4 + 4 * axes
    if len(content) < header:
        raise UsageError(f"{place}: it ends in its header, at byte {len(content)}: {_AGAIN}")
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, header, 4)]
    if len(content) - header != math.prod(shape):
        raise UsageError(
            f"{place}: {len(content) - header} bytes follow the header, which says "
            f"{' x '.join(map(str, shape))} = {math.prod(shape)}: {_AGAIN}"
        )
    if 0 in shape:
        raise UsageError(f"{place}: its header says {' x '.join(map(str, shape))}, so it is empty")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)


def unpacked(content: bytes, place: str) -> bytes:
    """What a file packed by gzip unpacks to; one that is not packed is returned as it is.

    Args:
        content: the whole file.
        place: what the file is called in messages.

    Raises:
        UsageError: it is too large, damaged or cut off.
    """
    if len(content) > MOST_BYTES:
        raise _too_large(place)
    if not content.startswith(_GZIP):
        return content
    machine = zlib.decompressobj(wbits=31)
    try:
        result = machine.decompress(content, MOST_BYTES)
    except zlib.error as error:
        raise UsageError(f"{place}: its gzip is damaged ({error}): {_AGAIN}") from error
    if not machine.eof and len(result) == MOST_BYTES:
        raise _too_large(place)
    if not machine.eof:
        raise UsageError(f"{place}: its gzip is cut off at byte {len(content)}: {_AGAIN}")
    if machine.unused_data:
        raise UsageError(
            f"{place}: {len(machine.unused_data)} bytes follow the end of its gzip: {_AGAIN}"
        )
    return result


def _too_large(place: str) -> UsageError:
    return UsageError(
        f"{place}: more than {MOST_BYTES // 2**20} MiB; the largest published file has 45: {_AGAIN}"
    )
