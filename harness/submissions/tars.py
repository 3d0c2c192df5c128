"""Gzipped tar archives, read strictly: one stream, sizes that fit, nothing behind the end.

The work is linear in the bytes that are unpacked, and unpacking stops at the limit; what nobody
wants is passed over and never held. Of the two ways to give a long name (GNU's and POSIX's) both
are read; what else an extended header may change is refused or has no effect.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from harness.submissions.members import (
    LONGEST_NAME,
    Budget,
    Member,
    damaged,
    refused_length,
    too_many,
)
from harness.submissions.records import Limits

_BLOCK = 512
_CHUNK = 64 * 1024
_LARGEST_EXTENSION = 64 * 1024

_FILES, _FOLDER, _SPARSE = (b"0", b"\0"), b"5", b"S"
_LONG_NAME, _LONG_LINK = b"L", b"K"
_EXTENDED, _GLOBAL = (b"x", b"X"), b"g"
_ZEROS = bytes(_BLOCK)
_OCTAL = re.compile(rb"[0-7]*")
_RECORD_LENGTH = re.compile(rb"[1-9][0-9]{0,5} ")


#: How many bytes of a member to keep, by its folders and its name; 0 for one that nobody wants.
Keep = Callable[[str], int]


@dataclass
class _Next:
    """What headers said about the member that follows them."""

    name: bytes | None = None
    size: int | None = None
    refusal: str = ""

    def rename(self, name: bytes) -> None:
        if self.name is not None:
            raise damaged("a member has two names")
        self.name = name


class _Stream:
    """The one gzip stream that some bytes are, unpacked in pieces; it may be padded with zeros."""

    def __init__(self, data: bytes, budget: Budget) -> None:
        self._unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._packed = memoryview(data)
        self._used = 0
        self._plain = b""
        self._at = 0
        self._budget = budget

    def read(self, count: int) -> bytes:
        """The next bytes: as many as asked for, fewer only at the end of the stream."""
        pieces = []
        while count and (len(self._plain) > self._at or self._more()):
            piece = self._plain[self._at : self._at + count]
            self._at += len(piece)
            count -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def skip(self, count: int) -> int:
        """Passes over bytes; how many there were."""
        left = count
        while left and (len(self._plain) > self._at or self._more()):
            step = min(left, len(self._plain) - self._at)
            self._at += step
            left -= step
        return count - left

    def check_end(self) -> None:
        """Raise ArchiveError unless nothing but zeros follows, in the stream and behind it."""
        while len(self._plain) > self._at or self._more():
            if self._plain[self._at :].strip(b"\0"):
                raise damaged("what follows the last member is not a member")
            self._at = len(self._plain)
        if not self._unpacker.eof:
            raise damaged("it ends too early")
        behind = bytes(self._packed[self._used :])
        if self._unpacker.unused_data.strip(b"\0") or behind.strip(b"\0"):
            raise damaged("it holds more than one gzip stream")

    def _more(self) -> bool:
        """Unpacks the next piece; False at the end of the stream."""
        unpacker = self._unpacker
        while not unpacker.eof:
            packed: bytes | memoryview = unpacker.unconsumed_tail
            if not packed:
                packed = self._packed[self._used : self._used + _CHUNK]
                self._used += len(packed)
                if not packed:
                    return False
            self._plain, self._at = unpacker.decompress(packed, _CHUNK), 0
            self._budget.unpack(len(self._plain))
            if self._plain:
                return True
        return False


def members(data: bytes, limits: Limits, keep: Keep, budget: Budget) -> Iterator[Member]:
    """The members of a gzipped tar archive, in its order.

    Of each no more is kept than ``keep`` says; the rest is passed over.

    Raises:
        ArchiveError: the archive has too many of them or of bytes, or contradicts itself.
    """
    stream = _Stream(data, budget)
    headers = found = 0
    following = _Next()
    while True:
        block = stream.read(_BLOCK)
        if len(block) < _BLOCK:
            raise damaged("it ends too early")
        if block == _ZEROS:
            break
        headers += 1
        if headers > 4 * limits.archive_members:  # a member may have three headers before its own
            raise too_many(limits)
        kind, size = _checked(block)
        if kind in (_LONG_NAME, _LONG_LINK, *_EXTENDED, _GLOBAL):
            if size > _LARGEST_EXTENSION:
                raise damaged(f"an extended header of more than {_LARGEST_EXTENSION} bytes")
            content = _content(stream, size, size, padding=True)
            _extend(following, kind, content)
            continue
        found += 1
        if found > limits.archive_members:
            raise too_many(limits)
        if following.size not in (None, size):
            raise damaged("a member has two sizes")
        member = _described(block, following, kind, size)
        content = _content(stream, size, 0 if member.refusal else keep(member.name))
        budget.hold(len(content))
        yield replace(member, read=partial(_first, content))
        following = _Next()
    if following != _Next():
        raise damaged("a header has no member")
    stream.check_end()


def _content(stream: _Stream, size: int, kept: int, *, padding: bool = False) -> bytes:
    """The first bytes of a member; the rest, and what fills its last block, is passed over."""
    content = stream.read(min(size, kept))
    rest = size - len(content)
    fill = -size % _BLOCK
    if stream.skip(rest) < rest:
        raise damaged("a member ends beyond the archive")
    if stream.read(fill).strip(b"\0") and padding:
        raise damaged("the padding of a header is not empty")
    return content


def _first(content: bytes, size: int) -> bytes:
    return content[:size]


def _checked(block: bytes) -> tuple[bytes, int]:
    """The kind and the size in a header whose checksum is right."""
    if _number(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * ord(" "):
        raise damaged("the checksum of a header is wrong")
    return block[156:157], _number(block[124:136])


def _number(field: bytes) -> int:
    """Octal digits, or GNU's form for numbers that are too large for them."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    if field[0] == 0xFF:
        raise damaged("a member has a negative size")
    digits = field.split(b"\0")[0].strip(b" ")
    if not _OCTAL.fullmatch(digits):
        raise damaged("a header holds something else than a number")
    return int(digits or b"0", 8)


def _extend(following: _Next, kind: bytes, content: bytes) -> None:
    if kind == _LONG_NAME:
        following.rename(content.split(b"\0")[0])
    elif kind == _GLOBAL:
        records = _records(content)
        if records.keys() & {b"path", b"size", b"linkpath", b"hdrcharset"} or _is_sparse(records):
            raise damaged("a header for all members gives them a name or a size")
    elif kind in _EXTENDED:
        records = _records(content)
        if records.get(b"hdrcharset", b"ISO-IR 10646 2000 UTF-8") != b"ISO-IR 10646 2000 UTF-8":
            raise damaged("its names are not UTF-8")
        if _is_sparse(records):
            following.refusal = "is sparse"
        if b"path" in records:
            following.rename(records[b"path"])
        if b"size" in records:
            following.size = _decimal(records[b"size"])


def _decimal(text: bytes) -> int:
    if not re.fullmatch(rb"[0-9]{1,20}", text):
        raise damaged("a size is not a number")
    return int(text)


def _records(content: bytes) -> dict[bytes, bytes]:
    """The records ``length key=value`` of an extended header, which must fill it."""
    records: dict[bytes, bytes] = {}
    start = 0
    while start < len(content):
        length = _RECORD_LENGTH.match(content, start)
        end = start + int(length[0]) if length else start
        record = content[start:end]
        if length is None or len(record) != end - start or not record.endswith(b"\n"):
            raise damaged("a header is not made of records")
        key, equals, value = record[len(length[0]) : -1].partition(b"=")
        if not equals:
            raise damaged("a record of a header has no value")
        if key in records:
            raise damaged("a header says something twice")
        records[key] = value
        start = end
    return records


def _is_sparse(records: Mapping[bytes, bytes]) -> bool:
    return any(key.startswith(b"GNU.sparse") for key in records)


def _described(block: bytes, following: _Next, kind: bytes, size: int) -> Member:
    """A member as its headers describe it, its content still to come."""
    name = following.name
    if name is None:
        name = block[:100].split(b"\0")[0]
        prefix = block[345:500].split(b"\0")[0]
        if block[257:263] == b"ustar\0" and prefix:
            name = prefix + b"/" + name
    is_folder = kind == _FOLDER or name.endswith((b"/", b"\\"))
    refusal = following.refusal or refused_length(name)
    if kind == _SPARSE:
        # headers of its own may follow, so where the next member begins is not known
        raise damaged("a member is sparse")
    if kind not in (*_FILES, _FOLDER):
        refusal = refusal or "is a link or a device"
    if is_folder and size:
        refusal = refusal or "is a folder with content"
    text = name[:LONGEST_NAME].decode("utf-8", "surrogateescape")
    return Member(text, is_folder, refusal, partial(_first, b""))
