"""What an assignment makes of the tasks: each with the checks that it marks, and no others.

A check that the assignment leaves out stays in the task's spec and is only marked nowhere
(:attr:`harness.spec.load.LoadedTask.left_out`). What a check is worth depends on nothing that is
observed, so another number of points needs no new observation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.errors import Problem, SpecError
from harness.spec import strict_yaml
from harness.spec.complaints import Location
from harness.spec.load import LoadedTask
from harness.spec.models import AssignedTask, Assignment, Task
from harness.spec.reading import did_you_mean

#: What is wrong with an assignment: its place in the file, message and remedy.
_Flaw = tuple[Location, str, str]


def narrowed(
    path: Path, assignment: Assignment, loaded: Mapping[str, LoadedTask]
) -> dict[str, LoadedTask]:
    """The tasks, those of the assignment with no other checks than it marks.

    Args:
        path: that of the assignment, for messages.
        loaded: task id -> task; what cannot be loaded is not looked at.

    Raises:
        SpecError: a task stands twice, checks are left out that do not exist or that others need,
            a phase marks none of the tasks, nothing is worth anything, or lateness costs more than
            everything.
    """
    flaws = [*_repeated(assignment.tasks), *_of_tiers(assignment, loaded)]
    for index, entry in enumerate(assignment.tasks):
        if entry.id in loaded:
            flaws += _of_task(("tasks", index), entry, loaded[entry.id].spec)
    if not flaws:
        flaws = [*_worth_nothing(assignment, loaded), *_beyond_everything(assignment, loaded)]
    if flaws:
        places = strict_yaml.positions(path.read_text(encoding="utf-8-sig"))
        raise SpecError(
            [
                Problem(str(path), *places.get(place, (1, 1)), message, remedy)
                for place, message, remedy in flaws
            ]
        )
    entries = {entry.id: entry for entry in assignment.tasks}
    return {
        name: _as_assigned(task, entries[name]) if name in entries else task
        for name, task in loaded.items()
    }


def _as_assigned(task: LoadedTask, entry: AssignedTask) -> LoadedTask:
    """The task with the checks and their points that an assignment gives it."""
    if not entry.without and not entry.checks:
        return task
    checks = tuple(
        check.model_copy(update={"points": entry.checks.get(check.id, check.points)})
        for check in task.spec.checks
    )
    spec = task.spec.model_copy(update={"checks": checks})
    return replace(task, spec=spec, left_out=frozenset(entry.without))


def _repeated(entries: Sequence[AssignedTask]) -> Iterator[_Flaw]:
    seen = set()
    for index, entry in enumerate(entries):
        if entry.id in seen:
            yield ("tasks", index, "id"), f"the task {entry.id!r} stands twice", "keep one of them"
        seen.add(entry.id)


def _of_tiers(assignment: Assignment, loaded: Mapping[str, LoadedTask]) -> Iterator[_Flaw]:
    """What is wrong with the tiers that are marked in a phase."""
    of_tasks = {loaded[entry.id].spec.tier for entry in assignment.tasks if entry.id in loaded}
    unknown = any(entry.id not in loaded for entry in assignment.tasks)
    for phase, tiers in assignment.tiers.items():
        for index, tier in enumerate(tiers):
            if tier in tiers[:index]:
                place = ("tiers", phase, index)
                yield place, f"the tier {tier!r} stands twice", "keep one of them"
        if not unknown and not of_tasks & set(tiers):
            there = ", ".join(sorted(of_tasks))
            message = f"in the phase {phase} nothing would be marked: no task is of these tiers"
            yield ("tiers", phase), message, f"there are: {there}"


def _worth_nothing(assignment: Assignment, loaded: Mapping[str, LoadedTask]) -> Iterator[_Flaw]:
    """An assignment for which there are no points."""
    if any(entry.id not in loaded for entry in assignment.tasks):
        return
    if not any(_worth(entry, loaded[entry.id].spec) for entry in assignment.tasks):
        message = "the whole assignment is worth 0 points, and everybody would have all of them"
        yield ("tasks",), message, "give a task points"


def _beyond_everything(assignment: Assignment, loaded: Mapping[str, LoadedTask]) -> Iterator[_Flaw]:
    """Losses in points that are more than the assignment is worth."""
    if assignment.late is None or any(entry.id not in loaded for entry in assignment.tasks):
        return
    worth = round(sum(_worth(entry, loaded[entry.id].spec) for entry in assignment.tasks), 4)
    for name in ("per_day", "cap"):
        loss = getattr(assignment.late, name)
        if loss is not None and loss.unit == "points" and loss.amount > worth:
            message = f"{loss} are more than everything: the assignment is worth {worth:g}"
            yield ("late", name), message, "lower it, or give a percentage"


def _worth(entry: AssignedTask, spec: Task) -> float:
    """What a task is worth in the assignment."""
    if entry.points is not None:
        return entry.points
    marked = (check for check in spec.checks if check.id not in entry.without)
    return sum(entry.checks.get(check.id, check.points) for check in marked)


def _of_task(at: Location, entry: AssignedTask, spec: Task) -> Iterator[_Flaw]:
    """What is wrong with the checks that are left out of one task."""
    known = [check.id for check in spec.checks]
    for index, name in enumerate(entry.without):
        place = (*at, "without", index)
        if name not in known:
            remedy = did_you_mean(name, known).lstrip("; ")
            yield place, f"{entry.id} has no check that is called {name!r}", remedy
        elif name in entry.without[:index]:
            yield place, f"the check {name!r} stands twice", "keep one of them"
    for name in entry.checks:
        place = (*at, "checks", name)
        if name not in known:
            remedy = did_you_mean(name, known).lstrip("; ")
            yield place, f"{entry.id} has no check that is called {name!r}", remedy
        elif name in entry.without:
            message = f"{name!r} of {entry.id} is left out, and has points"
            yield place, message, "take it out of `without`, or of `checks`"
    marked = [check for check in spec.checks if check.id not in entry.without]
    worth = [entry.checks.get(check.id, check.points) for check in marked]
    for check in marked:
        for needed in check.after:
            if needed in entry.without:
                place = (*at, "without", entry.without.index(needed))
                message = f"{check.id!r} of {entry.id} comes after {needed!r}, which is left out"
                yield place, message, f"leave {check.id!r} out as well, or mark {needed!r}"
    if entry.without and not marked:
        message = f"no check of {entry.id} is left"
        yield (*at, "without"), message, "leave the task out instead"
    elif (entry.without or entry.checks) and entry.points and not any(worth):
        message = f"the checks of {entry.id} that are left are worth nothing in the task"
        yield (*at, "points"), message, "leave other checks out, or write points: 0"
