"""The record of a class: for every submission and task the marks of the last time it was graded.

A run of ``grade`` marks some tasks of some submissions and updates the record; what it does not
touch stays. A results folder keeps one record for every assignment, phase and key
(:mod:`harness.class_documents`).

Marks in the record are computed again from stored observations, with the files they were observed
with, whenever that is possible. Where it is not, because the task has changed or is gone, the marks
stay as they were and say that they are stale. Those of a task that the assignment does not have any
more stay as they were, too, and count nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness import levels
from harness.marking.gradebook import SubmissionGrade, TaskGrade
from harness.marking.round import Place, Round
from harness.marking.subjects import Subject
from harness.marking.views import View
from harness.records import canonical, sha256
from harness.seeds import Phase
from harness.spec.load import LoadedTask

#: The document that lists all records, and what the names of all others begin with.
INDEX = "class"
TASK_GONE = (
    "the task cannot be loaded any more (`list` says why, if its folder is there); these are the "
    "marks of its last grading"
)
TASK_CHANGED = (
    "the task, the harness or a package has changed since these marks were made; grade again"
)
FILES_CHANGED = "these are the marks of an earlier submission, whose files for it were different"


@dataclass(frozen=True)
class RecordName:
    """What tells the records of one results folder apart."""

    assignment: str
    phase: Phase
    key_sha256: str

    @property
    def prefix(self) -> str:
        """What the names of its documents begin with."""
        parts = [self.assignment, self.phase, self.key_sha256]
        return f"{INDEX}/{sha256(canonical(parts))[:16]}/"

    @property
    def options(self) -> list[str]:
        """The words of a command line that choose this record."""
        assignment = ["--assignment", self.assignment] if self.assignment else []
        return ["--phase", self.phase, *assignment]

    def __str__(self) -> str:
        assignment = f"assignment {self.assignment}, " if self.assignment else ""
        return f"{assignment}phase {self.phase}, key {self.key_sha256[:16]}…"


@dataclass(frozen=True)
class Entry:
    """One task of one subject as it was last graded.

    Attributes:
        subject: the program and its problems as they were then.
        isolation: the levels under which the observations behind the marks were made.
    """

    subject: Subject
    grade: TaskGrade
    isolation: frozenset[str]

    @property
    def place(self) -> Place:
        """The name of the subject and the id of the task."""
        return self.subject.program.name, self.grade.id

    @property
    def counts(self) -> bool:
        """Whether the assignment has the task."""
        return self.grade.counts

    def counting_nothing(self) -> Entry:
        """The entry as it is, of a task that the assignment does not have any more."""
        return replace(self, grade=replace(self.grade, counts=False))


@dataclass(frozen=True)
class ClassRecord:
    """The marks of a class under one assignment, phase and key.

    Attributes:
        key_file: the path of the key; empty for the one of the results folder.
        isolation: the level that the last run required.
        newest: name -> the submission that was handed in last.
        entries: every task of every subject that was ever graded and not pruned.
    """

    name: RecordName
    key_file: str = ""
    isolation: str = "L1"
    newest: Mapping[str, Subject] = field(default_factory=dict)
    entries: Mapping[Place, Entry] = field(default_factory=dict)

    @property
    def task_ids(self) -> list[str]:
        """Every task that somebody has marks of, in order."""
        return sorted({task for _, task in self.entries})

    @property
    def counted(self) -> ClassRecord:
        """The record without the marks that are kept and do not count."""
        entries = {place: entry for place, entry in self.entries.items() if entry.counts}
        return replace(self, entries=entries)

    @property
    def not_counted(self) -> dict[str, int]:
        """The tasks whose marks are kept and do not count: of how many subjects, by id."""
        return dict(Counter(task for (_, task), each in self.entries.items() if not each.counts))

    def updated(self, current: Round) -> ClassRecord:
        """The record with all that a round is about, in place of what it had of these."""
        subjects = {subject.program.name: subject for subject, _ in current.pairs}
        fresh = [entry_of(current, subject, task) for subject, task in current.pairs]
        return replace(
            self,
            newest={**self.newest, **subjects},
            entries={**self.entries, **{entry.place: entry for entry in fresh}},
        )

    def recomputed(
        self,
        tasks: Mapping[str, LoadedTask],
        view: View,
        points: Mapping[str, float],
        ids: Container[str],
        leave_out: Iterable[Place] = (),
    ) -> ClassRecord:
        """The record with its marks computed again from what is stored; nothing is run.

        Args:
            tasks: the tasks that can be loaded, by id.
            points: what a task is worth where the assignment says something else than its spec.
            ids: the tasks of the assignment; those of others count nothing. A record without an
                assignment is about all that it has.
            leave_out: what is about to be graded; it is dropped from the record.
        """
        left_out = frozenset(leave_out)
        kept = {place: entry for place, entry in self.entries.items() if place not in left_out}
        gone = {task for _, task in kept if self.name.assignment and task not in ids}
        pairs = [
            (entry.subject, tasks[task])
            for (_, task), entry in kept.items()
            if task in tasks and task not in gone
        ]
        current = Round.of(pairs, view, points)
        entries = {
            place: entry.counting_nothing()
            if place[1] in gone
            else self._again(entry, tasks, current)
            for place, entry in kept.items()
        }
        return replace(self, entries=entries)

    def completed(
        self,
        tasks: Sequence[LoadedTask],
        view: View,
        points: Mapping[str, float],
        leave_out: Iterable[Place] = (),
    ) -> ClassRecord:
        """The record with the mark of everybody who handed nothing in for one of these tasks.

        So the class has the same marks whether it was graded at once or one after another.

        Args:
            points: what a task is worth where the assignment says something else than its spec.
            leave_out: what is about to be graded.
        """
        known = {*self.entries, *leave_out}
        pairs = [
            (subject, task)
            for name, subject in self.newest.items()
            for task in tasks
            if (name, task.id) not in known and subject.problem(task) is not None
        ]
        current = Round.of(pairs, view, points)
        added = [entry_of(current, subject, task) for subject, task in pairs]
        return replace(self, entries={**self.entries, **{each.place: each for each in added}})

    def without(self, names: Container[str]) -> ClassRecord:
        """The record without some subjects."""
        return replace(
            self,
            newest={name: each for name, each in self.newest.items() if name not in names},
            entries={at: each for at, each in self.entries.items() if at[0] not in names},
        )

    def renamed(self, names: Mapping[str, str]) -> ClassRecord:
        """The record with these subjects alone, under other names, for tables about a class.

        Args:
            names: the name of a subject -> what it is called there.
        """
        return replace(
            self,
            newest={names[name]: each for name, each in self.newest.items() if name in names},
            entries={
                (names[name], task): entry
                for (name, task), entry in self.entries.items()
                if name in names
            },
        )

    def names_of(self, units: Container[str]) -> list[str]:
        """The subjects that are attempts of somebody."""
        return [name for name, each in self.newest.items() if each.program.owner in units]

    def _again(self, entry: Entry, tasks: Mapping[str, LoadedTask], current: Round) -> Entry:
        """One entry computed again, or as it was and stale."""
        task = tasks.get(entry.grade.id)
        if task is None:
            return replace(entry, grade=replace(entry.grade, stale=TASK_GONE, counts=True))
        if current.states[entry.place].trials:
            # a provisional grade shows already that another run is needed
            stale = "" if entry.grade.provisional else TASK_CHANGED
            return replace(entry, grade=replace(entry.grade, stale=stale, counts=True))
        again = entry_of(current, entry.subject, task)
        files = task.spec.wanted_files
        newest = self.newest[entry.subject.program.name]
        if newest.program.digests(files) != entry.subject.program.digests(files):
            return replace(again, grade=replace(again.grade, stale=FILES_CHANGED))
        return again

    def differing(self, former: ClassRecord) -> set[str]:
        """The subjects with other points, statuses or weights than in a former record."""
        return {
            name
            for (name, task), entry in self.entries.items()
            if (before := former.entries.get((name, task))) is None
            or _figures(before.grade) != _figures(entry.grade)
        }

    def rows(self, order: Sequence[str] = ()) -> tuple[SubmissionGrade, ...]:
        """A row for every subject; its tasks in this order, those it does not name at the end."""
        place = {task: index for index, task in enumerate(order)}

        def column(entry: Entry) -> tuple[int, str]:
            return place.get(entry.grade.id, len(order)), entry.grade.id

        return tuple(
            _row(self.newest[name], sorted(entries, key=column))
            for name, entries in self.counted.by_subject().items()
        )

    def by_subject(self) -> dict[str, list[Entry]]:
        """The entries of every subject, also of one that has none."""
        by_name: dict[str, list[Entry]] = {name: [] for name in self.newest}
        for (name, _), entry in self.entries.items():
            by_name[name].append(entry)
        return by_name


def _figures(grade: TaskGrade) -> tuple[object, ...]:
    verdicts = (
        (each.check, each.status, each.cause, each.points, each.max_points)
        for each in grade.verdicts
    )
    return grade.counts, *verdicts


def entry_of(current: Round, subject: Subject, task: LoadedTask) -> Entry:
    """What a round says of one task of one subject."""
    state = current.state(subject, task)
    return Entry(subject, state.grade, state.isolation)


def _row(newest: Subject, entries: Sequence[Entry]) -> SubmissionGrade:
    problem = newest.problems.get("")
    return SubmissionGrade(
        name=newest.program.name,
        display_name=newest.display_name,
        sha256=newest.program.sha256,
        identity=newest.identity,
        isolation=levels.weakest({level for entry in entries for level in entry.isolation}),
        tasks=tuple(entry.grade for entry in entries),
        problems=tuple(
            each for each in (problem[1] if problem else "", newest.remark, *newest.notes) if each
        ),
        submitted=newest.submitted,
        subject=newest.program.name,
        unit=newest.program.owner,
    )
