"""What is known of a class, put into a gradebook: names, groups, lateness, overrides, what is told.

The computed marks of a gradebook are never changed by any of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from harness.classroom import attempts, lateness, overrides
from harness.classroom import roster as rosters
from harness.classroom.attempts import History
from harness.classroom.lateness import Dated
from harness.classroom.roster import Roster, Student
from harness.ledger import Ledger
from harness.marking.gradebook import Gradebook, SubmissionGrade, TaskGrade
from harness.records import Verdict
from harness.spec.models import Assignment, Telling


@dataclass(frozen=True)
class Book:
    """What stands beside the computed marks of one assignment.

    Attributes:
        others: the other assignments that draw on the budget of late days.
        budget: the late days of the term; None where it has none.
        overrides: the decisions of people that are in force.
    """

    roster: Roster = field(default_factory=Roster)
    assignment: Assignment | None = None
    others: tuple[Dated, ...] = ()
    budget: int | None = None
    overrides: tuple[overrides.Entry, ...] = ()

    def names(self, units: Collection[str]) -> list[str]:
        """The names of the rows that come of these submissions: a group's are its members'."""
        return [student.id for unit in units for student in self._members(unit)] + [
            unit for unit in units if not self._members(unit)
        ]

    def finished(self, gradebook: Gradebook) -> Gradebook:
        """The gradebook with all of it."""
        shown = self.roster.shown([row.name for row in gradebook.submissions])
        told = self._told(gradebook.run.phase)
        rows = []
        for row in gradebook.submissions:
            tasks = tuple(_telling(task, told) for task in row.tasks)
            named = replace(row, tasks=tasks, display_name=shown.get(row.name, row.display_name))
            rows += [self._adjusted(each) for each in self._rows(named)]
        return replace(gradebook, submissions=tuple(rows))

    def units(self, names: Collection[str]) -> set[str]:
        """The submissions that rows of these names come from."""
        return {self.roster.unit(name) for name in names}

    def _members(self, unit: str) -> list[Student]:
        return self.roster.units.get(unit, [])

    def _told(self, phase: str) -> Telling:
        tells = self.assignment.tells.items() if self.assignment else ()
        return next((told for each, told in tells if each == phase), "examples")

    def _rows(self, row: SubmissionGrade) -> Iterator[SubmissionGrade]:
        """A row for everybody who handed the submission in."""
        members = self._members(row.name)
        if not members:
            yield row
        for student in members:
            is_group = student.id != row.name or len(members) > 1
            note = (f"Handed in by the group {row.name}.",) if is_group else ()
            yield replace(
                row,
                name=student.id,
                display_name=student.pseudonym,
                identity="roster",
                student={
                    "name": student.name,
                    "group": student.group,
                    "email": student.email,
                },
                problems=(*row.problems, *note),
            )

    def _adjusted(self, row: SubmissionGrade) -> SubmissionGrade:
        """The row with its overrides and its lateness."""
        row = replace(row, overrides=overrides.of_row(row, self.overrides))
        if self.assignment is None or not row.submitted:
            return row
        at = datetime.fromisoformat(row.submitted)
        here = Dated(self.assignment, {row.name: at})
        free = lateness.free_days(row.name, here, self.others, self.budget)
        late = lateness.lateness(at, self.assignment, free, row.max_points, row.overridden)
        return replace(row, late=late)


def _telling(task: TaskGrade, told: Telling) -> TaskGrade:
    """The grade with no more of explanations than students are told."""
    if told == "examples":
        return task
    verdicts = tuple(_verdict(verdict, told) for verdict in task.verdicts)
    return replace(task, verdicts=verdicts, pictures=(), no_pictures="")


def _verdict(verdict: Verdict, told: Telling) -> Verdict:
    if told == "hints":
        return replace(verdict, example=None)
    # that a file is missing or is no Python gives nothing away
    message = verdict.message if verdict.cause.before_running or verdict.by_course else ""
    return replace(verdict, example=None, hint="", message=message)


def dated(assignment: Assignment, history: History, roster: Roster) -> Dated:
    """An assignment with the times of every student; those of a group are its members'."""
    times = history.counting(assignment)
    units = replace(roster, by_group=assignment.groups).units
    by_student = {
        student.id: times[unit]
        for unit, members in units.items()
        if unit in times
        for student in members
    }
    return Dated(assignment, {**times, **by_student})


def of_ledger(
    ledger: Ledger,
    assignment: Assignment | None,
    others: Sequence[Assignment],
    budget: int | None,
    record: str,
) -> Book:
    """What a results folder knows of the class of an assignment.

    Args:
        others: the other assignments that draw on the budget.
        record: the prefix of the record that the overrides are about.
    """
    by_group = assignment is not None and assignment.groups
    roster = rosters.stored(ledger.document(rosters.document_name()), by_group=by_group)
    histories = (
        (each, attempts.stored(ledger.document(attempts.document_name(each.id)))) for each in others
    )
    known = tuple(dated(each, history, roster) for each, history in histories)
    log = overrides.stored(ledger.document(overrides.document_name(record)))
    return Book(roster, assignment, known, budget, log.in_force)
