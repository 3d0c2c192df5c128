"""Folders and archives as one kind of tree, so that one rule finds files in all of them.

Nothing is unpacked to the disk. A folder of the disk is listed when it is asked for its children,
and reached from its root name by name without following links; an archive is read when it is
opened.
"""

from __future__ import annotations

import re
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

from harness.errors import ArchiveError
from harness.submissions import disk, tars, zips
from harness.submissions.members import Budget, Member, damaged, safe_parts, unsafe
from harness.submissions.records import Limits, display, is_source

_ARCHIVE = re.compile(r"\.(zip|tar\.gz|tgz)$", re.IGNORECASE)
_OTHER_ARCHIVE = re.compile(r"\.(tar|tar\.(bz2|xz|zst)|tbz2|txz|7z|rar)$", re.IGNORECASE)
_LITTER = frozenset({"__MACOSX", "__pycache__", "node_modules", "site-packages", "dist-packages"})
#: How many folders may lie between the top of an archive and a file that is looked at.
_DEEPEST_MEMBER = 12

Parts: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class File:
    """A regular file; ``read`` gives its content or raises ArchiveError, given the most bytes."""

    read: Callable[[int], bytes]


@dataclass(frozen=True)
class Odd:
    """Something that is never taken, such as a link, and the error where it would be wanted."""

    error: ArchiveError


@dataclass(frozen=True)
class Archive:
    """An archive that was not opened yet; ``file`` is what holds its bytes."""

    name: str
    file: File


@dataclass(frozen=True)
class Given:
    """A folder whose children are at hand: one in an archive, or one that we put together."""

    children: list[tuple[str, Node]] = field(default_factory=list)


@dataclass(frozen=True)
class DiskFolder:
    """A folder of the disk: ``below`` holds the names that lead to it from ``root``."""

    root: Path
    below: Parts = ()


Node: TypeAlias = "File | Odd | Archive | Given | DiskFolder"
Container: TypeAlias = "Archive | Given | DiskFolder"


@dataclass(frozen=True)
class Opener:
    """Opens folders and archives under some limits.

    Attributes:
        wanted: the names that are asked for; no number of other entries hides them.
        budget: what may still be unpacked.
    """

    wanted: frozenset[str]
    limits: Limits
    budget: Budget

    def children(self, node: Container, most_bytes: int) -> list[tuple[str, Node]]:
        """What lies in a folder or an archive of at most so many bytes, by name.

        Raises:
            ArchiveError: it cannot be read, or is not to be trusted.
        """
        if isinstance(node, Given):
            return node.children
        if isinstance(node, DiskFolder):
            return self._listed(node)
        if not _ARCHIVE.search(node.name):
            raise ArchiveError("unreadable-archive", "only .zip and .tar.gz archives are read")
        data = node.file.read(most_bytes)
        self.budget.hold(len(data))
        try:
            return _tree(self._members(node.name, data))
        except zlib.error as error:
            raise damaged(str(error)) from None
        except ArchiveError:
            raise
        except Exception as error:  # an archive that breaks its reader must not end the whole run
            message = f"the archive cannot be read ({type(error).__name__})"
            raise ArchiveError("unreadable-archive", message) from None

    def _members(self, name: str, data: bytes) -> Iterator[Member]:
        if name.lower().endswith(".zip"):
            return zips.members(data, self.limits, self.budget)
        return tars.members(data, self.limits, self._kept, self.budget)

    def _kept(self, path: str) -> int:
        """How many bytes of a member of a tar archive may be asked for later."""
        name = path.replace("\\", "/").rpartition("/")[2]
        if is_archive(name):
            return self.limits.packed_bytes + 1
        return self.limits.of(name) + 1 if name in self.wanted or is_source(name) else 0

    def _listed(self, folder: DiskFolder) -> list[tuple[str, Node]]:
        with disk.opened(folder.root, folder.below) as descriptor:
            entries = disk.listing(descriptor, self.limits.entries, self.wanted)
        plain: list[tuple[str, Node]] = []
        packed: list[tuple[Parts, Node]] = []
        for entry in entries:
            node = _on_disk(folder, entry)
            parts = tuple(part for part in entry.name.split("\\") if part)
            # A tool that unpacked an archive of PowerShell's may have left its separators.
            if len(parts) > 1 and not isinstance(node, DiskFolder) and ".." not in parts:
                packed.append((parts, node))
            else:
                plain.append((entry.name, node))
        return plain + _nested(packed)


def _on_disk(folder: DiskFolder, entry: disk.Listed) -> Node:
    if entry.type == stat.S_IFDIR:
        return DiskFolder(folder.root, (*folder.below, entry.name))
    if entry.type == stat.S_IFREG:
        return file_or_archive(entry.name, File(partial(_read_below, folder, entry.name)))
    what = "is a link" if entry.type == stat.S_IFLNK else "is not a regular file"
    return Odd(ArchiveError("unsafe-file", f"{display(entry.name)} {what}"))


def _read_below(folder: DiskFolder, name: str, limit: int) -> bytes:
    with disk.opened(folder.root, folder.below) as descriptor:
        return disk.read_regular(name, limit, descriptor)


def file_or_archive(name: str, file: File) -> File | Archive:
    """The node of a regular file of this name."""
    return Archive(name, file) if is_archive(name) else file


def _tree(members: Iterable[Member]) -> list[tuple[str, Node]]:
    """The members of an archive as a tree."""
    return _nested(
        (parts, _packed(parts, member))
        for member in members
        if (parts := safe_parts(member)) and len(parts) <= _DEEPEST_MEMBER
    )


def _packed(parts: Parts, member: Member) -> Node:
    if member.refusal:
        return Odd(unsafe(member.name, member.refusal))
    if member.is_folder:
        return Given()

    def read(limit: int) -> bytes:
        try:
            content = member.read(limit + 1)
        except zlib.error as error:
            raise damaged(str(error)) from None
        if len(content) > limit:
            raise disk.too_large(parts[-1], limit)
        return content

    return file_or_archive(parts[-1], File(read))


def _nested(entries: Iterable[tuple[Parts, Node]]) -> list[tuple[str, Node]]:
    """Entries with paths as nested folders.

    A name may stand in a folder more than once where an archive says so; whoever wants it sees all.
    """
    top = Given()
    folders: dict[Parts, Given] = {(): top}
    files: set[Parts] = set()
    for parts, node in entries:
        if isinstance(node, Given):
            _folder(folders, parts)
        else:
            _folder(folders, parts[:-1]).children.append((parts[-1], node))
            files.add(parts)
    both: dict[Parts, set[str]] = {}
    for parts in files & folders.keys():
        both.setdefault(parts[:-1], set()).add(parts[-1])
    for parts, names in both.items():
        _refuse_files(folders[parts], names)
    return top.children


def _folder(folders: dict[Parts, Given], parts: Parts) -> Given:
    if parts not in folders:
        folders[parts] = Given()
        _folder(folders, parts[:-1]).children.append((parts[-1], folders[parts]))
    return folders[parts]


def _refuse_files(folder: Given, names: set[str]) -> None:
    """Refuses the files of a folder that have the name of a folder beside them."""
    folder.children[:] = [
        (name, Odd(unsafe(name, "is a file and a folder")))
        if name in names and not isinstance(node, Given)
        else (name, node)
        for name, node in folder.children
    ]


def is_archive(name: str) -> bool:
    """Whether a name is that of an archive, of a format that is read or another."""
    return bool(_ARCHIVE.search(name) or _OTHER_ARCHIVE.search(name))


def without_suffix(name: str) -> str:
    """The name of an archive without what tells its format."""
    return _OTHER_ARCHIVE.sub("", _ARCHIVE.sub("", name)) or name


def is_litter(name: str) -> bool:
    """Whether a file or a folder is what a tool left behind, by its name."""
    return name.startswith(".") or name in _LITTER
