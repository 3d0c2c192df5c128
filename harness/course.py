"""What is graded in one run: tasks with their points and subjects with their files."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import InfrastructureError, SpecError, UsageError
from harness.feasibility import ALPHA_TOTAL, require_feasible
from harness.marking.trials import Subject
from harness.records import Program
from harness.spec.catalogue import Catalogue, load_assignment, read_catalogue
from harness.spec.load import LoadedTask, did_you_mean
from harness.submissions import Submission, find


@dataclass(frozen=True)
class Course:
    """The frozen input of a run.

    ``points`` holds what a task is worth where the assignment differs from the task's spec.
    """

    tasks: tuple[LoadedTask, ...]
    subjects: tuple[Subject, ...]
    assignment: str
    points: Mapping[str, float]


@dataclass(frozen=True)
class Syllabus:
    """The tasks of an assignment, or of the whole course.

    Attributes:
        catalogue: all tasks of the course, also those that cannot be loaded.
        ids: those that belong to the assignment, in its order.
        points: what a task is worth where the assignment differs from the task's spec.
        alpha: how much error probability the assignment allows a submission in all.
    """

    catalogue: Catalogue
    ids: tuple[str, ...]
    points: Mapping[str, float]
    alpha: float

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
    """The tasks of an assignment; those of the whole course without one.

    Raises:
        UsageError: no task or no such assignment.
        SpecError: the assignment is not valid.
    """
    catalogue = read_catalogue(tasks, reference)
    if assignment is None:
        return Syllabus(catalogue, catalogue.ids, {}, ALPHA_TOTAL)
    declared = load_assignment(tasks, assignment, catalogue.ids)
    points = {entry.id: entry.points for entry in declared.tasks if entry.points is not None}
    ids = tuple(entry.id for entry in declared.tasks)
    return Syllabus(catalogue, ids, points, declared.alpha)


def load_tasks(
    tasks: Path, reference: Path, assignment: str | None, chosen: Sequence[str]
) -> tuple[tuple[LoadedTask, ...], Mapping[str, float]]:
    """The chosen tasks of an assignment (none chosen: all), and what they are worth in it.

    Raises:
        UsageError, SpecError: see :func:`read_syllabus` and :meth:`Syllabus.choose`.
    """
    syllabus = read_syllabus(tasks, reference, assignment)
    return syllabus.choose(chosen), syllabus.points


def find_subjects(
    paths: Sequence[Path], every_task: Sequence[LoadedTask], roster: Path | None
) -> tuple[Subject, ...]:
    """The submissions at some paths, as subjects, by name.

    Raises:
        UsageError: a path or the roster cannot be used.
    """
    wanted_files = frozenset(name for task in every_task for name in task.spec.wanted_files)
    pseudonyms = _roster(roster)
    subjects = [_subject(submission, pseudonyms) for submission in find(paths, wanted_files)]
    return tuple(sorted(subjects, key=lambda subject: subject.program.name))


def _subject(submission: Submission, roster: Mapping[str, str]) -> Subject:
    problems = {
        problem.file or "": (problem.cause, problem.message) for problem in submission.problems
    }
    broken = {name for name in problems if name}
    files: Mapping[str, bytes] = {}
    if "" not in problems:
        try:
            files = submission.read(set(submission.files) - broken)
        except InfrastructureError as error:  # it changed meanwhile: only its own row is affected
            problems[""] = ("unsafe-file", f"the submission changed while it was read: {error}")
    pseudonym = roster.get(submission.name)
    return Subject(
        Program(submission.name, "submission", dict(sorted(files.items()))),
        pseudonym or submission.display_name,
        "roster" if pseudonym else "unverified",
        problems,
    )


def _roster(path: Path | None) -> dict[str, str]:
    """id -> pseudonym from a CSV file with the columns id, pseudonym, group."""
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: the roster cannot be read: {error}") from error
    names: dict[str, str] = {}
    for line, row in enumerate(rows, start=2):
        identity, pseudonym = row.get("id"), row.get("pseudonym")
        if not identity or not pseudonym:
            raise UsageError(f"{path}:{line}: a row needs id and pseudonym, found {dict(row)}")
        if identity in names:
            raise UsageError(f"{path}:{line}: {identity} stands twice in the roster")
        names[identity] = unicodedata.normalize("NFC", pseudonym)
    return names
