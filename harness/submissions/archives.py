"""Reads zip and gzipped tar archives member by member; nothing is unpacked to the disk."""

from __future__ import annotations

import io
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from harness.errors import ArchiveError
from harness.submissions.records import (
    Limits,
    SubmissionProblem,
    Taken,
    display,
    nothing_wanted,
    size_in_words,
)

_CHUNK = 64 * 1024
_ARCHIVE = re.compile(r"\.(zip|tar\.gz|tgz)$", re.IGNORECASE)
_OTHER_ARCHIVE = re.compile(r"\.(tar|tar\.(bz2|xz|zst)|tbz2|txz|7z|rar)$", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def is_archive(name: str) -> bool:
    """Whether a name is that of an archive, of a format that is read or another."""
    return bool(_ARCHIVE.search(name) or _OTHER_ARCHIVE.search(name))


def without_suffix(name: str) -> str:
    """The name of an archive without what tells its format."""
    return _OTHER_ARCHIVE.sub("", _ARCHIVE.sub("", name)) or name


def check_format(name: str) -> None:
    """Raise ArchiveError where an archive of this name is of a format that is not read."""
    if not _ARCHIVE.search(name):
        raise ArchiveError("unreadable-archive", "only .zip and .tar.gz archives are read")


def is_litter(folder: str) -> bool:
    """Whether a folder is what a tool left behind."""
    return folder.startswith(".") or folder in ("__MACOSX", "__pycache__")


def unpack(name: str, data: bytes, wanted: frozenset[str], limits: Limits) -> Taken:
    """Take the wanted files out of the bytes of an archive; its name tells the format.

    Raises:
        ArchiveError: the archive is damaged, or holds something that is not to be trusted.
    """
    members_of = _zip_members if name.lower().endswith(".zip") else _tar_members
    try:
        return _take(list(members_of(data, limits)), wanted, limits)
    except ArchiveError:
        raise
    except Exception as error:  # the parsers raise a dozen kinds on hostile bytes
        message = f"the archive is damaged: {display(str(error) or type(error).__name__)}"
        raise ArchiveError("unreadable-archive", message) from None


@dataclass(frozen=True)
class _Member:
    """A member of an archive; ``read`` returns at most that many bytes of its real content."""

    name: str
    is_folder: bool
    refusal: str
    read: Callable[[int], bytes]


def _take(members: Sequence[_Member], wanted: frozenset[str], limits: Limits) -> Taken:
    files: dict[tuple[str, ...], _Member] = {}
    for member in members:
        parts = _safe_parts(member)
        if parts in files and not member.is_folder:
            raise _unsafe(member.name, "is in it twice")
        if not member.is_folder:
            files[parts] = member
    tops = {parts[0] for parts in files if parts[1:] and not is_litter(parts[0])}
    prefix = tuple(tops) if len(tops) == 1 else ()
    if any(len(parts) == 1 and parts[0] in wanted for parts in files):
        prefix = ()
    contents: dict[str, bytes] = {}
    problems: list[SubmissionProblem] = []
    for name in sorted(wanted):
        if (*prefix, name) in files:
            limit = limits.of(name)
            content = files[*prefix, name].read(limit + 1)
            if sum(map(len, contents.values())) + len(content) > limits.total_bytes:
                raise _too_big(limits)
            if len(content) > limit:
                message = f"{name} is larger than {size_in_words(limit)}"
                problems.append(SubmissionProblem("too-large", message, name))
            else:
                contents[name] = content
    if not contents and not problems:
        problems.append(nothing_wanted((parts[-1] for parts in files), wanted))
    return contents, problems


def _safe_parts(member: _Member) -> tuple[str, ...]:
    """The folders and the name of a member; raises ArchiveError where it is not to be trusted."""
    name = member.name
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if member.refusal:
        raise _unsafe(name, member.refusal)
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        raise _unsafe(name, "has an absolute path")
    if ".." in parts:
        raise _unsafe(name, "leaves the archive's folder")
    if "\\" in name:
        raise _unsafe(name, "has a backslash in its name")
    if _CONTROL.search(name):
        raise _unsafe(name, "has a control character in its name")
    if not parts and not member.is_folder:
        raise _unsafe(name, "has no name")
    return parts


def _unsafe(name: str, what: str) -> ArchiveError:
    message = f"the archive's member {display(name)} {what}; pack plain files anew"
    return ArchiveError("unsafe-archive", message)


def _too_big(limits: Limits) -> ArchiveError:
    message = f"the archive unpacks to more than {size_in_words(limits.total_bytes)}"
    return ArchiveError("unsafe-archive", message)


def _too_many(limits: Limits) -> ArchiveError:
    message = f"the archive has more than {limits.archive_members} members"
    return ArchiveError("unsafe-archive", message)


class _BoundedReads(io.BytesIO):
    """Refuses the single large read by which a zip's directory would fill the memory."""

    limit = 4 * 1024 * 1024

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(self.limit + 1 if size is None or size < 0 else size)
        if len(content) > self.limit:
            raise ArchiveError("unsafe-archive", "the archive's directory is too large")
        return content


def _zip_members(data: bytes, limits: Limits) -> Iterator[_Member]:
    archive = zipfile.ZipFile(_BoundedReads(data))
    infos = archive.infolist()
    if len(infos) > limits.archive_members:
        raise _too_many(limits)
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        refusal = ""
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            refusal = "is a link or a device"
        elif info.flag_bits & 0x41:
            refusal = "is encrypted"
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            refusal = "is compressed in another way than deflate"

        def read(size: int, info: zipfile.ZipInfo = info) -> bytes:
            with archive.open(info) as stream:
                return _read_up_to(stream, size)

        is_folder = info.orig_filename.endswith("/")
        yield _Member(info.orig_filename, is_folder, refusal, read)


class _SafeTarInfo(tarfile.TarInfo):
    """Refuses, before tarfile reads them, the headers over which it can loop for ever."""

    def _block(self, count: int) -> int:
        if count < 0:
            raise tarfile.ReadError("a member has a negative size")
        blocks: int = super()._block(count)  # type: ignore[misc]
        return blocks

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise _unsafe(self.name, "is sparse")
        if self.type in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE):
            stream: Any = archive.fileobj
            start = stream.tell()
            header = stream.read(self._block(self.size))
            if header[self.size :].strip(b"\0"):
                raise tarfile.ReadError("the padding of a header is not empty")
            _check_pax(header[: self.size])
            stream.seek(start)
        return super()._proc_member(archive)  # type: ignore[misc]


def _check_pax(header: bytes) -> None:
    """Walk the records ``length key=value``; raises tarfile.ReadError or ArchiveError."""
    if re.search(rb"[0-9]{100}", header):
        raise tarfile.ReadError("a header has a number of a hundred digits")
    start = 0
    while start < len(header):
        length = re.compile(rb"[1-9][0-9]* ").match(header, start)
        end = start + int(length[0]) if length else start
        record = header[start:end]
        if length is None or len(record) != end - start or not record.endswith(b"\n"):
            raise tarfile.ReadError("a header is not made of records")
        if b"=" not in record:
            raise tarfile.ReadError("a record of a header has no value")
        if record[len(length[0]) :].startswith(b"GNU.sparse"):
            raise ArchiveError("unsafe-archive", "the archive has a sparse member")
        start = end


def _gunzip(data: bytes, limits: Limits) -> bytes:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    plain = unpacker.decompress(data, limits.total_bytes + 1)
    if len(plain) > limits.total_bytes:
        raise _too_big(limits)
    if not unpacker.eof:
        raise EOFError("it ends too early")
    if unpacker.unused_data.strip(b"\0"):
        raise tarfile.ReadError("it holds more than one gzip stream")
    return plain


def _tar_members(data: bytes, limits: Limits) -> Iterator[_Member]:
    plain = _gunzip(data, limits)
    archive = tarfile.open(fileobj=io.BytesIO(plain), mode="r:", tarinfo=_SafeTarInfo)
    for index, info in enumerate(archive):
        if index >= limits.archive_members:
            raise _too_many(limits)
        plain_kind = info.type in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE)
        refusal = "" if plain_kind and not info.issparse() else "is a link or a device"

        def read(size: int, info: tarfile.TarInfo = info) -> bytes:
            stream = archive.extractfile(info)
            return _read_up_to(stream, size) if stream else b""

        yield _Member(info.name, info.isdir(), refusal, read)
    if plain[archive.offset :].strip(b"\0"):
        raise tarfile.ReadError("what follows the last member is not a member")


def _read_up_to(stream: IO[bytes] | Any, size: int) -> bytes:
    """At most ``size`` bytes, whatever size the archive declares."""
    chunks: list[bytes] = []
    while size > 0 and (chunk := stream.read(min(size, _CHUNK))):
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)
