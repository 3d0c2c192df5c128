"""Zip archives, read strictly: the directory, the members and the end must agree.

The work is linear in the bytes of the archive and the memory is that of what is asked for.
Archives over 4 GiB or 65,535 members (zip64) are not read, nor are those in several parts.
"""

from __future__ import annotations

import functools
import itertools
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from harness.submissions.members import (
    LONGEST_NAME,
    Budget,
    Member,
    damaged,
    refused_length,
    too_many,
)
from harness.submissions.records import Limits

_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCATOR_BYTES = 20
_LONGEST_COMMENT = 0xFFFF
_UNKNOWN = 0xFFFFFFFF  # the size stands in an extra field

_ENCRYPTED = 0x2041  # traditional, strong, hidden header
_PATCH = 0x20
_SIZES_FOLLOW = 0x08
_UTF8 = 0x800
_STORED, _DEFLATED = 0, 8
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Entry:
    """A member as the directory at the end of the archive describes it.

    ``name`` is cut behind the longest that is read.
    """

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    mode: int
    start: int
    is_folder: bool
    too_long: str

    @property
    def text(self) -> str:
        return self.name.decode("utf-8" if self.flags & _UTF8 else "cp437", "surrogateescape")

    @property
    def refusal(self) -> str:
        if self.too_long:
            return self.too_long
        if stat.S_IFMT(self.mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            return "is a link or a device"
        if self.flags & _ENCRYPTED:
            return "is encrypted"
        if self.method not in (_STORED, _DEFLATED) or self.flags & _PATCH:
            return "is compressed in another way than deflate"
        return ""


def members(data: bytes, limits: Limits, budget: Budget) -> Iterator[Member]:
    """The members of a zip archive, in the order of its directory.

    Raises:
        ArchiveError: the archive has too many of them, or contradicts itself.
    """
    directory, entries = _directory(data, limits)
    spans: list[tuple[int, int]] = []
    for entry in entries:
        refusal = entry.refusal
        content = b"" if refusal else _content(data, entry, directory, spans)
        read = functools.partial(_read, entry, content, budget)
        yield Member(entry.text, entry.is_folder, refusal, read)
    spans.sort()
    for (_, end), (start, _) in itertools.pairwise(spans):
        if start < end:
            raise damaged("two members overlap")


def _directory(data: bytes, limits: Limits) -> tuple[int, list[_Entry]]:
    """Where the directory begins, and its entries."""
    end = _end(data)
    _, disk, first_disk, here, count, size, start, _ = _END.unpack_from(data, end)
    if data[max(0, end - _LOCATOR_BYTES) :].startswith(b"PK\6\7") or _UNKNOWN in (size, start):
        raise damaged("it is in the form for more than 4 GiB (zip64)")
    if disk or first_disk or here != count:
        raise damaged("it is a part of several")
    if count > limits.archive_members:
        raise too_many(limits)
    if start + size != end:
        raise damaged("its directory does not stand before its end")
    entries, at = [], start
    for _ in range(count):
        if at + _ENTRY.size > end or data[at : at + 4] != b"PK\1\2":
            raise damaged("its directory ends too early")
        fields = _ENTRY.unpack_from(data, at)
        _, _, _, flags, method, _, _, crc, packed, plain, *lengths, _, _, mode, local = fields
        name = data[at + _ENTRY.size : at + _ENTRY.size + lengths[0]]
        at += _ENTRY.size + sum(lengths)
        if _UNKNOWN in (packed, plain, local):
            raise damaged("it is in the form for more than 4 GiB (zip64)")
        is_folder, too_long = name.endswith((b"/", b"\\")), refused_length(name)
        kept = name[:LONGEST_NAME] if too_long else name
        entries.append(
            _Entry(kept, flags, method, crc, packed, plain, mode >> 16, local, is_folder, too_long)
        )
    if at != end:
        raise damaged("its directory does not hold as many members as its end says")
    return start, entries


def _end(data: bytes) -> int:
    """Where the one record stands that ends the archive; its comment reaches to the last byte."""
    found = []
    place = data.find(b"PK\5\6", max(0, len(data) - _END.size - _LONGEST_COMMENT))
    while place >= 0:
        if place + _END.size <= len(data):
            comment = _END.unpack_from(data, place)[-1]
            if place + _END.size + comment == len(data):
                found.append(place)
        place = data.find(b"PK\5\6", place + 1)
    if len(found) != 1:
        raise damaged("it has two ends" if found else "it does not end as a zip archive does")
    return found[0]


def _content(
    data: bytes, entry: _Entry, directory: int, spans: list[tuple[int, int]]
) -> memoryview:
    """The packed bytes of a member, whose own header must say what the directory says."""
    if entry.start + _LOCAL.size > directory or not data.startswith(b"PK\3\4", entry.start):
        raise damaged("a member does not stand where the directory says")
    fields = _LOCAL.unpack_from(data, entry.start)
    _, _, flags, method, _, _, crc, packed, plain, name_bytes, extra_bytes = fields
    named = entry.start + _LOCAL.size
    extra = named + name_bytes
    begin = extra + extra_bytes
    if begin + entry.packed > directory:
        raise damaged("a member reaches into the directory")
    same = data[named:extra] == entry.name and method == entry.method
    if not same or (flags ^ entry.flags) & (_ENCRYPTED | _PATCH):
        raise damaged("a member and the directory disagree")
    if _UNKNOWN in (packed, plain):
        packed, plain = _long_sizes(data[extra:begin])
    said, known = (crc, packed, plain), (entry.crc, entry.packed, entry.size)
    if said != known and not (flags & _SIZES_FOLLOW and _are_left_open(said, known)):
        raise damaged("a member and the directory disagree about its size")
    spans.append((entry.start, begin + entry.packed))
    return memoryview(data)[begin : begin + entry.packed]


def _are_left_open(said: tuple[int, ...], known: tuple[int, ...]) -> bool:
    """Whether figures that follow the member are 0 in its header, where they do not agree."""
    return all(one in (0, other) for one, other in zip(said, known, strict=True))


def _long_sizes(extra: bytes) -> tuple[int, int]:
    """The packed and the plain size in the extra field that stands for sizes over 4 GiB."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1 and length == 16 and at + 20 <= len(extra):
            plain, packed = struct.unpack_from("<2Q", extra, at + 4)
            return packed, plain
        at += 4 + length
    raise damaged("a member does not say its size")


def _read(entry: _Entry, content: bytes | memoryview, budget: Budget, size: int) -> bytes:
    plain = _unpacked(entry, content, size)
    budget.unpack(len(plain))
    return plain


def _unpacked(entry: _Entry, content: bytes | memoryview, size: int) -> bytes:
    """At most ``size`` bytes of a member; a whole one has the size and the sum it declares."""
    if entry.method == _STORED:
        if len(content) != entry.size:
            raise damaged("a member has another size than it says")
        plain = bytes(content[:size])
    else:
        plain = _inflated(content, min(size, entry.size + 1))
    if len(plain) > entry.size or len(plain) < min(size, entry.size):
        raise damaged("a member has another size than it says")
    if len(plain) == entry.size and zlib.crc32(plain) != entry.crc:
        raise damaged("the checksum of a member is wrong")
    return plain


def _inflated(content: bytes | memoryview, size: int) -> bytes:
    """At most ``size`` bytes, and where there are fewer, all of the packed bytes used up."""
    unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    plain = bytearray()
    used = 0
    while used < len(content) and len(plain) < size and not unpacker.eof:
        plain += unpacker.decompress(content[used : used + _CHUNK], size - len(plain))
        used += _CHUNK
    if len(plain) < size:
        if not unpacker.eof or used < len(content) or unpacker.unused_data:
            raise damaged("a member does not end where the directory says")
    return bytes(plain)
