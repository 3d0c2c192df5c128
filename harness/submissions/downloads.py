"""What the download of a learning platform says of its submissions, without reading any of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness.errors import ArchiveError, UsageError
from harness.submissions import disk, platforms
from harness.submissions.archives import Archives
from harness.submissions.members import Budget, is_archive
from harness.submissions.nodes import (
    Archive,
    Container,
    DiskFolder,
    File,
    Node,
    Odd,
    Opener,
    file_or_archive,
    is_litter,
)
from harness.submissions.platforms import Named, Platform
from harness.submissions.records import Limits, display

#: Gradescope's file about the submissions of an export.
METADATA = "submission_metadata.yml"


@dataclass(frozen=True)
class Download:
    """The entries of a download.

    Attributes:
        named: what the names of Canvas's and Moodle's entries tell, with these names, in order.
        folders: the names of Gradescope's folders.
        others: the names that no platform gives.
        metadata: the content of Gradescope's file about them; None where there is none.
    """

    path: Path
    platform: Platform
    named: tuple[tuple[str, Named], ...] = ()
    folders: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    metadata: bytes | None = None

    @property
    def students(self) -> dict[str, list[Named]]:
        """The entries by the name of the submission that they are put together to."""
        by_student: dict[str, list[Named]] = {}
        for _, each in self.named:
            by_student.setdefault(each.student, []).append(each)
        return by_student


def folders(path: Path) -> list[str]:
    """The names of the folders of submissions at a path, as an export of Gradescope has them."""
    named = (each for each in path.iterdir() if platforms.GRADESCOPE_FOLDER.fullmatch(each.name))
    return sorted(each.name for each in named if each.is_dir() and not each.is_symlink())


def read(path: Path, limits: Limits | None = None) -> Download:
    """What a downloaded folder or archive holds; both may lie in folders that hold nothing else.

    Raises:
        UsageError: it cannot be read, or its entries are not named as one platform does.
    """
    bounds = limits or Limits()
    try:
        with Archives() as archives:
            opener = Opener(frozenset({METADATA}), Budget(bounds), archives)
            children = _entries(_node(path), opener, bounds)
            metadata = _metadata(children, bounds)
    except ArchiveError as error:
        raise UsageError(f"{display(str(path))} cannot be read: {error.message}") from None
    named: list[tuple[str, Named]] = []
    folders: list[str] = []
    others: list[str] = []
    for name, node in sorted(children, key=lambda child: child[0]):
        is_file = isinstance(node, File | Archive)
        parts = None if isinstance(node, Odd) else platforms.named(name, is_file=is_file)
        if parts is not None:
            named.append((name, parts))
        elif not is_file and platforms.GRADESCOPE_FOLDER.fullmatch(name):
            folders.append(name)
        elif not is_litter(name) and name != METADATA:
            others.append(name)
    platform = _platform(path, [each for _, each in named], folders, metadata)
    return Download(path, platform, tuple(named), tuple(folders), tuple(others), metadata)


def _node(path: Path) -> Container:
    """The folder or the archive at a path.

    Raises:
        UsageError: it is neither.
    """
    if path.is_dir():
        return DiskFolder(Path(os.path.realpath(path)))
    if path.is_file() and is_archive(path.name):
        node = file_or_archive(path.name, File(partial(disk.read_regular, path)))
        assert isinstance(node, Archive)
        return node
    what = "is no folder and no archive" if os.path.lexists(path) else "does not exist"
    raise UsageError(f"{display(str(path))} {what}; give the download, or the folder it is in")


def _entries(node: Container, opener: Opener, limits: Limits) -> Sequence[tuple[str, Node]]:
    """The children of the topmost folder that holds more than one other folder."""
    children = opener.children(node, limits.archive_bytes)
    for _ in range(limits.depth):
        if len(_kept(children)) != 1 or platforms.are_downloaded(children):
            break
        ((_, only),) = _kept(children)
        if isinstance(only, File | Odd):
            break
        children = opener.children(only, limits.archive_bytes)
    return children


def _kept(children: Sequence[tuple[str, Node]]) -> list[tuple[str, Node]]:
    return [(name, node) for name, node in children if not is_litter(name)]


def _metadata(children: Sequence[tuple[str, Node]], limits: Limits) -> bytes | None:
    for name, node in children:
        if name == METADATA and isinstance(node, File):
            return node.read(limits.packed_bytes)
    return None


def _platform(
    path: Path, named: Sequence[Named], folders: Sequence[str], metadata: bytes | None
) -> Platform:
    """Whose names these are.

    Raises:
        UsageError: nobody's, or those of several.
    """
    candidates: set[Platform] = {each.platform for each in named}
    if folders or metadata is not None:
        candidates.add("gradescope")
    if len(candidates) == 1:
        return candidates.pop()
    shown = display(str(path))
    if candidates:
        listed = " and of ".join(sorted(each.capitalize() for each in candidates))
        raise UsageError(f"{shown} has names of {listed}; give one download at a time")
    raise UsageError(
        f"{shown} is no download of Canvas, Moodle or Gradescope: none of its entries has a name "
        "such as doe_12_34_work.py, Jane Doe_12_assignsubmission_file_ or submission_12"
    )
