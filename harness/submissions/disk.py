"""Reads files and folders of a disk without following links."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ArchiveError
from harness.submissions.members import too_large
from harness.submissions.records import display

_PERMIT = "let the grader's user read it"
_FILES = "raise `ulimit -n` and grade again"
_REMEDIES = {
    **{errno.EACCES: _PERMIT, errno.EPERM: _PERMIT},
    **{errno.EMFILE: _FILES, errno.ENFILE: _FILES},
}
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Listed:
    """An entry of a folder: its name, and the type that its own inode has (``stat.S_IFMT``)."""

    name: str
    type: int


@contextlib.contextmanager
def opened(root: Path, below: Sequence[str]) -> Iterator[int]:
    """The descriptor of a folder, reached from ``root`` name by name; none of them may be a link.

    Raises:
        ArchiveError: one of them is a link, or cannot be opened.
    """
    name = root.name
    descriptor = -1
    try:
        descriptor = os.open(root, _FOLDER)
        for name in below:
            inner = os.open(name, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    except OSError as error:
        raise _refused(f"the folder {display(name)}", error) from None
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def listing(folder: int, most: int, asked: frozenset[str]) -> list[Listed]:
    """The entries of a folder, by name, at most so many.

    The names ``asked`` for are looked up beside, so that no number of others can hide them.
    """
    found: dict[str, int] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if len(found) == most:
                break
            found[entry.name] = _type_of(entry)
    for name in asked - found.keys():
        with contextlib.suppress(OSError, ValueError):
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            found[name] = stat.S_IFMT(status.st_mode)
    return [Listed(name, found[name]) for name in sorted(found)]


def _type_of(entry: os.DirEntry[str]) -> int:
    try:
        if entry.is_symlink():
            return stat.S_IFLNK
        if entry.is_dir(follow_symlinks=False):
            return stat.S_IFDIR
        return stat.S_IFREG if entry.is_file(follow_symlinks=False) else stat.S_IFIFO
    except OSError:
        return stat.S_IFREG  # whoever reads it says what is wrong


def read_regular(path: Path | str, limit: int, folder: int | None = None) -> bytes:
    """The content of a regular file of at most ``limit`` bytes.

    Links are not followed, and opening a FIFO does not block. ``folder`` is the descriptor of the
    folder that the path is relative to.

    Raises:
        ArchiveError: it is no regular file, too large, or cannot be read; or somebody wrote to it
            meanwhile, which is a fault of this machine's.
    """
    name = display(os.path.basename(path))
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        # Checked before opening, since opening a device may already act on it, and again after,
        # since the file may have been replaced in between.
        if not stat.S_ISREG(os.stat(path, dir_fd=folder, follow_symlinks=False).st_mode):
            raise ArchiveError("unsafe-file", f"{name} is not a regular file")
        with open(os.open(path, flags, dir_fd=folder), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise ArchiveError("unsafe-file", f"{name} is not a regular file")
            before = _version(stream.fileno())
            content = stream.read(limit + 1)
            changed = _version(stream.fileno()) != before
    except OSError as error:
        raise _refused(name, error) from None
    if changed:
        message = f"{name} was written to while it was read; grade it again once it is complete"
        raise ArchiveError("harness-error", message)
    if len(content) > limit:
        raise too_large(name, limit)
    return content


def _version(descriptor: int) -> tuple[int, int]:
    """What changes where somebody writes to an open file."""
    status = os.fstat(descriptor)
    return status.st_size, status.st_mtime_ns


def _refused(name: str, error: OSError) -> ArchiveError:
    """Why something was not opened: what the submission is, or else a fault of this machine's."""
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return ArchiveError("unsafe-file", f"{name} is a link")
    if error.errno in (errno.ENXIO, errno.ENAMETOOLONG):
        return ArchiveError("unsafe-file", f"{name} cannot be read: {error.strerror}")
    if error.errno in (errno.ENOENT, errno.ESTALE):
        message = f"{name} was there and is gone; grade again while nothing changes the submissions"
        return ArchiveError("harness-error", message)
    remedy = _REMEDIES.get(error.errno or 0, "see to it and grade again")
    message = f"{name} cannot be read here: {error.strerror}; {remedy}"
    return ArchiveError("harness-error", message)
