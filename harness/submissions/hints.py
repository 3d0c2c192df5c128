"""What students are told about files that are missing, and about those that were not taken."""

from __future__ import annotations

import difflib
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from harness.errors import ArchiveError
from harness.submissions import formats
from harness.submissions.members import is_archive, without_suffix
from harness.submissions.nodes import File, Parts
from harness.submissions.records import (
    Limits,
    SubmissionProblem,
    display,
    display_path,
    is_notebook,
)
from harness.submissions.search import Contents

#: How many names of a submission are compared with those that tasks ask for, and how long ones.
_COMPARED = 100
_LONGEST_COMPARED = 80
_LISTED = 5
#: What is said of notebooks of other graders, whose cells do not name a file.
_SOLUTION_CELLS = {
    "nbgrader": " with solution cells of nbgrader, which count by themselves only in a notebook "
    "that has the name of the task",
    "otter": " with answer cells of Otter",
}
_NOTEBOOK, _BROKEN = ", a notebook", ", which "
_ONE_FILE = "one file is asked for, with modules beside it"
_SAVE = "save it in Jupyter again and hand that in"
#: Names of files that are zip archives inside, and not because somebody packed them.
_DOCUMENTS = re.compile(
    r"\.(docx|xlsx|pptx|od[tsp]|pages|numbers|key|npz|pth?|keras|epub|mlx)$", re.IGNORECASE
)
_LIKE_ARCHIVES = re.compile(
    r"\.(zipx?|jar|whl|egg|gz|bz2|xz|zst|z|lzh|lzma|arj|ace|cab|dmg|iso|s7z)$", re.IGNORECASE
)
#: What tools and people put into a name: " (1)", "-2", "_final", "copy of".
_ADDED = re.compile(r"(copy of |kopie von |\s*\(\d+\)|[-_ ](copy|final|neu|new|v?\d+)(?=\.|$))")


def missing(
    absent: Iterable[str],
    unused: Sequence[Parts],
    kinds: Mapping[Parts, str],
    broken: Mapping[Parts, str],
) -> list[SubmissionProblem]:
    """The problems of the wanted files for which another file may have been meant.

    Args:
        kinds: the notebooks, and whose solution cells each has (nbgrader's, Otter's or nobody's).
        broken: those that cannot be read, and why.
    """
    meant = _meant(unused, frozenset(absent), kinds, broken)
    return [
        SubmissionProblem("missing-file", f"{name} was not submitted; found {meant[name]}", name)
        for name in sorted(meant)
    ]


def nothing_wanted(
    contents: Contents,
    unused: Sequence[Parts],
    wanted: frozenset[str],
    limits: Limits,
    broken: Mapping[Parts, str],
) -> SubmissionProblem:
    """The problem of a submission in which no wanted file was found, with what lies there."""
    message = f"there is no file that a task asks for{nearest(unused, wanted, broken)}"
    for parts, error in contents.unread[:1]:
        message += f"; {display_path(parts)} was not opened: {error.message}"
    for parts in unused[:_LISTED]:
        if said := packed(display_path(parts), contents.files[parts], limits.packed_bytes):
            message += f"; {said}"
    for parts in contents.hollow[:1]:
        message += f"; {display_path(parts) or 'what was handed in'} is empty"
        message += "; see that your files are in it"
    for parts in contents.hidden[:1]:
        message += f"; {display_path(parts)} was not looked into, since its name begins with a dot"
        message += ": rename it"
    if contents.depth_reached:
        message += f"; what lies deeper than {limits.depth} folders was not looked at"
    if contents.cut:
        message += "; there was more than is looked at, so hand in only what is asked for"
    left = [*unused, *contents.others]
    shown = [display_path(parts) for parts in left[:_LISTED]]
    if not all(name in message for name in shown):
        more = f" and {len(left) - _LISTED} more" if len(left) > _LISTED else ""
        message += f"; handed in: {', '.join(shown)}{more}"
    return SubmissionProblem("empty", message)


def packed(shown: str, file: File, limit: int) -> str:
    """What to do with a file that is an archive, and is not called like one; empty for others.

    Args:
        shown: its path as a message shows it.
        limit: the most bytes that are read of it.
    """
    if is_archive(shown) or _DOCUMENTS.search(shown):
        return ""
    try:
        what = formats.told(file.read(limit))
    except ArchiveError:
        what = ""
    if what in (formats.ZIP, formats.GZIP):
        stem, dot, _ = shown.rpartition("/")[2].rpartition(".")
        name = without_suffix(stem if stem and dot else shown.rpartition("/")[2])
        suffix = ".zip" if what == formats.ZIP else ".tar.gz"
        return f"{shown} is {what} and not called so: rename it to {name}{suffix}"
    if what in formats.ARCHIVES:
        return f"{shown} is {what}, which is not opened: pack your files as .zip"
    if _LIKE_ARCHIVES.search(shown):
        return (
            f"{shown} looks like an archive of a kind that is not opened: pack your files as .zip"
        )
    return ""


def nearest(
    unused: Iterable[Parts], wanted: frozenset[str], broken: Mapping[Parts, str] | None = None
) -> str:
    """The end of a message: which of the names may be meant for which wanted file."""
    meant = _meant(unused, wanted, {}, broken or {})
    if meant:
        name = min(meant)
        if any(each in meant[name] for each in (_NOTEBOOK, _BROKEN, _ONE_FILE)):
            return f"; found {meant[name]}"
        return f"; was {meant[name]} meant to be {name}?"
    return f"; file names are such as {min(wanted)}" if wanted else ""


def misnamed_modules(
    absent: Sequence[tuple[str, str]], dotted: Sequence[tuple[str, str]], beside: Sequence[str]
) -> Iterator[str]:
    """What a student should know about imports that nearly name a module beside; a sentence each.

    Args:
        absent: a file, and a module that it imports and that is not there.
        dotted: a file, and a module that it imports with a dot before its name.
        beside: the names of the files that lie in the same folder.
    """
    by_plain = {_plain(name): name for name in beside if len(name) <= _LONGEST_COMPARED}
    compared = frozenset(sorted(name for name in by_plain if name.endswith(".py"))[:_COMPARED])

    def nearest_to(module: str) -> str:
        close = _close(_plain(f"{module}.py"), compared)
        return by_plain[close[0][0]] if close else ""

    for file, module in dotted[:_LISTED]:
        if near := display(nearest_to(module).removesuffix(".py")):
            yield (
                f"{display(file)} imports {display(module)} with a dot before its name, as only "
                f"files of a package can: write `import {near}`, or `from {near} import …`."
            )
    for file, module in absent[:_COMPARED]:
        if near := nearest_to(module):
            stem = near.removesuffix(".py")
            other = stem != near and stem.isidentifier()
            remedy = f"Write `import {stem}`" if other else f"Rename it to {display(module)}.py"
            yield (
                f"{display(file)} imports {display(module)}, which is not there; was "
                f"{display(near)} meant{_unlike(near)}? {remedy}."
            )


def left_behind(
    contents: Contents, unused: Sequence[Parts], wanted: frozenset[str]
) -> Iterable[str]:
    """What a student should know about the files that were not taken; at most one sentence each."""
    for parts, error in contents.unread[:_LISTED]:
        yield f"{display_path(parts)} was not opened: {error.message}."
    left = [*unused, *contents.others]
    names = [display_path(parts) for parts in left[:_LISTED]]
    if names and contents.wanted.keys() & wanted:
        more = f" and {len(left) - _LISTED} more" if len(left) > _LISTED else ""
        yield (
            "Only the files that tasks ask for, and modules that they import from beside them, "
            f"were taken; not taken: {', '.join(names)}{more}."
        )


def _meant(
    unused: Iterable[Parts],
    wanted: frozenset[str],
    kinds: Mapping[Parts, str],
    broken: Mapping[Parts, str],
) -> dict[str, str]:
    """Wanted file -> how the unused file is called that may have been meant, with what to do.

    Only the first 100 names of at most 80 characters are compared, since comparing is slow.
    """
    compared = itertools.islice(
        (parts for parts in unused if len(parts[-1]) <= _LONGEST_COMPARED), _COMPARED
    )
    best: dict[str, tuple[float, str]] = {}
    notebook = ""
    for parts in compared:
        is_one = is_notebook(parts[-1])
        name = f"{parts[-1].rpartition('.')[0]}.py" if is_one else parts[-1]
        shown = display_path(parts) + _unlike(parts[-1])
        if is_one and parts in broken:
            shown += f"{_BROKEN}{broken[parts]}"
            shown += "" if ";" in broken[parts] or "Python" in broken[parts] else f"; {_SAVE}"
        elif is_one:
            shown += f"{_NOTEBOOK}{_mark(parts[-1], kinds.get(parts, ''))}"
        notebook = notebook or (shown if is_one else "")
        if name == "__init__.py" and f"{parts[-2:-1] and parts[-2]}.py" in wanted:
            best[f"{parts[-2]}.py"] = (1.0, f"{shown}, a package; {_ONE_FILE}")
        for close, ratio in _close(_plain(name), wanted):
            if ratio > best.get(close, (0.0, ""))[0]:
                best[close] = (ratio, shown)
    meant = {name: shown for name, (_, shown) in best.items()}
    if notebook:
        meant |= {name: notebook for name in wanted - meant.keys() if name.endswith(".py")}
    return meant


def _unlike(name: str) -> str:
    """How a name is spelled, where it looks like another: spaces around it, letters like others."""
    return "" if name.isascii() and name == name.strip() else f" (that is, {display(ascii(name))})"


def _mark(name: str, kind: str) -> str:
    """What to do with a notebook none of whose cells says what it is for."""
    cells = _SOLUTION_CELLS.get(kind, "")
    return (
        f"{cells}: write a line `# fairmark: NAME`, with the task's name, into every cell that "
        "belongs to a task, or export the notebook (jupyter nbconvert --to script "
        f"{display(name)!r}) and hand in the .py file"
    )


def _plain(name: str) -> str:
    """A name as it would be without what was added to it by the way."""
    folded = unicodedata.normalize("NFKC", name).casefold().replace(".py.txt", ".py")
    return _ADDED.sub("", folded).strip()


@lru_cache(maxsize=4096)
def _close(name: str, wanted: frozenset[str]) -> list[tuple[str, float]]:
    """The wanted file whose name is nearest, and how near, from 0 to 1; empty where none is."""
    near = difflib.get_close_matches(name, sorted(wanted), n=1, cutoff=0.75)
    return [(each, difflib.SequenceMatcher(None, name, each).ratio()) for each in near]
