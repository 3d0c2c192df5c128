"""Folders and archives as one kind of tree, so that one rule finds files in all of them.

Nothing is unpacked to the disk. A folder of the disk is listed when it is asked for its children,
and reached from its root name by name without following links; an archive is read when it is
opened, elsewhere (:mod:`harness.submissions.archives`).
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

from harness.errors import ArchiveError
from harness.submissions import disk
from harness.submissions.archives import Archives, Entry
from harness.submissions.members import Budget, is_archive, is_read, unsafe
from harness.submissions.records import Limits, display

#: What tools call their own files and folders.
_OF_TOOLS = frozenset(
    {".DS_Store", ".git", ".gitignore", ".ipynb_checkpoints", ".idea", ".vscode", ".venv"}
)
_LITTER = frozenset({"__MACOSX", "__pycache__", "node_modules", "site-packages", "dist-packages"})

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
        budget: what may still be listed and unpacked.
        archives: opens them.
        asked: those of the wanted files that this run is about, of which a message names one.
    """

    wanted: frozenset[str]
    budget: Budget
    archives: Archives
    asked: frozenset[str] = frozenset()

    @property
    def limits(self) -> Limits:
        """The bounds on what is read."""
        return self.budget.limits

    def children(self, node: Container, most_bytes: int) -> list[tuple[str, Node]]:
        """What lies in a folder or an archive of at most so many bytes, by name.

        Raises:
            ArchiveError: it cannot be read, or is not to be trusted.
        """
        if isinstance(node, Given):
            return node.children
        if isinstance(node, DiskFolder):
            return self._listed(node)
        if not is_read(node.name):
            raise ArchiveError("unreadable-archive", "only .zip and .tar.gz archives are read")
        wanted, read = self.wanted, node.file.read
        entries = self.archives.open(node.name, read, most_bytes, wanted, self.budget)
        return _nested((entry.parts, _packed(entry)) for entry in entries)

    def _listed(self, folder: DiskFolder) -> list[tuple[str, Node]]:
        with disk.opened(folder.root, folder.below) as descriptor:
            most = max(0, self.limits.entries + 1 - self.budget.listed)
            entries = disk.listing(descriptor, most, self.wanted)
        self.budget.listed += len(entries)
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


def _packed(entry: Entry) -> Node:
    if entry.odd:
        return Odd(ArchiveError("unsafe-archive", entry.odd))
    if entry.read is None:
        return Given()
    return file_or_archive(entry.parts[-1], File(entry.read))


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


def is_litter(name: str) -> bool:
    """Whether a file or a folder is what a tool left behind, by its name."""
    return name.startswith(".") or name in _LITTER


def is_hidden(name: str) -> bool:
    """Whether it is taken for litter, and a person may have called it so."""
    return name.startswith(".") and not name.startswith("._") and name not in _OF_TOOLS
