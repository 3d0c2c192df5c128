"""gradebook.csv: a row a student under the id that the course knows, for whoever keeps the marks.

The leaderboard shows pseudonyms and may be published; this file is not for publication.
"""

from __future__ import annotations

from pathlib import Path

from harness.files import csv_text, write_text
from harness.marking.gradebook import Gradebook, SubmissionGrade
from harness.report.marks import number, task_ids, task_points
from harness.report.names import refuse_duplicates, shown
from harness.report.sanitise import NAME_LIMIT, SENTENCE_LIMIT, as_text, clean

#: The columns of :func:`who`.
WHO = ("id", "name", "group", "email", "pseudonym")
_MARK = ("mark", "points", "override", "penalty", "max_points")
_TIME = ("submitted", "attempts", "late", "free_days", "extension", "provisional")


def render(gradebook: Gradebook) -> str:
    """The table as CSV: rows by id, a column a task with its computed points."""
    refuse_duplicates(gradebook)
    tasks = task_ids(gradebook)
    names = [f"task:{clean(task, NAME_LIMIT)}" for task in tasks]
    rows = []
    for row in gradebook.submissions:
        points = {task.id: task_points(task) for task in row.tasks}
        by_task = ["" if (each := points.get(task)) is None else repr(each) for task in tasks]
        rows.append([*who(row), *_numbers(row), *_times(row), *by_task])
    return csv_text([*WHO, *_MARK, *_TIME, *names], rows)


def write(gradebook: Gradebook, path: Path) -> Path:
    """Write the table, whole or not at all; returns the path."""
    return write_text(path, render(gradebook))


def who(row: SubmissionGrade) -> list[str]:
    """The cells that say whose row it is."""
    student = [row.student.get(field, "") for field in ("name", "group", "email")]
    known = shown(row) if row.student else ""
    return [as_text(clean(text, NAME_LIMIT)) for text in (row.name, *student, known)]


def _numbers(row: SubmissionGrade) -> list[str]:
    override = round(row.overridden - row.points, 4)
    figures = (row.mark, row.points, override, row.penalty, row.max_points)
    return [repr(number(figure)) for figure in figures]


def _times(row: SubmissionGrade) -> list[str]:
    late = row.late
    days = ["", ""] if late is None else [str(late.days), str(late.free_days)]
    attempts = str(row.handed_in or len(row.attempts) or "")
    extension = as_text(clean(row.extension, SENTENCE_LIMIT))
    return [clean(row.submitted, NAME_LIMIT), attempts, *days, extension, repr(row.provisional)]
