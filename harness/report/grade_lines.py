"""The lines of grades.csv: every check of every submission, and what stands beside them."""

from __future__ import annotations

from harness.marking.gradebook import Gradebook
from harness.records import Verdict
from harness.report.adjustments import Adjustment, adjustments
from harness.report.marks import number
from harness.report.names import labels
from harness.report.sanitise import NAME_LIMIT, SENTENCE_LIMIT, clean

Value = str | float | int | bool | None

GRADE_COLUMNS = (
    *("submission", "task", "check", "status", "cause", "points", "max_points"),
    *("visibility", "hint", "seeds_used", "message", "stale"),
)


def grade_rows(gradebook: Gradebook) -> list[dict[str, Value]]:
    """One record a submission and check: submissions by name, checks in the order of the specs.

    An example is never part of it; a hidden check's message says nothing about its instance. Below
    a submission's checks stand its overrides and its lateness, with the points that they add or
    take off, so that its lines sum up to its mark.
    """
    label = labels(gradebook)
    rows: list[dict[str, Value]] = []
    for row in gradebook.submissions:
        name: dict[str, Value] = {"submission": label[row.name]}
        rows += [
            {**name, **_grade(verdict), "stale": clean(task.stale, SENTENCE_LIMIT)}
            for task in row.tasks
            for verdict in task.verdicts
        ]
        rows += [{**name, **_line(each)} for each in adjustments(row)]
    return rows


def _line(adjustment: Adjustment) -> dict[str, Value]:
    """An override or a lateness as a line beside those of checks."""
    empty: dict[str, Value] = dict.fromkeys(GRADE_COLUMNS[1:], "")
    return empty | {
        "task": adjustment.task,
        "check": adjustment.check,
        "status": adjustment.kind,
        "points": adjustment.points,
        "max_points": None,
        "seeds_used": None,
        "message": adjustment.text,
    }


def _grade(verdict: Verdict) -> dict[str, Value]:
    return {
        "task": clean(verdict.task, NAME_LIMIT),
        "check": clean(verdict.check, NAME_LIMIT),
        "status": verdict.status,
        "cause": clean(verdict.cause, NAME_LIMIT),
        "points": None if verdict.points is None else number(verdict.points),
        "max_points": number(verdict.max_points),
        "visibility": verdict.visibility,
        "hint": clean(verdict.hint, SENTENCE_LIMIT),
        "seeds_used": verdict.seeds_used,
        "message": clean(verdict.message, SENTENCE_LIMIT),
    }
