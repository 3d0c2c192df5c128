"""Marks as the reports show them: made consistent, kept from telling of hidden checks, ranked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.marking.gradebook import Gradebook, SubmissionGrade, TaskGrade
from harness.records import Status, Verdict

#: Causes that are known before anything runs: what is said of them is about the file alone.
BEFORE_RUNNING = frozenset(
    {
        *("missing-file", "empty", "not-text", "too-large", "syntax"),
        *("unsafe-file", "unsafe-archive", "unreadable-archive"),
    }
)


@dataclass(frozen=True)
class Ranked:
    """A row and its place; equal points share the best place of theirs (1, 2, 2, 4)."""

    rank: int
    row: SubmissionGrade


def checked(gradebook: Gradebook) -> Gradebook:
    """The gradebook in which every row went through :func:`checked_row`, sorted by name."""
    rows = sorted((checked_row(row) for row in gradebook.submissions), key=lambda row: row.name)
    return replace(gradebook, submissions=tuple(rows))


def checked_row(row: SubmissionGrade) -> SubmissionGrade:
    """The row as every report may show it; all of them ask here first.

    A check has no points exactly when it is UNGRADABLE. A mark that is not a finite number is an
    error of ours: it becomes UNGRADABLE instead of spreading into totals and ranks. A hidden check
    keeps no example, no hint and no message that a run could have shaped, for the instructor's
    files as for the student's: the words of a program stay in the ledger.
    """
    tasks = tuple(_checked_task(task) for task in row.tasks)
    return row if _same(tasks, row.tasks) else replace(row, tasks=tasks)


def _checked_task(task: TaskGrade) -> TaskGrade:
    verdicts = tuple(_silenced(_consistent(verdict)) for verdict in task.verdicts)
    return task if _same(verdicts, task.verdicts) else replace(task, verdicts=verdicts)


def _same(first: Sequence[object], second: Sequence[object]) -> bool:
    return all(one is other for one, other in zip(first, second, strict=True))


def _consistent(verdict: Verdict) -> Verdict:
    if verdict.status == "UNGRADABLE":
        return verdict if verdict.points is None else replace(verdict, points=None)
    if verdict.points is not None and math.isfinite(verdict.points):
        return verdict
    message = "The harness came to no usable mark for this check."
    return replace(
        verdict, status="UNGRADABLE", cause="mark-unusable", points=None, message=message
    )


def _silenced(verdict: Verdict) -> Verdict:
    if verdict.visibility == "visible":
        return verdict
    untried = verdict.status == "ERROR" and verdict.cause in BEFORE_RUNNING
    message = verdict.message if untried else ""
    if (verdict.message, verdict.hint, verdict.example) == (message, "", None):
        return verdict
    return replace(verdict, message=message, hint="", example=None)


def ranked(gradebook: Gradebook) -> list[Ranked]:
    """All rows with competition ranks by points, best first; equal points in order of names."""
    placed: list[Ranked] = []
    for position, row in enumerate(checked(gradebook).ranked(), start=1):
        tied = bool(placed) and placed[-1].row.points == row.points
        placed.append(Ranked(placed[-1].rank if tied else position, row))
    return placed


def task_ids(gradebook: Gradebook) -> list[str]:
    """Every task of the run in the order of the specs, which is that of the fullest rows."""
    rows = sorted(gradebook.submissions, key=lambda row: (-len(row.tasks), row.name))
    return list(dict.fromkeys(task.id for row in rows for task in row.tasks))


def task_points(task: TaskGrade) -> float | None:
    """The points of a task; None while none of its checks has a mark."""
    if task.verdicts and all(verdict.points is None for verdict in task.verdicts):
        return None
    return number(task.points)


def number(value: float) -> float:
    """The value as the one float that equals it: never an integer, never minus zero."""
    return float(value) + 0.0


def points_text(points: float | None) -> str:
    """Points with at most four decimals and none to spare; a dash where there are none."""
    if points is None:
        return "–"
    return f"{points:.4f}".rstrip("0").rstrip(".")


def not_submitted(task: TaskGrade) -> str:
    """Which file of a task is missing, where that alone decided all of its checks; else ''."""
    decided = [verdict for verdict in task.verdicts if verdict.status != "SKIPPED"]
    if not decided or {verdict.cause for verdict in decided} != {"missing-file"}:
        return ""
    return decided[0].message


def failing(verdicts: Sequence[Verdict]) -> list[Status]:
    """The statuses other than PASS that occur, each once, in alphabetical order."""
    return sorted({verdict.status for verdict in verdicts} - {"PASS"})
