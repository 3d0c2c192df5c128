"""Points that a person gave beside the computed ones: an append-only list for every record.

What was computed stays; what was withdrawn stays in the list too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.errors import UsageError
from harness.marking.gradebook import Override, SubmissionGrade
from harness.spec.reading import did_you_mean

_PREFIX = "overrides/"


@dataclass(frozen=True)
class Entry:
    """One decision of a person.

    Attributes:
        check: empty where it is about the whole task.
        points: None where an earlier decision is withdrawn.
        made: when it was recorded, as ISO 8601.
    """

    student: str
    task: str
    check: str
    points: float | None
    reason: str
    by: str
    made: str

    @property
    def place(self) -> str:
        """The task, or the task and the check."""
        return f"{self.task}/{self.check}" if self.check else self.task


@dataclass(frozen=True)
class Log:
    """All decisions about one record, in their order."""

    entries: tuple[Entry, ...] = ()

    @property
    def in_force(self) -> tuple[Entry, ...]:
        """The last decision about every place, but for those that were withdrawn."""
        last = {(each.student, each.task, each.check): each for each in self.entries}
        return tuple(each for each in last.values() if each.points is not None)

    def with_(self, entry: Entry, row: SubmissionGrade) -> Log:
        """The list with one more decision.

        Args:
            row: the row of the student that it is about.

        Raises:
            UsageError: there is no such task or check, more points are given than it is worth, a
                task and one of its checks would both be overridden, or nothing is there to be
                withdrawn.
        """
        here = (entry.student, entry.task)
        others = [each for each in self.in_force if (each.student, each.task) == here]
        same = [each for each in others if each.check == entry.check]
        if entry.points is None:
            if not same:
                raise UsageError(f"{entry.student} has no override of {entry.place} to withdraw")
            return Log((*self.entries, entry))
        most = _worth(entry, row)
        if not 0 <= entry.points <= most:
            raise UsageError(
                f"{entry.place} is worth {most:g} points, and {entry.points:g} were given; give 0 "
                f"to {most:g}"
            )
        clashing = [each for each in others if not each.check or not entry.check]
        if clashing and not same:
            raise UsageError(
                f"{entry.student} has an override of {clashing[0].place}, and {entry.place} would "
                "count the same points twice; withdraw that one first (--withdraw)"
            )
        return Log((*self.entries, entry))

    def documents(self, record: str) -> dict[str, dict[str, Any]]:
        """Its stored form, by the name of the document."""
        return {document_name(record): {"entries": [asdict(each) for each in self.entries]}}


def _worth(entry: Entry, row: SubmissionGrade) -> float:
    """What the task or the check is worth.

    Raises:
        UsageError: there is none of that name, with the nearest.
    """
    tasks = {task.id: task for task in row.tasks}
    if entry.task not in tasks:
        near = did_you_mean(entry.task, tasks)
        raise UsageError(f"{entry.student} has no marks of a task {entry.task!r}{near}")
    if not entry.check:
        return tasks[entry.task].max_points
    checks = {verdict.check: verdict for verdict in tasks[entry.task].verdicts}
    if entry.check not in checks:
        near = did_you_mean(entry.check, checks)
        raise UsageError(f"{entry.task} has no check {entry.check!r}{near}")
    return checks[entry.check].max_points


def document_name(record: str) -> str:
    """The name of the document that keeps the decisions about a record, by the record's prefix."""
    return _PREFIX + record


def stored(document: Mapping[str, Any] | None) -> Log:
    """The list that :meth:`Log.documents` stored; an empty one where there is none."""
    if document is None:
        return Log()
    return Log(tuple(Entry(**record) for record in document["entries"]))


def of_row(row: SubmissionGrade, entries: Iterable[Entry]) -> tuple[Override, ...]:
    """The overrides of one row beside what is computed there.

    Those of a task or check that it lacks rest. One that gives more than its place is worth now,
    since an assignment may be changed after it, gives as much as that.
    """
    places = _places(row)
    return tuple(
        Override(
            each.task,
            each.check,
            min(each.points, places[each.task, each.check].most),
            places[each.task, each.check].points,
            each.reason,
            each.by,
            each.made,
        )
        for each in sorted(entries, key=lambda each: each.place)
        if each.student == row.name and each.points is not None
        if (each.task, each.check) in places
    )


def changed_by(rows: Mapping[str, SubmissionGrade], entries: Iterable[Entry]) -> Iterator[str]:
    """What has become of decisions since the tasks or their points were changed, in sentences."""
    for each in entries:
        if each.student not in rows or each.points is None:
            continue
        place = _places(rows[each.student]).get((each.task, each.check))
        what = f"the override of {each.student}, {each.place} ({each.points:g} points, {each.by})"
        if place is None:
            kind = "check" if each.check else "task"
            yield f"{what} is without effect: there is no such {kind} now; --withdraw ends it"
        elif each.points > place.most:
            yield f"{what} counts {place.most:g}: no more can be had there now"


@dataclass(frozen=True)
class _Place:
    """A task or a check of a row: what was computed, and what it is worth."""

    points: float
    most: float


def _places(row: SubmissionGrade) -> dict[tuple[str, str], _Place]:
    """Every task and check of a row, by task and check; the check of a task is empty."""
    places = {}
    for task in row.tasks:
        places[task.id, ""] = _Place(task.points, task.max_points)
        for verdict in task.verdicts:
            places[task.id, verdict.check] = _Place(verdict.points or 0.0, verdict.max_points)
    return places
