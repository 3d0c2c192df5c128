"""What is known of a class, put into a gradebook: names, groups, lateness, overrides, what is told.

The computed marks of a gradebook are never changed by any of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from harness.classroom import attempts, extensions, lateness, overrides
from harness.classroom import roster as rosters
from harness.classroom.attempts import History
from harness.classroom.extensions import Extensions, Granted
from harness.classroom.lateness import Dated
from harness.classroom.roster import Roster, Student
from harness.ledger import Ledger
from harness.marking.gradebook import AttemptMark, Gradebook, SubmissionGrade, TaskGrade
from harness.records import Verdict
from harness.spec.models import Assignment, Telling
from harness.spec.schedule import moment_text

#: An attempt whose time is not known is taken for the first.
_NEVER = "0001-01-01T00:00+00:00"


@dataclass(frozen=True)
class Book:
    """What stands beside the computed marks of one assignment.

    Attributes:
        others: the other assignments that draw on the budget of late days.
        budget: the late days of the term; None where it has none.
        overrides: the decisions of people that are in force.
        granted: name -> the other dates of those who have an extension.
        handed_in: who handed in -> how often, as far as times were told.
    """

    roster: Roster = field(default_factory=Roster)
    assignment: Assignment | None = None
    others: tuple[Dated, ...] = ()
    budget: int | None = None
    overrides: tuple[overrides.Entry, ...] = ()
    granted: Mapping[str, Granted] = field(default_factory=dict)
    handed_in: Mapping[str, int] = field(default_factory=dict)

    def names(self, units: Collection[str]) -> list[str]:
        """The names of the rows that come of these submissions: a group's are its members'."""
        return [student.id for unit in units for student in self._members(unit)] + [
            unit for unit in units if not self._members(unit)
        ]

    def finished(self, gradebook: Gradebook) -> Gradebook:
        """The gradebook with all of it."""
        shown = self.roster.shown([row.unit or row.name for row in gradebook.submissions])
        told = self._told(gradebook.run.phase)
        rows: dict[str, list[SubmissionGrade]] = {}
        for row in gradebook.submissions:
            unit = row.unit or row.name
            tasks = tuple(_telling(task, told) for task in row.tasks)
            display_name = shown.get(unit, row.display_name)
            named = replace(
                row,
                name=unit,
                tasks=tasks,
                display_name=display_name,
                handed_in=self.handed_in.get(unit, 0),
            )
            for each in self._rows(named):
                rows.setdefault(each.name, []).append(self._adjusted(each))
        return replace(gradebook, submissions=tuple(map(self._counting, rows.values())))

    def _counting(self, attempts: Sequence[SubmissionGrade]) -> SubmissionGrade:
        """The row of one student: that of the attempt that counts.

        The best is the one with the highest mark, lateness and overrides included; of equal ones
        the first.
        """
        if len(attempts) == 1:
            return attempts[0]
        ordered = sorted(attempts, key=lambda row: datetime.fromisoformat(row.submitted or _NEVER))
        rule = self.assignment.counts if self.assignment else "last"
        chosen = {"first": ordered[0], "last": ordered[-1]}.get(rule)
        chosen = chosen or max(ordered, key=lambda row: row.mark)
        marks = tuple(
            AttemptMark(row.submitted, row.points, row.mark, row is chosen, row.provisional)
            for row in ordered
        )
        time = moment_text(datetime.fromisoformat(chosen.submitted)) if chosen.submitted else "?"
        note = f"Of {len(ordered)} attempts the {rule} counts, handed in {time}."
        return replace(chosen, attempts=marks, problems=(*chosen.problems, note))

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
        if self.assignment is None:
            return row
        granted = self.granted.get(row.name)
        dates = granted.assignment if granted else self.assignment
        if granted:
            row = replace(row, extension=granted.extension.words(self.assignment))
        if not row.submitted:
            return row
        at = datetime.fromisoformat(row.submitted)
        here = Dated(self.assignment, {row.name: at}, {row.name: dates})
        free = lateness.free_days(row.name, here, self.others, self.budget)
        late = lateness.lateness(at, dates, free, row.max_points, row.overridden)
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


def dated(
    assignment: Assignment,
    history: History,
    roster: Roster,
    extensions: Extensions | None = None,
) -> Dated:
    """An assignment with the times of every student; those of a group are its members'."""
    here = replace(roster, by_group=assignment.groups)
    granted = (extensions or Extensions()).granted(assignment, here)
    extended = {name: each.assignment for name, each in granted.items()}
    times = history.counting(assignment, extended)
    units = here.units
    by_student = {
        student.id: times[unit]
        for unit, members in units.items()
        if unit in times
        for student in members
    }
    return Dated(assignment, {**times, **by_student}, extended)


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
    own = assignment.id if assignment is not None else ""
    roster = rosters.stored(ledger, own, by_group=by_group)
    histories = (
        (each, attempts.stored(ledger.document(attempts.document_name(each.id)))) for each in others
    )
    extended = extensions.stored(ledger.document(extensions.document_name()))
    known = tuple(
        dated(each, history, rosters.stored(ledger, each.id), extended)
        for each, history in histories
    )
    log = overrides.stored(ledger.document(overrides.document_name(record)))
    if assignment is None:
        return Book(roster, None, known, budget, log.in_force)
    granted = extended.granted(assignment, roster)
    history = attempts.stored(ledger.document(attempts.document_name(assignment.id)))
    handed_in = {name: len(found) for name, found in history.attempts.items()}
    return Book(roster, assignment, known, budget, log.in_force, granted, handed_in)
