"""Marks put into a platform's table: numbers in its column of grades, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.errors import UsageError
from harness.lms.layout import Layout, Person, number
from harness.lms.matching import Matches
from harness.marking.gradebook import SubmissionGrade
from harness.report.marks import points_text
from harness.report.sanitise import as_text
from harness.submissions import display

#: Why a mark waits.
PROVISIONAL = "some of its checks have no mark yet (--provisional writes it all the same)"
#: Which number is written: the mark, or the mark as a share of what the platform's is worth.
Points = Literal["as-is", "scaled"]


@dataclass(frozen=True)
class Filled:
    """A table with marks.

    Attributes:
        content: the whole file.
        written: id -> the grade that was put in.
        replaced: id -> the grade that stood there and was another one.
        left: id -> why the grade of somebody who was found was not put in.
    """

    content: bytes
    written: Mapping[str, str]
    replaced: Mapping[str, str]
    left: Mapping[str, str]


@dataclass(frozen=True)
class Wishes:
    """How a table is to be filled.

    Attributes:
        points: None where a mark and the platform's points must be out of the same.
        provisional: whether marks are written that lack a check.
        comments: whether empty comments get a sentence on how the mark adds up.
    """

    points: Points | None = None
    provisional: bool = False
    comments: bool = False


def fill(
    layout: Layout, rows: Sequence[SubmissionGrade], matches: Matches, wishes: Wishes
) -> Filled:
    """The table with the marks of those who were found.

    Raises:
        UsageError: comments are wanted and the table has none, or marks are out of other points
            than the platform's and nothing says what to do.
    """
    if wishes.comments and layout.comment is None:
        raise UsageError(f"{layout.sheet.path} has no column of comments; leave --comments out")
    changes: dict[tuple[int, int], str] = {}
    written: dict[str, str] = {}
    replaced: dict[str, str] = {}
    left: dict[str, str] = {}
    for row in rows:
        person = matches.found.get(row.name)
        if person is None:
            continue
        reason = layout.locked.get(person.index, "")
        if not reason and row.provisional and not wishes.provisional:
            reason = PROVISIONAL
        value = _value(layout, row, person, wishes.points)
        worth = layout.worth.get(person.index)
        if not reason and layout.platform == "moodle" and worth is not None and value > worth:
            reason = f"{points_text(value)} is above Moodle's maximum of {points_text(worth)}"
        if reason:
            left[row.name] = reason
            continue
        text = points_text(value).replace(".", layout.decimal)
        before = layout.sheet.rows[person.index].cells[layout.grade].strip()
        if number(before) is not None and number(before) != number(text):
            replaced[row.name] = before
        changes[person.index, layout.grade] = text
        written[row.name] = text
        if wishes.comments and layout.comment is not None:
            if not layout.sheet.rows[person.index].cells[layout.comment].strip():
                changes[person.index, layout.comment] = as_text(comment(row))
    return Filled(layout.sheet.with_cells(changes), written, replaced, left)


def comment(row: SubmissionGrade) -> str:
    """How a mark adds up, in numbers alone: nothing of checks, and nothing that anybody typed."""
    parts = [f"{points_text(row.mark)} of {points_text(row.max_points)} points"]
    given = round(row.overridden - row.points, 4)
    if row.is_adjusted:
        parts.append(f"computed {points_text(row.points)}")
    if given:
        parts.append(f"{points_text(abs(given))} {'less' if given < 0 else 'more'} by override")
    if row.late is not None and row.late.days:
        days = "1 day" if row.late.days == 1 else f"{row.late.days} days"
        parts.append(f"{points_text(row.penalty)} less for {days} late")
    return ", ".join(parts)


def _value(layout: Layout, row: SubmissionGrade, person: Person, points: Points | None) -> float:
    """The grade of one row.

    Raises:
        UsageError: the mark is out of other points than the platform's grade.
    """
    worth = layout.worth.get(person.index)
    if points == "as-is" or worth == row.max_points:
        return row.mark
    name = layout.platform.capitalize()
    if points == "scaled":
        if not worth or not row.max_points:
            raise UsageError(
                f"{layout.sheet.path}: nothing says what the assignment is worth in {name}, or it "
                "is worth nothing; --points as-is writes the marks as they are"
            )
        return round(row.mark * worth / row.max_points, 4)
    worth_text = "an unknown number of" if worth is None else points_text(worth)
    raise UsageError(
        f"{layout.sheet.path}: the assignment is worth {worth_text} points in {name}, and "
        f"{points_text(row.max_points)} here (the row of {display(row.name)}); --points scaled "
        "writes shares of the former, --points as-is the marks as they are"
    )
