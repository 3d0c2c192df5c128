"""The one model of results: every submission by every check of every task, keyed by the specs.

Columns come from the specs and rows from the submissions, so that a broken submission can never
take away or distort what stands in another's row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from harness.records import Verdict


@dataclass(frozen=True)
class TaskGrade:
    """All verdicts of one submission on one task, in the order of the spec.

    Attributes:
        stale: why these marks are those of an earlier run and cannot be computed again, in a
            sentence; empty where they are up to date.
        pictures: what is drawn of the task, as :mod:`harness.marking.shown` makes it.
        no_pictures: why there are none though the task has some, in a sentence; else empty.
        counts: False where the assignment does not have the task any more: the marks are kept in
            the record of the class, and in no gradebook.
    """

    id: str
    title: str
    tier: str
    max_points: float
    verdicts: tuple[Verdict, ...]
    stale: str = ""
    pictures: tuple[Mapping[str, Any], ...] = ()
    no_pictures: str = ""
    counts: bool = True

    @cached_property
    def points(self) -> float:
        """Points earned, an undecided (UNGRADABLE) check counting as nothing yet."""
        return round(sum(verdict.points or 0.0 for verdict in self.verdicts), 4)

    @cached_property
    def provisional(self) -> bool:
        """Whether a check has no mark: through our fault, not run yet, or marked by the course."""
        return any(verdict.points is None for verdict in self.verdicts)

    @cached_property
    def by_course(self) -> tuple[Verdict, ...]:
        """The checks that only the course can mark; none where the reference is at hand."""
        return tuple(verdict for verdict in self.verdicts if verdict.by_course)

    @cached_property
    def points_by_course(self) -> float:
        """What :attr:`by_course` are worth: points that are neither earned nor lost here."""
        return round(sum(verdict.max_points for verdict in self.by_course), 4)


@dataclass(frozen=True)
class Override:
    """Points that a person gave beside the computed ones, for a task or one of its checks.

    Attributes:
        check: empty where it is about the whole task.
        points, computed: what counts instead, and what was computed.
        made: when it was recorded.
    """

    task: str
    check: str
    points: float
    computed: float
    reason: str
    by: str
    made: str

    @property
    def place(self) -> str:
        """The task, or the task and the check."""
        return f"{self.task}/{self.check}" if self.check else self.task

    @property
    def difference(self) -> float:
        """What it adds to the computed points; negative where it takes away."""
        return round(self.points - self.computed, 4)


@dataclass(frozen=True)
class Lateness:
    """How late a submission was, and what that takes off its mark.

    Attributes:
        days: days of 24 hours that had begun since it was due; 0 where it was in time.
        free_days: how many of them the student's budget of the term paid for.
        penalty: points.
    """

    submitted: str
    due: str
    days: int = 0
    free_days: int = 0
    penalty: float = 0.0


@dataclass(frozen=True)
class AttemptMark:
    """One of several attempts of a student that were marked, of which one counts.

    Attributes:
        submitted: when it was handed in, as ISO 8601 with an offset; empty where not known.
        points, mark: what was computed; the same with overrides, less the penalty.
    """

    submitted: str
    points: float
    mark: float
    counts: bool
    provisional: bool = False


@dataclass(frozen=True)
class SubmissionGrade:
    """One row of the gradebook.

    The points of a row are those that were computed. What a person gave and what lateness takes
    off stand beside them; :attr:`mark` is what comes of all three.

    Attributes:
        name: the subject, as found; ``display_name`` is safe to print.
        identity: ``roster`` or ``unverified`` (the name is the path's stem).
        isolation: the weakest level under which an observation was made; empty before any.
        problems: what was wrong with the submission as a whole, one sentence each.
        submitted: when it was handed in, as ISO 8601 with an offset; empty where that is not known.
        student: who it is in the roster: name, group and email, as far as it says.
        late: None where the assignment has no due date or the time is not known.
        extension: other dates of this student and why, in words; empty where there are none.
        subject, unit: the name in the record of the class, and whose attempt that is.
        attempts: all that were marked, in the order of time, where the best of several counts.
        handed_in: how often that was, as far as times were told; 0 where none was.
    """

    name: str
    display_name: str
    sha256: str
    identity: str
    isolation: str
    tasks: tuple[TaskGrade, ...]
    problems: tuple[str, ...] = ()
    submitted: str = ""
    student: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    late: Lateness | None = None
    extension: str = ""
    subject: str = ""
    unit: str = ""
    attempts: tuple[AttemptMark, ...] = ()
    handed_in: int = 0

    @property
    def overridden(self) -> float:
        """The points with those that a person gave in place of the computed ones."""
        return round(self.points + sum(each.difference for each in self.overrides), 4)

    @property
    def penalty(self) -> float:
        """What lateness takes off, in points."""
        return self.late.penalty if self.late else 0.0

    @property
    def mark(self) -> float:
        """What counts: points, overrides, less the penalty."""
        return round(self.overridden - self.penalty, 4)

    @property
    def is_adjusted(self) -> bool:
        """Whether anything but the checks has a part in the mark."""
        return bool(self.overrides) or self.penalty > 0

    @cached_property
    def points(self) -> float:
        """The points that were computed, over all tasks."""
        return round(sum(task.points for task in self.tasks), 4)

    @cached_property
    def max_points(self) -> float:
        """What all tasks are worth."""
        return round(sum(task.max_points for task in self.tasks), 4)

    @cached_property
    def provisional(self) -> bool:
        """Whether a check has no mark yet, here or in another attempt that may be better then."""
        own = any(task.provisional for task in self.tasks)
        return own or any(each.provisional for each in self.attempts)

    @cached_property
    def points_by_course(self) -> float:
        """What the checks are worth that only the course can mark."""
        return round(sum(task.points_by_course for task in self.tasks), 4)

    @property
    def stale(self) -> tuple[str, ...]:
        """The ids of the tasks whose marks are stale."""
        return tuple(task.id for task in self.tasks if task.stale)


@dataclass(frozen=True)
class RunRecord:
    """What a gradebook was made under: assignment, phase and key, the harness and its source."""

    assignment: str
    phase: str
    key_sha256: str
    harness: str
    harness_sha256: str
    commit: str


@dataclass(frozen=True)
class Gradebook:
    """All submissions of a run, sorted by name."""

    run: RunRecord
    submissions: tuple[SubmissionGrade, ...]
    circumstances: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = tuple(sorted(self.submissions, key=lambda row: row.name))
        object.__setattr__(self, "submissions", rows)

    def ranked(self) -> Sequence[SubmissionGrade]:
        """By points, best first; equal points by name."""
        return sorted(self.submissions, key=lambda row: (-row.points, row.name))

    def of_tasks(self, ids: Collection[str]) -> Gradebook:
        """The rows with these tasks and what was given for them; without lateness."""
        rows = [
            replace(
                row,
                tasks=tuple(task for task in row.tasks if task.id in ids),
                overrides=tuple(each for each in row.overrides if each.task in ids),
                late=None,
            )
            for row in self.submissions
        ]
        return replace(self, submissions=tuple(rows))

    @property
    def all_pass(self) -> bool:
        """Whether every check of every submission is PASS, but for those that the course marks."""
        return all(
            verdict.status == "PASS" or verdict.by_course
            for row in self.submissions
            for task in row.tasks
            for verdict in task.verdicts
        )

    def to_json(self) -> dict[str, Any]:
        """The ``grade`` document without its head; what can differ between two runs comes last."""
        return {
            "run": asdict(self.run),
            "submissions": [_row(row) for row in self.submissions],
            "circumstances": dict(self.circumstances),
        }


def _row(row: SubmissionGrade) -> dict[str, Any]:
    return {
        "name": row.name,
        "display_name": row.display_name,
        "sha256": row.sha256,
        "identity": row.identity,
        "isolation": row.isolation,
        "points": row.points,
        "max_points": row.max_points,
        "provisional": row.provisional,
        "problems": list(row.problems),
        "submitted": row.submitted,
        "overrides": [asdict(each) for each in row.overrides],
        "late": None if row.late is None else asdict(row.late),
        "mark": row.mark,
        "extension": row.extension,
        "attempts": [asdict(each) for each in row.attempts],
        "handed_in": row.handed_in,
        "tasks": [
            {
                "id": task.id,
                "title": task.title,
                "tier": task.tier,
                "points": task.points,
                "max_points": task.max_points,
                "stale": task.stale,
                "checks": [_check(verdict) for verdict in task.verdicts],
            }
            for task in row.tasks
        ],
    }


def _check(verdict: Verdict) -> dict[str, Any]:
    record = verdict.to_json()
    record["id"] = record.pop("check")
    del record["submission"], record["task"], record["before_running"]
    return record
