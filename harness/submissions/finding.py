"""Finds submissions: which paths, folders and archives are one, and which are a class."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from harness.errors import ArchiveError, UsageError
from harness.results import Results
from harness.submissions import disk, platforms
from harness.submissions.archives import Archives
from harness.submissions.hints import nearest, packed
from harness.submissions.members import SUBMISSION_S, Budget, is_archive, without_suffix
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
from harness.submissions.records import (
    Limits,
    Submission,
    SubmissionProblem,
    display,
    is_notebook,
    is_source,
)
from harness.submissions.search import look_through
from harness.submissions.sources import SourceParser
from harness.submissions.taking import Taken, take

#: Whether a path may be a class, or is one submission whatever it holds.
Reading = Literal["guess", "single"]
#: How many folders and archives in another are looked into to find out whether it is a class, and
#: for how much processor time.
_MOST_COMPARED, _COMPARED_S = 1000, 60.0
#: How many files of a folder without a submission are looked at for what they are.
_MOST_SNIFFED = 20


@dataclass(frozen=True)
class _Entry:
    """A submission that is still to be read.

    Attributes:
        alone: the name of the one file that it is; empty where it is a folder or an archive.
    """

    name: str
    path: str
    node: Node
    alone: str = ""


@dataclass(frozen=True)
class Found:
    """The submissions at some paths.

    Attributes:
        classes: the paths that are classes; the others are one submission each.
        results: the results folders that lie among them and are none.
        downloads: those of the others that have the names of a platform's download.
    """

    submissions: tuple[Submission, ...]
    classes: tuple[Path, ...] = field(default=())
    results: tuple[Path, ...] = field(default=())
    downloads: tuple[Path, ...] = field(default=())


def find(
    paths: Sequence[Path], wanted: frozenset[str], limits: Limits | None = None
) -> list[Submission]:
    """The submissions at some paths; see :func:`find_all`."""
    return list(find_all(paths, wanted, limits).submissions)


def find_all(
    paths: Sequence[Path],
    wanted: frozenset[str],
    limits: Limits | None = None,
    reading: Reading = "guess",
    asked: frozenset[str] = frozenset(),
) -> Found:
    """Find the submissions at some paths, in the order of the paths and then of their names.

    A folder is a class, and what lies in it are submissions, unless it directly holds a wanted
    file, or one notebook and nothing else that could be a submission: then it is one submission.
    An archive is one submission. Both are a class where the same wanted file lies in two of their
    folders or archives, and where their entries have the names that a learning platform gives to
    submissions; an archive only if no other path is given, since what several archives hold was
    packed by students. A wanted file or a notebook by itself is a submission too.

    Args:
        paths: submissions and classes.
        wanted: the names of the files that tasks ask for.
        limits: bounds on what is read; the defaults of :class:`Limits` if None.
        reading: ``single`` where every path is one submission, whatever it holds.
        asked: those of the wanted files that this run is about, which messages name; else all.

    Raises:
        UsageError: a path does not exist or holds no submission, a folder cannot be listed, or
            two submissions have the same name.
        InfrastructureError: a process that reads submitted bytes did not start.
    """
    by_name: dict[str, Submission] = {}
    classes, downloads = [], []
    with SourceParser() as parser, Archives() as archives:
        bounds, alone = limits or Limits(), len(paths) == 1
        finder = _Finder(wanted, bounds, archives, only_path=alone, asked=asked)
        for path in paths:
            entries, is_class = finder.entries(path, reading)
            classes += [path] if is_class else []
            if reading == "guess" and not is_class and finder.is_downloaded(path):
                downloads.append(path)
            for entry in entries:
                submission = finder.submission(entry, parser)
                if submission.name in by_name:
                    raise UsageError(
                        f"two submissions are called {submission.display_name}:"
                        f" {display(by_name[submission.name].path)} and {display(submission.path)};"
                        " rename or remove one of them"
                    )
                by_name[submission.name] = submission
    return Found(tuple(by_name.values()), tuple(classes), tuple(finder.results), tuple(downloads))


class _Finder:
    """Finds and reads submissions under some limits."""

    def __init__(
        self,
        wanted: frozenset[str],
        limits: Limits,
        archives: Archives,
        *,
        only_path: bool,
        asked: frozenset[str],
    ) -> None:
        self._wanted = wanted
        self._asked = asked
        self._limits = limits
        self._archives = archives
        self._only_path = only_path
        self.results: list[Path] = []

    def entries(self, path: Path, reading: Reading) -> tuple[list[_Entry], bool]:
        """The submissions at a path, and whether it is a class.

        Raises:
            UsageError: there are none.
        """
        shown = display(str(path))
        name = os.path.basename(os.path.abspath(path)) or "submission"
        if not os.path.lexists(path):
            raise UsageError(
                f"{shown} does not exist; give a submission or a folder of submissions"
            )
        if path.is_dir():
            # A link that the grader names is followed; links inside a submission never are.
            folder = DiskFolder(Path(os.path.realpath(path)))
            if reading == "single":
                return [_entry(name, str(folder.root), folder)], False
            return self._in_folder(folder, path, name)
        if name not in self._wanted and not is_archive(name) and not is_notebook(name):
            near = nearest([(name,)], self._wanted)
            file = File(partial(disk.read_regular, path))
            if said := packed(display(name), file, self._limits.packed_bytes):
                near = f"; {said}"
            raise UsageError(f"{shown} is no submission; give a folder or an archive{near}")
        node = file_or_archive(name, File(partial(disk.read_regular, path)))
        if isinstance(node, Archive) and self._only_path and reading == "guess":
            return self._in_archive(node, path, name)
        return [_entry(name, str(path), node)], False

    def is_downloaded(self, path: Path) -> bool:
        """Whether an archive holds names that a learning platform gives, in whatever folder."""
        name = os.path.basename(os.path.abspath(path))
        if path.is_dir() or not is_archive(name):
            return False
        node = file_or_archive(name, File(partial(disk.read_regular, path)))
        try:
            with self._archives.passing():
                return isinstance(node, Archive) and any(
                    map(platforms.are_downloaded, self._downwards(node))
                )
        except ArchiveError:  # reported when it is read as a submission
            return False

    def submission(self, entry: _Entry, parser: SourceParser) -> Submission:
        """Reads a submission; what is wrong with it is among its problems."""
        opener = self._opener()
        self._archives.charge(opener.budget)
        try:
            with self._archives.passing():
                taken = take(self._children(entry, opener), opener, parser)
        except ArchiveError as error:
            taken = Taken(problems=[SubmissionProblem(error.cause, error.message)])
        return Submission(
            entry.name,
            entry.path,
            taken.contents,
            tuple(taken.problems),
            tuple(taken.notes),
            taken.left,
        )

    def _opener(self) -> Opener:
        return Opener(self._wanted, Budget(self._limits), self._archives, self._asked)

    def _children(self, entry: _Entry, opener: Opener) -> Sequence[tuple[str, Node]]:
        if isinstance(entry.node, Odd):
            raise entry.node.error
        if isinstance(entry.node, File):
            return [(entry.alone, entry.node)]
        return opener.children(entry.node, self._limits.archive_bytes)

    def _in_folder(self, folder: DiskFolder, path: Path, name: str) -> tuple[list[_Entry], bool]:
        try:
            children = self._opener().children(folder, 0)
        except ArchiveError as error:
            shown, reason = display(str(path)), error.message.partition(": ")[2]
            raise UsageError(f"{shown} cannot be listed: {reason or error.message}") from None
        ours = {each for each, node in children if _is_results(folder.root / each, node)}
        self.results += [path / each for each in sorted(ours)]
        children = [(each, node) for each, node in children if each not in ours]
        if (inner := self._download_within(children)) is not None:
            return self._in_folder(inner, path, name)
        is_one = any(each in self._wanted and _is_file(node) for each, node in children)
        is_one |= _is_one_notebook(children)
        if is_one and not self._is_class(children):
            return [_entry(name, str(folder.root), folder)], False
        entries = self._of_class(children, str(folder.root))
        if not entries:
            files = [(each, node) for each, node in children if isinstance(node, File)]
            limit = self._limits.packed_bytes
            told = (packed(display(each), node, limit) for each, node in files[:_MOST_SNIFFED])
            said = next((f"; {each}" for each in told if each), "")
            raise UsageError(
                f"{display(str(path))} holds no submission; put one folder a submission into it"
                f"{said}"
            )
        return entries, True

    def _download_within(self, children: Sequence[tuple[str, Node]]) -> DiskFolder | None:
        """The one folder that a folder holds, where that leads to a platform's download."""
        inner: DiskFolder | None = None
        try:
            for _ in range(self._limits.depth):
                kept = [(each, node) for each, node in children if not is_litter(each)]
                if platforms.are_downloaded(children):
                    return inner
                if len(kept) != 1 or not isinstance(kept[0][1], DiskFolder):
                    return None
                inner = kept[0][1]
                children = self._opener().children(inner, 0)
        except ArchiveError:
            pass  # said where it is read as a submission
        return None

    def _in_archive(self, archive: Archive, path: Path, name: str) -> tuple[list[_Entry], bool]:
        """An archive that was named by itself: a class, or else one submission."""
        one = [_entry(name, str(path), archive)], False
        try:
            for children in self._downwards(archive):
                if self._is_class(children):
                    return self._of_class(children, str(path)), True
                if any(each in self._wanted for each, _ in children):
                    return one
        except ArchiveError:
            pass  # reported when it is read as a submission
        return one

    def _downwards(self, container: Container) -> Iterator[Sequence[tuple[str, Node]]]:
        """What a container holds, then what the one container in it holds, and so on.

        Raises:
            ArchiveError: one of them cannot be listed.
        """
        opener = self._opener()
        for _ in range(self._limits.depth):
            children = opener.children(container, self._limits.archive_bytes)
            yield children
            inner = [node for each, node in children if _is_container(each, node)]
            if len(inner) != 1:
                return
            (only,) = inner
            assert not isinstance(only, File | Odd)
            container = only

    def _is_class(self, children: Sequence[tuple[str, Node]]) -> bool:
        """Whether the same wanted file lies in two folders, or a platform made the names."""
        if platforms.are_downloaded(children):
            return True
        left_s = _COMPARED_S
        seen: set[str] = set()
        containers = [(name, node) for name, node in children if _is_container(name, node)]
        for each in containers[:_MOST_COMPARED]:
            opener = self._opener()  # one for each, so that none can hide the others
            opener.budget.cpu_s = min(left_s, SUBMISSION_S)
            before = opener.budget.cpu_s
            with self._archives.passing():
                names = look_through([each], opener).wanted.keys()
            if seen & names:
                return True
            seen |= names
            left_s -= before - opener.budget.cpu_s
        return False

    def _of_class(self, children: Sequence[tuple[str, Node]], place: str) -> list[_Entry]:
        return [
            _entry(name, os.path.join(place, name), node)
            for name, node in sorted(platforms.by_student(children), key=lambda each: each[0])
            if not is_litter(name) and _is_submission(name, node)
        ]


def _entry(name: str, path: str, node: Node) -> _Entry:
    if isinstance(node, Archive) or (isinstance(node, Odd) and is_archive(name)):
        return _Entry(without_suffix(name), path, node)
    if isinstance(node, File) or (isinstance(node, Odd) and is_source(name)):
        return _Entry(Path(name).stem, path, node, alone=name)
    return _Entry(name, path, node)


def _is_file(node: Node) -> bool:
    return isinstance(node, File | Odd)


def _is_container(name: str, node: Node) -> bool:
    return not isinstance(node, File | Odd) and not is_litter(name)


def _is_submission(name: str, node: Node) -> bool:
    if isinstance(node, Odd):
        return "is a link" in node.error.message or is_source(name) or is_archive(name)
    return not isinstance(node, File) or is_source(name)


def _is_results(path: Path, node: Node) -> bool:
    """Whether a folder is one of ours: the ledger of a class, and nothing that can be work."""
    try:
        return (
            isinstance(node, DiskFolder)
            and Results(path).is_there()
            and not any(is_source(each.name) or is_archive(each.name) for each in path.iterdir())
        )
    except OSError:  # it is then listed like any other, which says why that fails
        return False


def _is_one_notebook(children: Sequence[tuple[str, Node]]) -> bool:
    """Whether nothing but one notebook in a folder can be a submission."""
    work = [each for each, node in children if not is_litter(each) and _is_submission(each, node)]
    return len(work) == 1 and is_notebook(work[0])
