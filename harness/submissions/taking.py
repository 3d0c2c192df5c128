"""Takes the wanted files of one submission, with the modules that they import."""

from __future__ import annotations

import itertools
import sys
import sysconfig
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.machinery import PathFinder

from harness.errors import ArchiveError
from harness.submissions.cells import in_cells
from harness.submissions.hints import left_behind, misnamed_modules, missing, nothing_wanted
from harness.submissions.nodes import File, Node, Opener, Parts
from harness.submissions.records import (
    SubmissionProblem,
    display,
    display_path,
    is_notebook,
    size_in_words,
)
from harness.submissions.search import Contents, Place, look_through
from harness.submissions.sources import Judgement, SourceParser

_MOST_LEFT = 1000
#: How many imports of a file and of its modules are told to be nearly right.
_MOST_MISNAMED = 5
#: Modules of the worker, and what it calls its own files.
_OURS = frozenset({"harness", "given"})


@dataclass
class Taken:
    """What was taken of a submission; see :class:`harness.submissions.records.Submission`."""

    contents: dict[str, bytes] = field(default_factory=dict)
    problems: list[SubmissionProblem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left: tuple[str, ...] = ()


def take(children: Sequence[tuple[str, Node]], opener: Opener, parser: SourceParser) -> Taken:
    """The wanted files below the children of a submission, and what is wrong with them.

    Raises:
        ArchiveError: nothing can be taken, and why.
        InfrastructureError: see :meth:`SourceParser.judge`.
    """
    contents = look_through(children, opener)
    parser.next_submission()
    return _Taking(contents, opener, parser).result()


class _Taking:
    """Takes files from what was found, one after the other."""

    def __init__(self, contents: Contents, opener: Opener, parser: SourceParser) -> None:
        self._found = contents
        self._limits = opener.limits
        self._wanted = opener.wanted
        self._asked = opener.asked or opener.wanted
        self._parser = parser
        self._taken = Taken()
        self._used: set[Parts] = set()
        self._refused: dict[str, str] = {}
        self._cells: dict[str, list[Place]] = {}
        self._kinds: dict[Parts, str] = {}
        self._broken: dict[Parts, str] = {}
        self._notes: list[str] = []
        self._spellings: dict[Parts, Parts] | None = None
        self._total_bytes = 0

    def result(self) -> Taken:
        """Everything, with the problems in the order of the files' names."""
        taken, contents = self._taken, self._found
        self._read_notebooks()
        for name in sorted(self._wanted):
            self._take_wanted(name)
        problematic = {problem.file for problem in taken.problems}
        unused = [parts for parts in contents.files if parts not in self._used]
        absent = self._wanted - taken.contents.keys() - problematic
        ours = [error for _, error in contents.unread if error.cause.fault == "harness"]
        if ours:  # what is absent may lie where this machine could not look
            taken.problems += [
                SubmissionProblem(ours[0].cause, ours[0].message, name) for name in sorted(absent)
            ]
        else:
            taken.problems += missing(absent, unused, self._kinds, self._broken)
        if not taken.contents and not problematic and not ours:
            limits, broken = self._limits, self._broken
            taken.problems.append(nothing_wanted(contents, unused, self._asked, limits, broken))
        taken.left = _names(unused[:_MOST_LEFT], {parts[:-1] for parts in self._used})
        behind = left_behind(contents, unused, self._wanted)
        taken.notes = [*self._notes, *self._refused.values(), *behind]
        return taken

    def _read_notebooks(self) -> None:
        """Reads the notebooks of the submission; the modules that they make up count as files."""
        paths = sorted(parts for parts in self._found.files if is_notebook(parts[-1]))
        for parts in paths[: self._limits.notebooks]:
            shown = display_path(parts)
            try:
                content = self._found.files[parts].read(self._limits.notebook_bytes)
            except ArchiveError as error:
                if error.cause.fault == "harness":
                    self._found.unread.append((parts, error))
                    continue
                clear = "; clear its outputs" if error.cause == "too-large" else ""
                self._notes.append(f"{shown} was not read: {error.message}{clear}.")
                continue
            read = self._parser.notebook(parts[-1], content, self._wanted)
            if read.ours:
                ours = ArchiveError("harness-error", read.problem)
                self._found.unread.append((parts, ours))
                continue
            if read.problem:
                self._notes.append(f"{read.problem}.")
                self._broken[parts] = read.problem.removeprefix(f"{display(parts[-1])} ")
            self._kinds[parts] = read.kind
            self._notes += [f"{shown}: left out: {note}." for note in read.notes]
            for name, module in read.modules.items():
                self._used.add(parts)
                if name in self._found.wanted:
                    self._notes.append(
                        f"{shown} has cells for {name}, which was handed in as a file, too: the "
                        "file was taken."
                    )
                else:
                    made = File(partial(_made, name, module))
                    self._cells.setdefault(name, []).append(Place(parts, made))

    def _take_wanted(self, name: str) -> None:
        places = self._found.wanted.get(name) or self._cells.get(name, [])
        self._used |= {place.parts for place in places}
        try:
            if len(places) > 1:
                raise _twice(name, places)
            if not places:
                if name in self._found.odd:
                    raise self._found.odd[name]
                return
            content = self._read(places[0], self._limits.of(name))
        except ArchiveError as error:
            self._taken.problems.append(SubmissionProblem(error.cause, error.message, name))
            return
        self._taken.contents[name] = content
        if name.endswith(".py"):
            judged = self._parser.judge(name, content)
            if judged.cause:
                message = in_cells(judged.message, {name: content})
                problem = SubmissionProblem(judged.cause, message, name, judged.line)
                self._taken.problems.append(problem)
            else:
                self._take_helpers(name, places[0], judged)

    def _read(self, place: Place, limit: int) -> bytes:
        assert isinstance(place.node, File)
        content = place.node.read(limit)
        if self._total_bytes + len(content) > self._limits.total_bytes:
            message = f"the files up to {place.name} are together larger than"
            total = size_in_words(self._limits.total_bytes)
            raise ArchiveError("too-large", f"{message} {total}")
        self._total_bytes += len(content)
        return content

    def _take_helpers(self, name: str, program: Place, judged: Judgement) -> None:
        """Takes the modules beside a file that it imports, and those that they import."""
        stem = name.removesuffix(".py")
        waiting = sorted(judged.imports)
        seen = {stem, *waiting}
        importers = dict.fromkeys(waiting, name)
        dotted = [(name, module) for module in sorted(judged.relative)]
        absent: list[tuple[str, str]] = []
        count = size = 0
        while waiting:
            module = waiting.pop(0)
            parts = self._spelled((*program.parts[:-1], f"{module}.py"))
            file = self._found.files.get(parts)
            if file is None and not _owner(module):
                absent.append((importers[module], module))
            if file is None or self._is_shadowed(module):
                continue
            try:
                if parts[-1] in self._wanted and len(self._found.wanted[parts[-1]]) > 1:
                    raise _twice(parts[-1], self._found.wanted[parts[-1]])
                content = self._read(Place(parts, file), self._limits.source_bytes)
                count, size = count + 1, size + len(content)
                if count > self._limits.helpers or size > self._limits.helper_bytes:
                    most = f"{self._limits.helpers} modules and "
                    most += size_in_words(self._limits.helper_bytes)
                    raise ArchiveError("too-large", f"at most {most} come along with a file")
                helper = self._parser.judge(parts[-1], content)
                if helper.cause == "harness-error":
                    raise ArchiveError(helper.cause, helper.message)
            except ArchiveError as error:
                if error.cause.fault == "harness":  # the program would fail for want of it
                    problem = SubmissionProblem(error.cause, error.message, name)
                    self._taken.problems.append(problem)
                    return
                self._refuse(parts[-1], error.message)
                continue
            if helper.cause and helper.line is None:  # with a line, Python reports it when it runs
                self._refuse(parts[-1], helper.message)
                continue
            self._used.add(parts)
            self._taken.contents[f"{stem}/{module}.py"] = content
            new = sorted(helper.imports - seen)
            seen.update(new)
            importers |= dict.fromkeys(new, parts[-1])
            dotted += [(parts[-1], each) for each in sorted(helper.relative)]
            waiting += new
        self._say_what_was_meant(program.parts[:-1], absent, dotted)

    def _spelled(self, parts: Parts) -> Parts:
        """How a module lies there: Python knows one spelling of an accent, and file names two."""
        if parts in self._found.files or parts[-1].isascii():
            return parts
        if self._spellings is None:
            self._spellings = {}
            for each in sorted(self._found.files):
                if not each[-1].isascii():
                    normal = unicodedata.normalize("NFKC", each[-1])
                    self._spellings.setdefault((*each[:-1], normal), each)
        return self._spellings.get(parts, parts)

    def _say_what_was_meant(
        self, folder: Parts, absent: Sequence[tuple[str, str]], dotted: Sequence[tuple[str, str]]
    ) -> None:
        """Notes the modules beside a file that nearly have the name of one that it imports.

        Args:
            absent, dotted: a file and a module that it imports: one that is not there, and one with
                a dot before its name.
        """
        if not absent and not dotted:
            return
        beside = [parts[-1] for parts in self._found.files if parts[:-1] == folder]
        self._notes += itertools.islice(misnamed_modules(absent, dotted, beside), _MOST_MISNAMED)

    def _is_shadowed(self, module: str) -> bool:
        """Whether the name is that of a module which the program gets instead; this is said."""
        owner = _owner(module)
        if owner:
            what = f"it has the name of a module of {owner}, which is imported instead; rename it"
            self._refuse(f"{module}.py", what)
        return bool(owner)

    def _refuse(self, name: str, why: str) -> None:
        self._refused[name] = f"{display(name)} was not taken: {why}."


def _made(name: str, content: bytes, limit: int) -> bytes:
    """The text of a module that was made from a notebook, read as a file is."""
    if len(content) > limit:
        raise ArchiveError(
            "too-large", f"the cells for {name} are together larger than {size_in_words(limit)}"
        )
    return content


def _names(unused: Sequence[Parts], taken_from: set[Parts]) -> tuple[str, ...]:
    """What a program may call the files that were not taken: by their names, packages by theirs.

    A folder that something was taken from is no package.
    """
    files = [parts[-1] for parts in unused]
    sources = [parts[:-1] for parts in unused if parts[-1].endswith(".py")]
    packages = [folder[-1] for folder in sources if folder and folder not in taken_from]
    return tuple(dict.fromkeys([*files, *packages]))


def _twice(name: str, places: Sequence[Place]) -> ArchiveError:
    """The error of a file that lies in a submission more than once."""
    paths = [display_path(place.parts) for place in places]
    if len(set(paths)) == 1:
        message = f"the archive's member {paths[0]} is in it twice; pack plain files anew"
        return ArchiveError("unsafe-archive", message)
    more = f" and {len(paths) - 2} more" if len(paths) > 2 else ""
    listed = f"{paths[0]} and {paths[1]}{more}"
    message = f"{name} was handed in {len(paths)} times: {listed}; keep one of them"
    return ArchiveError("duplicate-file", message)


@cache
def _owner(module: str) -> str:
    """Whose module of this name a program gets before one of its own; empty where nobody's."""
    if module in sys.stdlib_module_names or module in sys.builtin_module_names:
        return "Python"
    if module in _OURS:
        return "the grader"
    paths = _installed()
    spec = PathFinder.find_spec(module, paths) if module.isidentifier() else None
    return "an installed package" if spec is not None and spec.loader is not None else ""


def _installed() -> list[str]:
    named: Iterable[str] = (sysconfig.get_path(name) for name in ("purelib", "platlib"))
    return sorted({*named, *(path for path in sys.path if path.endswith("-packages"))})
