"""The changes that need not be caught: equivalent.yaml of a reference lists them with reasons."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import Field

from harness.errors import Problem
from harness.mutation.trying import Tried
from harness.spec import strict_yaml
from harness.spec.checks import Model
from harness.spec.reading import did_you_mean

FILE = "equivalent.yaml"
_REMOVE = "remove the entry"


class Equivalent(Model):
    """Changes that are right all the same, or that no check could tell from right.

    ``mutant`` is the name that ``verify --mutate`` gives a change; ``*`` in it stands for any text,
    such as ``*/sample/float32-*`` for single precision in that function of every program.
    """

    mutant: str
    reason: Annotated[str, Field(min_length=15, max_length=500)]

    def covers(self, name: str) -> bool:
        """Whether a change of that name is meant."""
        return fnmatchcase(name, self.mutant)


class Equivalents(Model):
    """All of them, for one task."""

    equivalent: tuple[Equivalent, ...]


def listed(folder: Path) -> tuple[Equivalent, ...]:
    """The entries of a reference folder; none where it has no such file.

    Raises:
        SpecError: the file is not valid, such as an entry without a reason.
    """
    path = folder / FILE
    return strict_yaml.load(path, Equivalents).equivalent if path.is_file() else ()


def problems(
    folder: Path, entries: Sequence[Equivalent], names: Collection[str], tried: Sequence[Tried]
) -> list[Problem]:
    """What is wrong with the entries, each with its line.

    Args:
        names: of every change of the task's programs.
        tried: what became of those that were run; entries about others are not judged.
    """
    if not entries:
        return []
    path = folder / FILE
    places = strict_yaml.positions(path.read_text(encoding="utf-8"))
    by_name = {item.change.name: item for item in tried}
    result = []
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        for message, remedy in _against(entry, names, by_name, seen):
            place = places.get(("equivalent", index, "mutant"), (1, 1))
            result.append(Problem(str(path), *place, message, remedy))
        seen.add(entry.mutant)
    return result


def _against(
    entry: Equivalent, names: Collection[str], tried: Mapping[str, Tried], seen: Collection[str]
) -> Iterator[tuple[str, str]]:
    name = entry.mutant
    if name in seen:
        yield f"{name!r} stands twice", "keep one of them"
    elif not any(map(entry.covers, names)):
        near = "" if "*" in name else did_you_mean(name, names)
        yield (
            f"no mutant is called {name!r}{near if 'did you mean' in near else ''}",
            f"{_REMOVE}, or copy a name from the output of `verify --mutate`",
        )
    else:
        items = [item for item in tried.values() if entry.covers(item.change.name)]
        noticed = [item for item in items if item.outcome in ("caught", "crash", "refused")]
        if noticed and len(noticed) == len(items):
            item = noticed[0]
            at = f" by {item.check}" if item.check else ""
            why = "caught" if item.outcome == "caught" else f"no survivor ({item.words[:60]})"
            yield f"{name!r} is {why}{at}: it is not equivalent", _REMOVE


def survivor_problem(path: Path, item: Tried) -> Problem:
    """The complaint about a change that no check catches and no entry excuses."""
    change = item.change
    return Problem(
        str(path),
        change.line,
        1,
        f"mutant {change.name} passes {', '.join(item.checks)}, though {item.words}: "
        f"`{change.old}` became `{change.new}` in `{change.within}`",
        f"let a check catch it, or say in {FILE} why it is right",
    )
