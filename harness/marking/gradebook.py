"""The one model of results: every submission by every check of every task, keyed by the specs.

Columns come from the specs and rows from the submissions, so that a broken submission can never
take away or distort what stands in another's row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from harness.records import Verdict


@dataclass(frozen=True)
class TaskGrade:
    """All verdicts of one submission on one task, in the order of the spec.

    Attributes:
        stale: why these marks are those of an earlier run and cannot be computed again, in a
            sentence; empty where they are up to date.
    """

    id: str
    title: str
    tier: str
    max_points: float
    verdicts: tuple[Verdict, ...]
    stale: str = ""

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
class SubmissionGrade:
    """One row of the gradebook.

    Attributes:
        name: the subject, as found; ``display_name`` is safe to print.
        identity: ``roster`` or ``unverified`` (the name is the path's stem).
        isolation: the weakest level under which an observation was made; empty before any.
        problems: what was wrong with the submission as a whole, one sentence each.
    """

    name: str
    display_name: str
    sha256: str
    identity: str
    isolation: str
    tasks: tuple[TaskGrade, ...]
    problems: tuple[str, ...] = ()

    @cached_property
    def points(self) -> float:
        return round(sum(task.points for task in self.tasks), 4)

    @cached_property
    def max_points(self) -> float:
        return round(sum(task.max_points for task in self.tasks), 4)

    @cached_property
    def provisional(self) -> bool:
        return any(task.provisional for task in self.tasks)

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
