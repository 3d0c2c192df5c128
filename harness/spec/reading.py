"""Reads the files of a task, with a problem for what is missing instead of an exception."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from harness.errors import Problem, SpecError

Loaded = TypeVar("Loaded")
#: How many names a message lists: all tasks of a course, and not all students of a large class.
_LISTED = 100


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: ``; did you mean 'x'?``, or the known names.

    Of more than 100 the first are listed.
    """
    names = sorted(set(known))
    close = get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"; there are: {', '.join(names[:_LISTED])}{more}"


def collect(problems: list[Problem], load: Callable[[], Loaded]) -> Loaded | None:
    """What ``load`` returns; None if it raises SpecError, whose problems are added to the list."""
    try:
        return load()
    except SpecError as error:
        problems += error.problems
        return None


def text_of(problems: list[Problem], path: Path, content: bytes) -> str:
    """The text of a file; empty, with a problem added to the list, where it is not UTF-8."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        problems.append(Problem(str(path), 1, 1, f"this is not text: {error}", "save it as UTF-8"))
        return ""


def bytes_of(problems: list[Problem], path: Path, remedy: str) -> bytes:
    """The content of a file; empty, with a problem and its remedy added, where it is missing."""
    try:
        return path.read_bytes()
    except OSError:
        problems.append(Problem(str(path), 1, 1, "this file is missing", remedy))
        return b""
