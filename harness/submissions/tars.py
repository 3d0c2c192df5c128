"""Gzipped tar archives, read strictly: one stream, sizes that fit, nothing behind the end.

The work is linear in the bytes that are unpacked, and unpacking stops at the limit. Of the two ways
to give a long name (GNU's and POSIX's) both are read; what else an extended header may change is
refused or has no effect.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from harness.submissions.members import (
    Member,
    check_length,
    damaged,
    too_big,
    too_many,
    unsafe,
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


@dataclass
class _Next:
    """What headers said about the member that follows them."""

    name: bytes | None = None
    size: int | None = None

    def rename(self, name: bytes) -> None:
        if self.name is not None:
            raise damaged("a member has two names")
        self.name = name


def members(data: bytes, limits: Limits) -> Iterator[Member]:
    """The members of a gzipped tar archive, in its order.

    Raises:
        ArchiveError: the archive has too many of them or of bytes, or contradicts itself.
    """
    plain = memoryview(_unzipped(data, limits))
    at = headers = found = 0
    following = _Next()
    while True:
        block = bytes(plain[at : at + _BLOCK])
        if len(block) < _BLOCK:
            raise damaged("it ends too early")
        if block == _ZEROS:
            break
        headers += 1
        if headers > 4 * limits.archive_members:  # a member may have three headers before its own
            raise too_many(limits)
        kind, size = _checked(block)
        begin, end = at + _BLOCK, at + _BLOCK + size
        at = end + -size % _BLOCK
        if end > len(plain):
            raise damaged("a member ends beyond the archive")
        if kind in (_LONG_NAME, _LONG_LINK, *_EXTENDED, _GLOBAL):
            if size > _LARGEST_EXTENSION:
                raise damaged(f"an extended header of more than {_LARGEST_EXTENSION} bytes")
            if bytes(plain[end:at]).strip(b"\0"):
                raise damaged("the padding of a header is not empty")
            _extend(following, kind, bytes(plain[begin:end]))
            continue
        found += 1
        if found > limits.archive_members:
            raise too_many(limits)
        if following.size not in (None, size):
            raise damaged("a member has two sizes")
        yield _member(block, following.name, kind, plain[begin:end])
        following = _Next()
    if following != _Next():
        raise damaged("a header has no member")
    if bytes(plain[at:]).strip(b"\0"):
        raise damaged("what follows the last member is not a member")


def _unzipped(data: bytes, limits: Limits) -> bytearray:
    """The one gzip stream that the data is, which may be padded with zeros."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    plain = bytearray()
    used = 0
    view = memoryview(data)
    while used < len(data) and not unpacker.eof:
        plain += unpacker.decompress(
            view[used : used + _CHUNK], limits.total_bytes + 1 - len(plain)
        )
        used += _CHUNK
        if len(plain) > limits.total_bytes:
            raise too_big(limits)
    if not unpacker.eof:
        raise damaged("it ends too early")
    if unpacker.unused_data.strip(b"\0") or bytes(view[used:]).strip(b"\0"):
        raise damaged("it holds more than one gzip stream")
    return plain


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
        if _records(content).keys() & {b"path", b"size", b"linkpath", b"hdrcharset"}:
            raise damaged("a header for all members gives them a name or a size")
    elif kind in _EXTENDED:
        records = _records(content)
        if records.get(b"hdrcharset", b"ISO-IR 10646 2000 UTF-8") != b"ISO-IR 10646 2000 UTF-8":
            raise damaged("its names are not UTF-8")
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
        if key.startswith(b"GNU.sparse"):
            raise unsafe("", "is sparse")
        if key in records:
            raise damaged("a header says something twice")
        records[key] = value
        start = end
    return records


def _member(block: bytes, name: bytes | None, kind: bytes, content: memoryview) -> Member:
    if name is None:
        name = block[:100].split(b"\0")[0]
        prefix = block[345:500].split(b"\0")[0]
        if block[257:263] == b"ustar\0" and prefix:
            name = prefix + b"/" + name
    check_length(name)
    refusal = ""
    if kind == _SPARSE:
        refusal = "is sparse"
    elif kind not in (*_FILES, _FOLDER):
        refusal = "is a link or a device"
    is_folder = kind == _FOLDER or name.endswith(b"/")
    if is_folder and content:
        refusal = refusal or "is a folder with content"
    text = name.decode("utf-8", "surrogateescape")
    return Member(text, is_folder, refusal, lambda size: bytes(content[:size]))
