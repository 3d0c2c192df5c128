"""Marks as the reports show them: ranked, as numbers and as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.causes import Cause
from harness.marking.gradebook import Gradebook, SubmissionGrade, TaskGrade
from harness.records import WITHHELD, Status, Verdict

#: Causes of an ERROR that nothing is withheld of, and that are found once a program has run.
_AFTER_LOADING = (Cause.NOT_REPRODUCIBLE,)
#: What is said of a function as a starter has it: an exception without a text, and its place.
_OPEN = re.compile(r"NotImplementedError: *\((?P<line>line \d+) of (?P<file>[^()]+)\)")


@dataclass(frozen=True)
class Ranked:
    """A row and its rank, from 1; rows with equal points share the better rank (1, 2, 2, 4)."""

    rank: int
    row: SubmissionGrade


def ranked(gradebook: Gradebook) -> list[Ranked]:
    """All rows with their ranks, best first; rows with equal points in the order of their names."""
    rows: list[Ranked] = []
    for position, row in enumerate(gradebook.ranked(), start=1):
        tied = bool(rows) and rows[-1].row.points == row.points
        rows.append(Ranked(rows[-1].rank if tied else position, row))
    return rows


def task_ids(gradebook: Gradebook) -> list[str]:
    """The ids of all tasks of the run, in the order of the row that has the most tasks."""
    rows = sorted(gradebook.submissions, key=lambda row: (-len(row.tasks), row.name))
    return list(dict.fromkeys(task.id for row in rows for task in row.tasks))


def task_points(task: TaskGrade) -> float | None:
    """The points of a task; None if none of its checks has a mark yet."""
    if task.verdicts and all(verdict.points is None for verdict in task.verdicts):
        return None
    return number(task.points)


def number(value: float) -> float:
    """The value as a float, and -0.0 as 0.0, so that equal values are written equally."""
    return float(value) + 0.0


def points_text(points: float | None) -> str:
    """Points with at most four decimals and no trailing zeros; a dash for None."""
    if points is None:
        return "–"
    return f"{points:.4f}".rstrip("0").rstrip(".")


def not_submitted(task: TaskGrade) -> str:
    """The message about a task's missing file, if all its checks failed for that; else ''.

    Skipped checks do not count: they wait for others.
    """
    decided = [verdict for verdict in task.verdicts if verdict.status != "SKIPPED"]
    if not decided or {verdict.cause for verdict in decided} != {"missing-file"}:
        return ""
    return decided[0].message


def unloadable(task: TaskGrade) -> Verdict | None:
    """The verdict that stands for all checks of a task whose file could not be loaded; else None.

    That is where every check which did not wait for others is an ERROR for one and the same reason,
    found before the program was given any input: what a program says later is withheld.
    """
    decided = [verdict for verdict in task.verdicts if verdict.status != "SKIPPED"]
    shown = [verdict for verdict in decided if verdict.visibility == "visible"] or decided
    if not_submitted(task) or len({(each.status, each.cause) for each in decided}) != 1:
        return None
    if len({verdict.message for verdict in shown}) != 1:
        return None
    first = shown[0]
    ran = any(WITHHELD in verdict.evidence for verdict in shown)
    if first.status != "ERROR" or ran or first.cause in _AFTER_LOADING:
        return None
    return first if first.visibility == "visible" or first.before_running else None


def not_run_text(task: TaskGrade, why: str = "the file could not be loaded") -> str:
    """What :func:`unloadable` means for a task, in words."""
    count = len(task.verdicts)
    checks = "its one check was not run" if count == 1 else f"none of its {count} checks was run"
    return f"{why}; {checks} ({points_text(task.max_points)} points)"


@dataclass(frozen=True)
class InOne:
    """What is told of a task at once, where all its checks came to the same.

    Attributes:
        verdict: status, cause and message that stand for all of them.
        text: what it means.
    """

    verdict: Verdict
    text: str


def in_one(task: TaskGrade) -> InOne | None:
    """What stands for all checks of a task: a file that was not loaded, or one not filled in.

    None where the checks have something to tell one by one.
    """
    if (verdict := unloadable(task)) is not None:
        return InOne(verdict, not_run_text(task))
    return _not_filled_in(task)


def _not_filled_in(task: TaskGrade) -> InOne | None:
    """The block about a task whose functions are those of its starter, as far as they were called.

    The message of a hidden check is not known; it has to be an error of the same cause.
    """
    decided = [verdict for verdict in task.verdicts if verdict.status != "SKIPPED"]
    shown = [verdict for verdict in decided if verdict.visibility == "visible"]
    if {(each.status, each.cause) for each in decided} != {("ERROR", Cause.EXCEPTION)}:
        return None
    places = [_OPEN.fullmatch(verdict.message) for verdict in shown]
    lines: dict[str, dict[str, None]] = {}
    for place in places:
        if place is None:
            return None
        lines.setdefault(place["file"], {})[place["line"].removeprefix("line ")] = None
    if not lines:
        return None
    where = "; ".join(
        f"line{'s' if len(numbers) > 1 else ''} {', '.join(numbers)} of {file}"
        for file, numbers in lines.items()
    )
    count = len(task.verdicts)
    none = "its one check" if count == 1 else f"none of its {count} checks"
    text = (
        f"what its checks call is not filled in; {none} was {'not ' * (count == 1)}passed "
        f"({points_text(task.max_points)} points)"
    )
    return InOne(replace(shown[0], message=f"NotImplementedError: {where}"), text)


def failing(verdicts: Sequence[Verdict]) -> list[Status]:
    """The statuses other than PASS among some verdicts, each once, in alphabetical order.

    What only the course can mark is left out.
    """
    return sorted({each.status for each in verdicts if not each.by_course} - {"PASS"})
