"""Gradescope's table of scores, as *Review Grades*, *Download Grades* writes it for an assignment.

::

    First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,
    Submission Time,Lateness (H:M:S),View Count,Submission Count,...
    Jane,Doe,00123,jane@example.org,,3.0,7.0,Graded,12345,2026-10-19 23:50:00 +0200,00:00:00,0,2,

It has those who handed nothing in, whose status is ``Missing``, and how late work is by the date
that Gradescope has for the student: an export of submissions has neither. Older tables have one
column ``Name``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from harness.errors import UsageError
from harness.lms import sheet
from harness.lms.importing import Entry, Imported
from harness.lms.layout import columns
from harness.spec.models import Assignment
from harness.spec.schedule import moment_text
from harness.submissions import display

WHAT = "a table of Gradescope's scores"
_LATENESS = "Lateness (H:M:S)"
_LENGTH = re.compile(r"(?P<hours>\d{1,5}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d)")
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Score:
    """A row of the table; empty texts where it says nothing.

    Attributes:
        late: how late the submission is by the student's own date; None without one.
    """

    name: str
    sid: str
    email: str
    late: timedelta | None


def read(path: Path) -> tuple[Score, ...]:
    """The rows of a table of scores.

    Raises:
        UsageError: it is none, a lateness is no length of time, or somebody stands in it twice.
    """
    table = sheet.read(path, WHAT)
    at = columns(table, WHAT, ("SID", "Email", _LATENESS))
    named = ("Name",) if "name" in at else ("First Name", "Last Name")
    columns(table, WHAT, named)
    scores, seen = [], dict[tuple[str, str], int]()
    for row in table.rows[1:]:
        if row.is_empty:
            continue
        cells = {name: row.cells[place].strip() for name, place in at.items()}
        place = f"{path}:{row.line}"
        name = " ".join(filter(None, (cells[each.casefold()] for each in named)))
        score = Score(
            name, cells["sid"], cells["email"], _length(cells[_LATENESS.casefold()], place)
        )
        for key in (("SID", score.sid), ("Email", score.email.casefold())):
            if key[1] and seen.setdefault(key, row.line) != row.line:
                raise UsageError(
                    f"{place}: the {key[0]} {display(key[1])} stands in line {seen[key]} too"
                )
        scores.append(score)
    return tuple(scores)


def _length(text: str, place: str) -> timedelta | None:
    match = _LENGTH.fullmatch(text)
    if text and match is None:
        raise UsageError(f"{place}: {display(text)!r} is no lateness such as 26:00:00")
    if match is None:
        return None
    parts = {name: int(number) for name, number in match.groupdict().items()}
    return timedelta(**parts)


def with_absent(imported: Imported, scores: Iterable[Score]) -> Imported:
    """The entries, and one for everybody in the table who handed nothing in."""
    column = imported.column
    here = {each.id for each in imported.entries}
    absent, without = [], []
    for each in scores:
        own = str(getattr(each, column))
        if not own:
            without.append(display(each.name))
        elif own not in here:
            absent.append(Entry(own, each.name, "", each.email))
    notices = [f"left out, since they have no {column}: {'; '.join(without)}"] if without else []
    return Imported((*imported.entries, *absent), (*imported.notices, *notices), column)


def extended(
    imported: Imported, scores: Iterable[Score], assignment: Assignment
) -> tuple[list[tuple[str, str, str, str, str]], list[str]]:
    """Rows of a table of extensions for work that is less late on Gradescope than by our date.

    A date of a student's own is when work came in, less its lateness there. Of work that is not
    late there only that much is known: its time.

    Raises:
        UsageError: the assignment is never due.
    """
    if assignment.due is None:
        raise UsageError(f"{assignment.id} has no due date, so there is nothing to extend")
    late = {str(getattr(each, imported.column)): each.late for each in scores}
    rows = [
        (name, assignment.id, due.isoformat(), "", reason)
        for name, due, reason in _own_dates(imported, late, assignment.due)
    ]
    if not rows:
        return [], []
    listed = ", ".join(display(row[0]) for row in rows)
    return rows, [
        f"less late on Gradescope than by {moment_text(assignment.due)}, when {assignment.id} is "
        f"due: {listed}; see that each has an extension there"
    ]


def _own_dates(
    imported: Imported, late: Mapping[str, timedelta | None], due: datetime
) -> Iterator[tuple[str, datetime, str]]:
    for each in imported.entries:
        by = late.get(each.id)
        if each.at is None or by is None or each.at <= due:
            continue
        own, reason = each.at, "not late on Gradescope"
        if by:  # dates are whole minutes there, and the lateness whole seconds
            exact = (each.at - by + _MINUTE / 2).replace(second=0, microsecond=0)
            own, reason = exact, "extension on Gradescope"
        if own > due:
            yield each.id, own, reason
