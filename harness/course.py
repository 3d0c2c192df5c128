"""What is graded in one run: tasks with their points and subjects with their files."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.causes import Cause
from harness.errors import SpecError, UsageError
from harness.feasibility import ALPHA_TOTAL, require_feasible
from harness.marking.trials import Subject
from harness.records import Program
from harness.roster import Roster
from harness.roster import read as read_roster
from harness.spec.assigned import narrowed
from harness.spec.catalogue import (
    ALL,
    DEFAULT_REFERENCE,
    Catalogue,
    assignment_path,
    load_assignment,
    read_catalogue,
    without_references,
)
from harness.spec.load import LoadedTask
from harness.spec.reading import did_you_mean
from harness.submissions import Reading, Submission, display, find_all

#: The assignment that is marked where neither submissions nor tasks are named, if there is one.
TOUR = "tour"


@dataclass(frozen=True)
class Course:
    """The frozen input of a run.

    Attributes:
        points: what a task is worth where the assignment differs from the task's spec.
        absent: the names of the subjects that are in the roster and handed nothing in.
    """

    tasks: tuple[LoadedTask, ...]
    subjects: tuple[Subject, ...]
    assignment: str
    points: Mapping[str, float]
    absent: frozenset[str] = frozenset()

    def held(self, recorded: Container[str]) -> Course:
        """The course with those tasks that somebody handed in, or has marks of; all if none.

        Args:
            recorded: the ids of the tasks that the class has marks of.
        """
        held = tuple(
            task
            for task in self.tasks
            if task.id in recorded or any(each.holds(task) for each in self.subjects)
        )
        return replace(self, tasks=held or self.tasks)

    def without_absent(self, known: Container[str]) -> Course:
        """The course without those absent who are known: what they handed in before is kept."""
        kept = tuple(
            subject
            for subject in self.subjects
            if subject.program.name not in self.absent or subject.program.name not in known
        )
        return replace(self, subjects=kept)


@dataclass(frozen=True)
class Syllabus:
    """The tasks of an assignment, or of the whole course.

    Attributes:
        catalogue: all tasks of the course, also those that cannot be loaded; those of the
            assignment with the checks that it marks.
        ids: those that belong to the assignment, in its order.
        points: what a task is worth where the assignment differs from the task's spec.
        alpha: how much error probability the assignment allows a submission in all.
        at_home: whether the references are not at hand, as on a student's own machine: what
            compares with them is then marked by the course.
    """

    catalogue: Catalogue
    ids: tuple[str, ...]
    points: Mapping[str, float]
    alpha: float
    at_home: bool = False

    @property
    def left_out(self) -> dict[str, list[str]]:
        """task id -> the checks that the assignment does without, where there are such."""
        return {
            name: [check.id for check in task.spec.checks if check.id in task.left_out]
            for name, task in self.usable.items()
            if task.left_out
        }

    @property
    def usable(self) -> dict[str, LoadedTask]:
        """The tasks of the assignment that can be loaded, by id."""
        loaded = self.catalogue.loaded
        return {name: loaded[name] for name in self.ids if name in loaded}

    def choose(self, chosen: Sequence[str]) -> tuple[LoadedTask, ...]:
        """The tasks with these ids, or all, in the order of the assignment.

        Only the tasks that are chosen have to be in order.

        Raises:
            UsageError: an id does not belong to the assignment.
            SpecError: a chosen task cannot be loaded, or its checks are not feasible.
        """
        for name in chosen:
            if name not in self.ids:
                raise UsageError(f"no task is called {name!r}{did_you_mean(name, self.ids)}")
        wanted = [name for name in self.ids if not chosen or name in chosen]
        try:
            tasks = self.catalogue.require(wanted)
        except SpecError as error:
            others = [name for name in wanted if name in self.catalogue.loaded]
            if not chosen and others:
                raise with_remedy(error, others) from None
            raise
        in_force = {task.id: task for task in tasks} | self.usable
        require_feasible(list(in_force.values()), self.alpha)
        return tuple(tasks)


def with_remedy(error: SpecError, others: Sequence[str]) -> SpecError:
    """The same problems, and that the other tasks can be graded without these."""
    last = error.problems[-1]
    hint = f"the other {len(others)} tasks can be graded by naming them with --task"
    remedy = f"{last.remedy}; {hint}" if last.remedy else hint
    return SpecError([*error.problems[:-1], replace(last, remedy=remedy)])


def read_syllabus(tasks: Path, reference: Path, assignment: str | None) -> Syllabus:
    """The tasks of an assignment; those of the whole course without one, or with ``all``.

    Where there is no folder ``reference`` beside the tasks, they are loaded without references.

    Raises:
        UsageError: no task or no such assignment; or a folder of references was named that is not
            there, which must not be taken for a machine that has none.
        SpecError: the assignment is not valid.
    """
    at_home = is_at_home(reference)
    catalogue = read_catalogue(tasks, reference, with_reference=not at_home)
    if assignment is None or is_all(tasks, assignment):
        return Syllabus(catalogue, catalogue.ids, {}, ALPHA_TOTAL, at_home)
    declared = load_assignment(tasks, assignment, catalogue.ids)
    loaded = narrowed(assignment_path(tasks, assignment), declared, catalogue.loaded)
    catalogue = replace(catalogue, loaded=loaded)
    points = {entry.id: entry.points for entry in declared.tasks if entry.points is not None}
    ids = tuple(entry.id for entry in declared.tasks)
    return Syllabus(catalogue, ids, points, declared.alpha, at_home)


def is_at_home(reference: Path) -> bool:
    """Whether no folder of references was named and there is none, as with students."""
    return reference == DEFAULT_REFERENCE and not os.path.lexists(reference)


def is_all(tasks: Path, assignment: str | None) -> bool:
    """Whether the assignment is ``all`` as it is without a file of that name."""
    return assignment == ALL and not assignment_path(tasks, ALL).is_file()


def load_tasks(
    tasks: Path, reference: Path, assignment: str | None, chosen: Sequence[str]
) -> tuple[tuple[LoadedTask, ...], Mapping[str, float]]:
    """The chosen tasks of an assignment (none chosen: all), and what they are worth in it.

    Raises:
        UsageError, SpecError: see :func:`read_syllabus` and :meth:`Syllabus.choose`; or the
            references are not at hand.
    """
    syllabus = read_syllabus(tasks, reference, assignment)
    require_references(syllabus, reference)
    return syllabus.choose(chosen), syllabus.points


def require_references(syllabus: Syllabus, reference: Path) -> None:
    """Refuses to go on where the references are not at hand.

    Raises:
        UsageError: they are not.
    """
    if syllabus.at_home:
        raise without_references(reference)


@dataclass(frozen=True)
class Submitted:
    """What was found at some paths.

    Attributes:
        notices: what the grader must know before the marks are used, a sentence each.
        absent: the names of the subjects that are in the roster and handed nothing in.
    """

    subjects: tuple[Subject, ...]
    notices: tuple[str, ...]
    absent: frozenset[str]


def find_subjects(
    paths: Sequence[Path], every_task: Sequence[LoadedTask], roster: Path | None
) -> tuple[Subject, ...]:
    """The submissions at some paths, as subjects, by name; see :func:`find_submitted`."""
    return find_submitted(paths, every_task, roster).subjects


def find_submitted(
    paths: Sequence[Path],
    every_task: Sequence[LoadedTask],
    roster: Path | None,
    reading: Reading = "guess",
) -> Submitted:
    """The submissions at some paths, as subjects, by name, and what is to be said of them.

    With a roster, whoever is in it and handed nothing in is a subject too, if one of the paths is a
    class.

    Args:
        reading: ``single`` where every path is one submission.

    Raises:
        UsageError: a path or the roster cannot be used.
    """
    wanted_files = frozenset(name for task in every_task for name in task.spec.wanted_files)
    listed = Roster() if roster is None else read_roster(roster)
    found = find_all(paths, wanted_files, reading=reading)
    subjects = [_subject(submission, listed) for submission in found.submissions]
    names = [subject.program.name for subject in subjects]
    # One stranger by itself is rather somebody's folder than a class of one.
    is_class = bool(found.classes) and (len(names) > 1 or bool(listed.pseudonyms.keys() & names))
    absent = listed.absent(names) if is_class else []
    subjects += [_absent(name, listed) for name in absent]
    notices = [
        f"{display(subject.program.name)}: {problem}"
        for subject in subjects
        for problem in _our_problems(subject)
    ]
    notices += listed.strangers(names)
    notices += listed.missing(names) if is_class else []
    ordered = sorted(subjects, key=lambda subject: subject.program.name)
    return Submitted(tuple(ordered), tuple(notices), frozenset(absent))


def _subject(submission: Submission, roster: Roster) -> Subject:
    problems = {
        problem.file or "": (problem.cause, problem.message) for problem in submission.problems
    }
    files = {
        name: content
        for name, content in sorted(submission.contents.items())
        if name not in problems and "" not in problems
    }
    return Subject(
        Program(submission.name, "submission", files),
        roster.shown(submission.name) or submission.display_name,
        "roster" if submission.name in roster.pseudonyms else "unverified",
        problems,
        submission.notes,
        submission.left,
    )


def _absent(name: str, roster: Roster) -> Subject:
    """Who is in the roster and handed nothing in."""
    problem = (str(Cause.MISSING_FILE), "nothing was submitted")
    program = Program(name, "submission", {})
    return Subject(program, roster.pseudonyms[name], "roster", {"": problem})


def _our_problems(subject: Subject) -> list[str]:
    """The problems of a submission that are faults of this machine's."""
    return [
        message for cause, message in subject.problems.values() if Cause(cause).fault == "harness"
    ]
