"""A class at a glance: every check with its counts, and what the instructor has to look at.

Everything is read from a record of the class and from stored observations; nothing is run. The
computed marks count: overrides and lateness are no part of it. It is meant for instructors, since
it tells of hidden checks as it does of visible ones.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.class_record import ClassRecord, Entry
from harness.classroom import findings
from harness.classroom.findings import HintCount, Trouble
from harness.classroom.items import Item, Place, analysis, handed_in
from harness.classroom.rates import rate
from harness.marking.gradebook import TaskGrade
from harness.marking.views import View
from harness.records import Observation, Status, Verdict
from harness.spec.load import LoadedTask

STATUSES: tuple[Status, ...] = ("PASS", "FAIL", "INCONCLUSIVE", "ERROR", "SKIPPED", "UNGRADABLE")


@dataclass(frozen=True)
class CheckSummary:
    """One check in a class.

    Attributes:
        kind: empty where the task cannot be loaded any more.
        counts: status -> how many submissions that handed a file in have it; what only the course
            can mark is not UNGRADABLE here.
        by_course: how many of them only the course can mark.
        not_handed_in: how many submissions have no file for the task.
        loss: the declared bound on the probability that honest work loses points; None where none
            is declared, as for `returns`, or where the task cannot be loaded.
        cpu_s: processor seconds of the trials of its measurement, a submission; None where no
            trial is stored. Checks of one measurement share them.
    """

    task: str
    check: str
    kind: str
    visibility: str
    max_points: float
    counts: Mapping[Status, int]
    by_course: int
    not_handed_in: int
    item: Item
    loss: float | None
    cpu_s: float | None

    def to_json(self) -> dict[str, Any]:
        """The record as flat names and values, which are the columns of the CSV too."""
        return {
            "task": self.task,
            "check": self.check,
            "kind": self.kind,
            "visibility": self.visibility,
            "max_points": self.max_points,
            "n": self.item.n,
            **{status.lower(): self.counts[status] for status in STATUSES},
            "by_course": self.by_course,
            "not_handed_in": self.not_handed_in,
            "difficulty": _rounded(self.item.difficulty),
            "discrimination": _rounded(self.item.discrimination),
            "discrimination_undefined": self.item.undefined,
            "loss": self.loss,
            "cpu_s": _rounded(self.cpu_s),
        }


@dataclass(frozen=True)
class Budget:
    """The declared probabilities that honest work loses points.

    Attributes:
        declared: of one submission, over all its checks.
        allowed: what the assignment allows.
        decided: decisions of this class in which chance has a part and a rate is declared.
        expected: the sum of the rates of these decisions: no more honest checks than this are
            expected to have lost points by chance.
        undeclared: checks in which chance has a part and for which no rate is declared.
    """

    declared: float
    allowed: float
    decided: int
    expected: float
    undeclared: tuple[str, ...]


@dataclass(frozen=True)
class Spent:
    """What the stored trials of the submissions took.

    Attributes:
        cpu_s: processor seconds of the submitted programs.
        wall_s: seconds from the begin to the end of each trial, the grader's part included.
        slowest: the submission that took most of them, and its seconds.
    """

    trials: int
    cpu_s: float
    wall_s: float
    slowest: tuple[str, float] | None


@dataclass(frozen=True)
class Summary:
    """All that is said of a class.

    Attributes:
        submissions: how many there are.
        without_files: how many of them have no file for any task.
        stale: marks of an earlier grading among them, by task: how many.
        unexplained: failed visible checks that have no hint, of how many that failed.
    """

    submissions: int
    without_files: int
    checks: tuple[CheckSummary, ...]
    hints: tuple[HintCount, ...]
    unexplained: tuple[int, int]
    ungradable: tuple[Trouble, ...]
    not_loaded: tuple[Trouble, ...]
    budget: Budget
    spent: Spent
    stale: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """The summary as one JSON object."""
        return {
            "submissions": self.submissions,
            "without_files": self.without_files,
            "checks": [check.to_json() for check in self.checks],
            "hints": [{**asdict(each), "checks": list(each.checks)} for each in self.hints],
            "failed_without_hint": self.unexplained[0],
            "failed_visible": self.unexplained[1],
            "ungradable": [asdict(each) for each in self.ungradable],
            "not_loaded": [asdict(each) for each in self.not_loaded],
            "error_budget": {**asdict(self.budget), "undeclared": list(self.budget.undeclared)},
            "time": {
                "trials": self.spent.trials,
                "cpu_s": round(self.spent.cpu_s, 3),
                "wall_s": round(self.spent.wall_s, 3),
                "slowest": self.spent.slowest and self.spent.slowest[0],
                "slowest_wall_s": self.spent.slowest and round(self.spent.slowest[1], 3),
            },
            "stale": dict(self.stale),
        }


def summary(
    record: ClassRecord,
    tasks: Mapping[str, LoadedTask],
    view: View,
    order: Sequence[str],
    allowed: float,
) -> Summary:
    """What is known of a class.

    Args:
        record: its marks, computed again.
        tasks: those that can be loaded, by id.
        order: the ids of the tasks in the order of their columns.
        allowed: how much error probability the assignment allows a submission in all.
    """
    record = record.counted
    rows = record.rows(order)
    seen = {place: list(_observed(entry, tasks, view)) for place, entry in record.entries.items()}
    costs = _costs(seen)
    items = analysis(rows)
    grades: dict[str, list[TaskGrade]] = {}
    for row in rows:
        for task in row.tasks:
            grades.setdefault(task.id, []).append(task)
    checks = tuple(
        _check(place, grades[place[0]], items[place], tasks.get(place[0]), costs)
        for place in _in_order(items, [*order, *grades])
    )
    hints, unexplained = findings.hints(record)
    stale = Counter(task.id for row in rows for task in row.tasks if task.stale)
    return Summary(
        submissions=len(rows),
        without_files=sum(not any(map(handed_in, row.tasks)) for row in rows),
        checks=checks,
        hints=hints,
        unexplained=unexplained,
        ungradable=tuple(findings.ungradable(record)),
        not_loaded=tuple(findings.not_loaded(record, seen)),
        budget=_budget(record, tasks, allowed),
        spent=_spent(seen),
        stale=dict(stale),
    )


def _observed(entry: Entry, tasks: Mapping[str, LoadedTask], view: View) -> Iterator[Observation]:
    task = tasks.get(entry.grade.id)
    return view.stored(task, entry.subject.program) if task is not None else iter(())


def _costs(seen: Mapping[tuple[str, str], Sequence[Observation]]) -> dict[Place, float]:
    """Task and measurement -> processor seconds of its trials, a submission."""
    total: dict[Place, float] = {}
    submissions: dict[Place, set[str]] = {}
    for (name, task), observations in seen.items():
        for observation in observations:
            place = (task, observation.trial.measurement)
            total[place] = total.get(place, 0.0) + _seconds(observation, "cpu_s")
            submissions.setdefault(place, set()).add(name)
    return {place: spent / len(submissions[place]) for place, spent in total.items()}


def _seconds(observation: Observation, name: str) -> float:
    return float(observation.circumstances.get(name, 0.0))


def _in_order(items: Mapping[Place, Item], order: Sequence[str]) -> list[Place]:
    """Tasks in this order, the checks of each in that of its spec."""
    place = {task: index for index, task in reversed(list(enumerate(order)))}
    return sorted(items, key=lambda each: place[each[0]])


def _check(
    place: Place,
    grades: Sequence[TaskGrade],
    item: Item,
    task: LoadedTask | None,
    costs: Mapping[Place, float],
) -> CheckSummary:
    having = [
        (grade, verdict)
        for grade in grades
        for verdict in grade.verdicts
        if verdict.check == place[1]
    ]
    answered = [verdict for grade, verdict in having if handed_in(grade)]
    counts = Counter(verdict.status for verdict in answered if not verdict.by_course)
    latest = having[-1][1]
    checks = {check.id: check for check in task.checks} if task is not None else {}
    declared = checks.get(place[1])
    return CheckSummary(
        *place,
        kind=declared.kind if declared else "",
        visibility=latest.visibility,
        max_points=latest.max_points,
        counts={status: counts[status] for status in STATUSES},
        by_course=sum(verdict.by_course for verdict in answered),
        not_handed_in=len(having) - len(answered),
        item=item,
        loss=None if declared is None else rate(declared).loses,
        cpu_s=costs.get((place[0], declared.measurement)) if declared else None,
    )


def _budget(record: ClassRecord, tasks: Mapping[str, LoadedTask], allowed: float) -> Budget:
    losses = {
        (name, check.id): rate(check).loses
        for name in record.task_ids
        if name in tasks
        for check in tasks[name].checks
    }
    undeclared = [f"{task}/{check}" for (task, check), loss in losses.items() if loss is None]
    bounds = {place: loss for place, loss in losses.items() if loss is not None}
    spent = [
        bound
        for (_, task), entry in record.entries.items()
        for verdict in entry.grade.verdicts
        if _was_decided(verdict) and (bound := bounds.get((task, verdict.check), 0.0))
    ]
    declared = math.fsum(bounds.values())
    return Budget(declared, allowed, len(spent), math.fsum(spent), tuple(undeclared))


def _was_decided(verdict: Verdict) -> bool:
    return verdict.status in ("PASS", "FAIL", "INCONCLUSIVE")


def _spent(seen: Mapping[tuple[str, str], Sequence[Observation]]) -> Spent:
    by_name: dict[str, float] = {}
    trials, cpu_s = 0, 0.0
    for (name, _), observations in seen.items():
        for observation in observations:
            trials += 1
            cpu_s += _seconds(observation, "cpu_s")
            by_name[name] = by_name.get(name, 0.0) + _seconds(observation, "wall_s")
    slowest = max(by_name.items(), key=lambda one: one[1], default=None)
    return Spent(trials, cpu_s, math.fsum(by_name.values()), slowest)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
