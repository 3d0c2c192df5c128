"""Submissions: where they are, what is taken of them, and what is wrong with them.

Nothing here runs or imports submitted code, and nothing is unpacked to a place that a
submission names: files are opened without following links, archives are read member by
member, and of everything only the file names that some task asks for are taken.
"""

from __future__ import annotations

import ast
import difflib
import errno
import hashlib
import io
import json
import os
import re
import stat
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from harness.errors import ArchiveError, InfrastructureError, UsageError

_MIB = 1024 * 1024
_CHUNK = 64 * 1024
_DISPLAY_LENGTH = 80
_ARCHIVE = re.compile(r"\.(zip|tar\.gz|tgz)$", re.IGNORECASE)
_OTHER_ARCHIVE = re.compile(r"\.(tar|tar\.(bz2|xz|zst)|tbz2|txz|7z|rar)$", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_UNSHOWABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True)
class Limits:
    """What one submission may hold; the archive limits count what is really unpacked."""

    source_bytes: int = _MIB
    data_bytes: int = 8 * _MIB
    total_bytes: int = 64 * _MIB
    archive_bytes: int = 64 * _MIB
    archive_members: int = 1000

    def of(self, name: str) -> int:
        """The largest size of a file of this name, in bytes."""
        return self.source_bytes if name.endswith(".py") else self.data_bytes


@dataclass(frozen=True)
class SubmissionProblem:
    """Why a submission, or one file of it, cannot be run.

    Attributes:
        cause: the word stored with the verdict.
        message: one sentence for the student, safe to print.
        file: the file that it is about; None where it is the whole submission.
        line: the line of a syntax error, from 1.
    """

    cause: str
    message: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class Submission:
    """What one subject handed in.

    Attributes:
        name: the identity, exactly as found; it may hold anything that a file name can hold.
        path: the folder, archive or file.
        files: SHA-256 of every file that was taken, by name.
        sha256: a digest of the names and digests of all files taken.
        problems: what is wrong; a problem of one file concerns only the task it belongs to.
        kind: how the files are to be read from the path.
        limits: what they were read under.
    """

    name: str
    path: str
    files: Mapping[str, str]
    sha256: str
    problems: tuple[SubmissionProblem, ...]
    kind: Literal["folder", "file", "archive"] = "folder"
    limits: Limits = field(default=Limits(), repr=False)

    @property
    def display_name(self) -> str:
        """The name as it may be printed: no control or direction characters, at most 80."""
        return display(self.name)

    def problems_of(self, names: Iterable[str]) -> tuple[SubmissionProblem, ...]:
        """The problems that concern a task that asks for these files."""
        wanted = {None, *names}
        return tuple(problem for problem in self.problems if problem.file in wanted)

    def read(self, names: Iterable[str]) -> dict[str, bytes]:
        """The content of those of the named files that were taken.

        Raises:
            InfrastructureError: a file is no longer what it was when the submission was found.
        """
        wanted = frozenset(names) & frozenset(self.files)
        try:
            contents, _ = _READERS[self.kind](Path(self.path), wanted, self.limits)
        except ArchiveError:
            contents = {}
        for name in sorted(wanted):
            if name not in contents or _digest(contents[name]) != self.files[name]:
                message = f"{display(self.path)}: {name} changed since the run began"
                raise InfrastructureError(f"{message}; leave submissions alone until it ends")
        return contents


_Taken = tuple[dict[str, bytes], list[SubmissionProblem]]


def display(text: str) -> str:
    """A text of a submission as it may be printed: unprintable characters are U+FFFD."""
    clean = _UNSHOWABLE.sub("\ufffd", text)
    return clean if len(clean) <= _DISPLAY_LENGTH else clean[: _DISPLAY_LENGTH - 1] + "…"


def find(
    paths: Sequence[Path], wanted: frozenset[str], limits: Limits | None = None
) -> list[Submission]:
    """Find the submissions at some paths, in the order of the paths and then of their names.

    A folder that directly holds a wanted file is one submission; any other folder is a folder
    of submissions. A lone wanted file and an archive are submissions too.

    Raises:
        UsageError: a path does not exist, holds no submission, or two submissions have one name.
    """
    found: dict[str, Submission] = {}
    for path in paths:
        for entry, name in _entries(path, wanted):
            submission = _submission(entry, name, wanted, limits or Limits())
            if submission.name in found:
                raise UsageError(
                    f"two submissions are called {submission.display_name}:"
                    f" {display(found[submission.name].path)} and {display(submission.path)};"
                    " rename or remove one of them"
                )
            found[submission.name] = submission
    return list(found.values())


def copy_to(submission: Submission, directory: Path, names: Iterable[str]) -> None:
    """Write those of the named files that the submission has into a directory, read-only.

    Raises:
        InfrastructureError: a file changed since the submission was found, or exists already.
    """
    for name, content in submission.read(names).items():
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(directory / name, flags, 0o444)
            with open(descriptor, "wb") as stream:
                stream.write(content)
                os.fchmod(descriptor, 0o444)
        except OSError as error:
            message = f"{display(name)} cannot be written: {error.strerror}"
            raise InfrastructureError(message) from None


# Where submissions are


def _entries(path: Path, wanted: frozenset[str]) -> Iterator[tuple[Path, str]]:
    """The path itself if it is one submission, else those in the folder; each with its name."""
    shown = display(str(path))
    name = os.path.basename(os.path.abspath(path)) or "submission"
    if not os.path.lexists(path):
        raise UsageError(f"{shown} does not exist; give a submission or a folder of submissions")
    if not path.is_dir():
        if path.name not in wanted and not _is_archive(name):
            near = _nearest([name], wanted)
            raise UsageError(f"{shown} is no submission; give a folder or an archive{near}")
        yield path, name
        return
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        raise UsageError(f"{shown} cannot be listed: {error.strerror}; check its mode") from None
    folder = Path(os.path.realpath(path))  # the caller may name a link, a submission may not
    if wanted.intersection(names):
        yield folder, name
        return
    inside = [(folder / name, name) for name in names if not _is_litter(name)]
    chosen = [(each, name) for each, name in inside if _is_submission(each)]
    if not chosen:
        raise UsageError(f"{shown} holds no submission; put one folder a submission into it")
    yield from chosen


def _is_submission(path: Path) -> bool:
    return path.is_dir() or path.is_symlink() or path.suffix == ".py" or _is_archive(path.name)


def _is_archive(name: str) -> bool:
    return bool(_ARCHIVE.search(name) or _OTHER_ARCHIVE.search(name))


def _submission(path: Path, name: str, wanted: frozenset[str], limits: Limits) -> Submission:
    kind: Literal["folder", "file", "archive"] = "folder"
    if not path.is_dir() and _is_archive(name):
        kind, name = "archive", _OTHER_ARCHIVE.sub("", _ARCHIVE.sub("", name)) or name
    elif not path.is_dir() and path.suffix == ".py":
        kind, name = "file", path.stem
    try:
        contents, problems = _READERS[kind](path, wanted, limits)
    except ArchiveError as error:
        contents, problems = {}, [SubmissionProblem(error.cause, error.message)]
    for file, content in contents.items():
        if file.endswith(".py") and (problem := _source_problem(file, content)):
            problems.append(problem)
    files = {file: _digest(contents[file]) for file in sorted(contents)}
    digest = _digest(json.dumps(sorted(files.items())).encode())
    return Submission(name, str(path), files, digest, tuple(problems), kind, limits)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _source_problem(file: str, content: bytes) -> SubmissionProblem | None:
    """Whether a source file is text that parses; it is not run."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = f"{file} is not UTF-8 text: byte 0x{content[error.start]:02x} in line {line}"
        return SubmissionProblem("not-text", message, file, line)
    if "\0" in text:
        return SubmissionProblem("not-text", f"{file} holds a NUL byte", file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        where = f"{file}, line {error.lineno}" if error.lineno else file
        message = f"{where}: {display(error.msg)}"
        return SubmissionProblem("syntax", message, file, error.lineno)
    except (ValueError, RecursionError, MemoryError, OverflowError):
        message = f"{file} is nested too deeply for Python's parser"
        return SubmissionProblem("syntax", message, file)
    return None


def _empty(names: Iterable[str], wanted: frozenset[str]) -> SubmissionProblem:
    message = f"there is no file that a task asks for{_nearest(names, wanted)}"
    return SubmissionProblem("empty", message)


def _nearest(names: Iterable[str], wanted: frozenset[str]) -> str:
    for name in names:
        for close in difflib.get_close_matches(name.lower(), sorted(wanted), n=1):
            return f"; was {display(name)} meant to be {close}?"
    return f"; file names are such as {min(wanted)}" if wanted else ""


# Reading files


def _read_folder(path: Path, wanted: frozenset[str], limits: Limits) -> _Taken:
    try:
        if path.is_symlink():
            raise ArchiveError("unsafe-file", f"{display(path.name)} is a link")
        names = sorted(os.listdir(path))
    except OSError as error:
        message = f"the folder cannot be read: {error.strerror}"
        raise ArchiveError("unsafe-file", message) from None
    contents: dict[str, bytes] = {}
    problems: list[SubmissionProblem] = []
    for name in names:
        if name not in wanted:
            continue
        try:
            content = _read_regular(path / name, limits.of(name))
            if sum(map(len, contents.values())) + len(content) > limits.total_bytes:
                what = f"the files up to {name} are together larger than"
                raise ArchiveError("too-large", f"{what} {_size(limits.total_bytes)}")
            contents[name] = content
        except ArchiveError as error:
            problems.append(SubmissionProblem(error.cause, error.message, name))
    if not contents and not problems:
        problems.append(_empty(names, wanted))
    return contents, problems


def _read_lone_file(path: Path, wanted: frozenset[str], limits: Limits) -> _Taken:
    if path.name not in wanted:
        return {}, [_empty([path.name], wanted)]
    try:
        return {path.name: _read_regular(path, limits.of(path.name))}, []
    except ArchiveError as error:
        return {}, [SubmissionProblem(error.cause, error.message, path.name)]


def _read_regular(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most ``limit`` bytes; raises ArchiveError."""
    name = display(path.name)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):  # opening a device may already act on it
            raise ArchiveError("unsafe-file", f"{name} is not a regular file")
        with open(os.open(path, flags), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise ArchiveError("unsafe-file", f"{name} is not a regular file")
            content = stream.read(limit + 1)
    except OSError as error:
        what = "is a link" if error.errno == errno.ELOOP else f"cannot be read: {error.strerror}"
        raise ArchiveError("unsafe-file", f"{name} {what}") from None
    if len(content) > limit:
        raise ArchiveError("too-large", f"{name} is larger than {_size(limit)}")
    return content


def _size(count: int) -> str:
    return f"{count / _MIB:.3g} MiB" if count >= _MIB else f"{count} bytes"


# Reading archives


@dataclass(frozen=True)
class _Member:
    """A member of an archive; ``read`` returns at most that many bytes of its real content."""

    name: str
    is_folder: bool
    refusal: str
    read: Callable[[int], bytes]


def _read_archive(path: Path, wanted: frozenset[str], limits: Limits) -> _Taken:
    if not _ARCHIVE.search(path.name):
        raise ArchiveError("unreadable-archive", "only .zip and .tar.gz archives are read")
    data = _read_regular(path, limits.archive_bytes)
    members_of = _zip_members if path.name.lower().endswith(".zip") else _tar_members
    try:
        return _take(list(members_of(data, limits)), wanted, limits)
    except ArchiveError:
        raise
    except Exception as error:  # the parsers raise a dozen kinds on hostile bytes
        message = f"the archive is damaged: {display(str(error) or type(error).__name__)}"
        raise ArchiveError("unreadable-archive", message) from None


def _take(members: Sequence[_Member], wanted: frozenset[str], limits: Limits) -> _Taken:
    files: dict[tuple[str, ...], _Member] = {}
    for member in members:
        parts = _safe_parts(member)
        if parts in files and not member.is_folder:
            raise _unsafe(member.name, "is in it twice")
        if not member.is_folder:
            files[parts] = member
    tops = {parts[0] for parts in files if parts[1:] and not _is_litter(parts[0])}
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
                message = f"{name} is larger than {_size(limit)}"
                problems.append(SubmissionProblem("too-large", message, name))
            else:
                contents[name] = content
    if not contents and not problems:
        problems.append(_empty((parts[-1] for parts in files), wanted))
    return contents, problems


def _is_litter(folder: str) -> bool:
    return folder.startswith(".") or folder in ("__MACOSX", "__pycache__")


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
    message = f"the archive unpacks to more than {_size(limits.total_bytes)}"
    return ArchiveError("unsafe-archive", message)


def _too_many(limits: Limits) -> ArchiveError:
    message = f"the archive has more than {limits.archive_members} members"
    return ArchiveError("unsafe-archive", message)


class _BoundedReads(io.BytesIO):
    """Refuses the single large read by which a zip's directory would fill the memory."""

    limit = 4 * _MIB

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


_READERS: Mapping[str, Callable[[Path, frozenset[str], Limits], _Taken]] = {
    "folder": _read_folder,
    "file": _read_lone_file,
    "archive": _read_archive,
}
