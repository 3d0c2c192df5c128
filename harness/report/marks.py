"""Marks as the reports show them: ranked, as numbers and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.marking.gradebook import Gradebook, SubmissionGrade, TaskGrade
from harness.records import Status, Verdict


@dataclass(frozen=True)
class Ranked:
    """A row and its place; equal points share the best place of theirs (1, 2, 2, 4)."""

    rank: int
    row: SubmissionGrade


def ranked(gradebook: Gradebook) -> list[Ranked]:
    """All rows with competition ranks by points, best first; equal points in order of names."""
    placed: list[Ranked] = []
    for position, row in enumerate(gradebook.ranked(), start=1):
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
