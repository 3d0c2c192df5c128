"""gradebook.csv: a row a student under the id that the course knows, for whoever keeps the marks.

The leaderboard shows pseudonyms and may be published; this file is not for publication.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from harness.files import write_text
from harness.marking.gradebook import Gradebook, SubmissionGrade
from harness.report.marks import number, task_ids, task_points
from harness.report.names import refuse_duplicates, shown
from harness.report.sanitise import NAME_LIMIT, as_text, clean

_WHO = ("id", "name", "group", "email", "pseudonym")
_MARK = ("mark", "points", "override", "penalty", "max_points")
_TIME = ("submitted", "late", "free_days", "provisional")


def render(gradebook: Gradebook) -> str:
    """The table as CSV: rows by id, a column a task with its computed points."""
    refuse_duplicates(gradebook)
    tasks = task_ids(gradebook)
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    names = [f"task:{clean(task, NAME_LIMIT)}" for task in tasks]
    writer.writerow([*_WHO, *_MARK, *_TIME, *names])
    for row in gradebook.submissions:
        points = {task.id: task_points(task) for task in row.tasks}
        by_task = ["" if (each := points.get(task)) is None else repr(each) for task in tasks]
        writer.writerow([*_texts(row), *_numbers(row), *_times(row), *by_task])
    return stream.getvalue()


def write(gradebook: Gradebook, path: Path) -> Path:
    """Write the table, whole or not at all; returns the path."""
    return write_text(path, render(gradebook))


def _texts(row: SubmissionGrade) -> list[str]:
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
    return [clean(row.submitted, NAME_LIMIT), *days, repr(row.provisional)]
