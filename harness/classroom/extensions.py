"""Other dates for single students: a table of who may hand in later, until when and why.

``--extensions FILE`` is a CSV file with the columns ``id``, ``assignment`` and ``reason``, and of
these at least one a row:

| column | what it says |
|---|---|
| ``days`` | that all dates are so many days later, at the same time, or a length such as ``36 h`` |
| ``due`` | when it is due for this student; ``late_until`` is as much later, unless it is given |
| ``late_until`` | until when it counts for this student |

What a student gets holds for everybody who hands in together with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.classroom import table
from harness.classroom.gradescope import Granted as OnGradescope
from harness.classroom.roster import Roster
from harness.errors import UsageError
from harness.spec.models import Assignment
from harness.spec.reading import did_you_mean
from harness.spec.schedule import (
    DAY,
    days_later,
    moment_text,
    on_the_clocks_of,
    read_duration,
    read_moment,
)

_HEAD = "id,assignment,days,due,late_until,reason"
#: The columns of a table that is made here.
COLUMNS = ("id", "assignment", "due", "late_until", "reason")
_DOCUMENT = "extensions"
_WHAT = "the table of extensions"


@dataclass(frozen=True)
class Extension:
    """Other dates of one student for one assignment, as ISO 8601 with an offset.

    Attributes:
        late_until: empty where the assignment has no such date.
        place: where it stands, for messages.
    """

    student: str
    assignment: str
    due: str
    late_until: str
    reason: str
    place: str = ""

    def of(self, assignment: Assignment) -> Assignment:
        """The assignment with these dates; one of its own that is later by now stays."""
        if assignment.due is None:
            return assignment
        dates = {"due": max(assignment.due, datetime.fromisoformat(self.due))}
        if assignment.late_until is not None and self.late_until:
            until = datetime.fromisoformat(self.late_until)
            dates["late_until"] = max(assignment.late_until, until)
        return assignment.model_copy(update=dates)

    def words(self, assignment: Assignment) -> str:
        """What it says, in a sentence without an end."""
        usual = f" instead of {moment_text(assignment.due)}" if assignment.due else ""
        due = moment_text(datetime.fromisoformat(self.due))
        until = ""
        if self.late_until and assignment.late_until != datetime.fromisoformat(self.late_until):
            until = f", counts until {moment_text(datetime.fromisoformat(self.late_until))}"
        return f"due {due}{usual}{until}: {self.reason}"


@dataclass(frozen=True)
class Granted:
    """An assignment with the dates that hold for somebody, and the extension that says so."""

    assignment: Assignment
    extension: Extension


@dataclass(frozen=True)
class Extensions:
    """All extensions of a class.

    Attributes:
        path: the file, for messages; None without one.
        notices: what whoever gave the file should know, a sentence each.
    """

    path: Path | None = None
    entries: tuple[Extension, ...] = ()
    notices: tuple[str, ...] = field(default=(), compare=False)

    def granted(self, assignment: Assignment, roster: Roster) -> dict[str, Granted]:
        """Who has other dates for an assignment: by the name of who hands in, and of each member.

        Of several in one group the longest holds for all.
        """
        by_unit: dict[str, Granted] = {}
        for each in self.entries:
            if each.assignment != assignment.id:
                continue
            unit = roster.unit(each.student)
            here = Granted(each.of(assignment), each)
            if unit not in by_unit or _is_later(here, by_unit[unit]):
                by_unit[unit] = here
        members = {
            student.id: by_unit[unit]
            for unit, students in roster.units.items()
            if unit in by_unit
            for student in students
        }
        return {**by_unit, **members}

    def strangers(self, known: Iterable[str], assignment: str) -> list[str]:
        """A sentence about each id of an assignment's extensions that nobody has."""
        names = set(known)
        given = {each.student for each in self.entries if each.assignment == assignment}
        missing = sorted(given - names)
        return [
            f"{self.path}: the extension of {name} is nobody's here{did_you_mean(name, names)}"
            for name in missing
        ]

    def documents(self) -> dict[str, dict[str, Any]]:
        """Its stored form, by the name of the document."""
        entries = [asdict(each) for each in self.entries]
        return {_DOCUMENT: {"path": str(self.path), "entries": entries}}


def _is_later(one: Granted, other: Granted) -> bool:
    return _dates_of(one.extension) > _dates_of(other.extension)


def _dates_of(extension: Extension) -> tuple[datetime, ...]:
    """Its dates, which may have different offsets from UTC, as what is compared."""
    dates = (extension.due, extension.late_until)
    return tuple(datetime.fromisoformat(date) for date in dates if date)


def document_name() -> str:
    """The name of the stored document."""
    return _DOCUMENT


def stored(document: Mapping[str, Any] | None) -> Extensions:
    """What :meth:`Extensions.documents` stored; nothing where there is none."""
    if document is None:
        return Extensions()
    entries = tuple(Extension(**record) for record in document["entries"])
    return Extensions(Path(document["path"]), entries)


def read(path: Path, load: Callable[[str], Assignment], roster: Roster) -> Extensions:
    """The extensions in a CSV file.

    Args:
        load: gives an assignment by its id.
        roster: whose students they must be, where there is one.

    Raises:
        UsageError: the file cannot be read; a row says nothing, too much or nothing later; it names
            an assignment that is never due or does not exist, or somebody who is not in the roster;
            or one student has two for one assignment.
    """
    dates = ("days", "due", "late_until")
    rows = table.read(path, _WHAT, ("id", "assignment", "reason"), _HEAD, dates)
    entries: dict[tuple[str, str], Extension] = {}
    for row in rows.rows:
        place = f"{path}:{row.line}"
        student = table.unguarded(row.cells["id"])
        name = table.unguarded(row.cells["assignment"])
        if roster.path is not None and student not in roster.students:
            near = did_you_mean(student, roster.students)
            raise UsageError(f"{place}: nobody in {roster.path} has the id {student!r}{near}")
        try:
            assignment = load(name)
        except UsageError as error:
            raise UsageError(f"{place}: {error}") from None
        if (student, name) in entries:
            first = entries[student, name].place
            raise UsageError(
                f"{place}: {student} has two extensions of {name}, the other at {first}; keep one"
            )
        try:
            due, until = _dates(row.cells, assignment)
        except ValueError as error:
            raise UsageError(f"{place}: {error}") from None
        until_text = until.isoformat() if until else ""
        reason = row.cells["reason"]
        entries[student, name] = Extension(
            student, name, due.isoformat(), until_text, reason, place
        )
    return Extensions(path, tuple(entries.values()), rows.notices)


def on_gradescope(
    dates: OnGradescope, assignment: Assignment, student: str
) -> tuple[str, ...] | None:
    """The row of :data:`COLUMNS` for an extension that was given on Gradescope.

    None where it changes nothing here: there is none, the assignment is never due, or its own dates
    are later.
    """
    if assignment.due is None:
        return None
    due = max(assignment.due, dates.due or assignment.due)
    until = assignment.late_until
    if until is not None:
        until = max(until + (due - assignment.due), dates.late_due or until)
    if (due, until) == (assignment.due, assignment.late_until):
        return None
    texts = (due.isoformat(), until.isoformat() if until else "")
    return (student, assignment.id, *texts, "given on Gradescope")


def _dates(cells: Mapping[str, str], assignment: Assignment) -> tuple[datetime, datetime | None]:
    """When it is due and closes for the student of a row.

    Raises:
        ValueError: the row says nothing or too much, or nothing is later than for everybody.
    """
    if assignment.due is None:
        raise ValueError(f"{assignment.id} has no due date, so there is nothing to extend")
    days, due, until = (cells.get(name, "") for name in ("days", "due", "late_until"))
    if not days and not due and not until:
        raise ValueError("an extension says days, due or late_until")
    if days and (due or until):
        raise ValueError("an extension says either days or dates, not both")
    if until and assignment.late_until is None:
        raise ValueError(
            f"{assignment.id} has no late_until, which an extension could move; give days or due"
        )
    new_due = assignment.due
    if days:
        new_due = _later(assignment.due, days)
    elif due:
        new_due = read_moment(due)
    new_until = assignment.late_until
    if until:
        new_until = read_moment(until)
    elif new_until is not None:
        longer = new_until + (new_due - assignment.due)
        new_until = _later(new_until, days) if days else on_the_clocks_of(longer, new_until)
    if new_due < assignment.due or (
        new_due == assignment.due and new_until == assignment.late_until
    ):
        raise ValueError(
            f"the extension is not later than {moment_text(assignment.due)}, when {assignment.id} "
            "is due for everybody"
        )
    if new_until is not None and assignment.late_until is not None:
        if new_until <= new_due:
            raise ValueError(
                f"late_until ({moment_text(new_until)}) must come after the due date of the "
                f"extension ({moment_text(new_due)})"
            )
        if new_until < assignment.late_until:
            raise ValueError(
                f"late_until ({moment_text(new_until)}) is before that of everybody "
                f"({moment_text(assignment.late_until)})"
            )
    return new_due, new_until


def _later(moment: datetime, text: str) -> datetime:
    """A moment so many days later by its clocks, or so many hours or minutes.

    Raises:
        ValueError: the text is neither, or nothing.
    """
    length = read_duration(f"{text} days" if text.isdigit() else text)
    if not length:
        raise ValueError(f"an extension of {text} days is none")
    if length % DAY or text.endswith(("h", "min")):
        return on_the_clocks_of(moment + length, moment)
    return days_later(moment, length // DAY)
