"""Which tasks are marked, and what they are worth: an assignment's, or all of the course."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import SpecError, UsageError
from harness.feasibility import ALPHA_TOTAL, require_feasible
from harness.spec.assigned import narrowed
from harness.spec.catalogue import (
    ALL,
    DEFAULT_REFERENCE,
    Catalogue,
    assignment_names,
    assignment_path,
    load_assignment,
    load_term,
    read_catalogue,
    without_references,
)
from harness.spec.load import LoadedTask
from harness.spec.models import Assignment
from harness.spec.reading import did_you_mean

#: The assignment that is marked where neither submissions nor tasks are named, if there is one.
TOUR = "tour"


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
        declared: the assignment as its YAML declares it; None for the whole course.
        others: the other assignments that draw on the budget of late days that it draws on.
        late_days: that budget; None where it draws on none.
    """

    catalogue: Catalogue
    ids: tuple[str, ...]
    points: Mapping[str, float]
    alpha: float
    at_home: bool = False
    declared: Assignment | None = None
    others: tuple[Assignment, ...] = ()
    late_days: int | None = None

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
        declared = self.declared
        beta, chances = (declared.beta, declared.chances) if declared else (1.0, 1)
        require_feasible(list(in_force.values()), self.alpha, beta=beta, chances=chances)
        return tuple(tasks)


def with_remedy(error: SpecError, others: Sequence[str]) -> SpecError:
    """The same problems, and that the other tasks can be graded without these."""
    last = error.problems[-1]
    hint = f"the other {len(others)} tasks can be graded by naming them with --task"
    if len(others) == 1:
        hint = f"the other task, {others[0]}, can be graded by naming it with --task"
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
    others = _sharing_the_budget(tasks, declared, catalogue.ids)
    term = load_term(tasks) if declared.late and declared.late.late_days else None
    late_days = term.late_days if term else None
    return Syllabus(catalogue, ids, points, declared.alpha, at_home, declared, others, late_days)


def _sharing_the_budget(
    tasks: Path, declared: Assignment, known: Sequence[str]
) -> tuple[Assignment, ...]:
    """The other assignments that draw on the term's budget of late days; none if this one does not.

    Raises:
        SpecError: one of the other assignments is not valid.
    """
    if declared.late is None or declared.late.late_days is None:
        return ()
    others = [name for name in assignment_names(tasks) if name != declared.id]
    loaded = [load_assignment(tasks, name, known) for name in others]
    return tuple(each for each in loaded if each.late and each.late.late_days)


def is_at_home(reference: Path) -> bool:
    """Whether no folder of references was named and there is none, as with students."""
    return reference == DEFAULT_REFERENCE and not os.path.lexists(reference)


def handed_out(tasks: Path) -> str | None:
    """The assignment that a handout is of: the only one there, which has all tasks that are there.

    None where there is no such one.

    Raises:
        SpecError: its file is not in order.
    """
    names = assignment_names(tasks)
    known = sorted(path.parent.name for path in tasks.glob("*/task.yaml"))
    if len(names) != 1:
        return None
    declared = load_assignment(tasks, names[0], known)
    return names[0] if {entry.id for entry in declared.tasks} == set(known) else None


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
