"""Tasks, assignments and mistakes: the frozen records that the YAML files are read into."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.environments import Name as EnvironmentName
from harness.images import Name as ImageSet
from harness.spec.checks import Check, Identifier, Model, Name, Points, Positive
from harness.spec.domain import Domain
from harness.spec.schedule import Schedule

Tier = Literal["exact", "estimator", "training"]
TIERS: tuple[Tier, ...] = ("exact", "estimator", "training")
#: The phases that an assignment can set rules for; in the public one everything is shown.
MarkedPhase = Literal["feedback", "final", "late"]
#: How much students are told of a failed check: its example and hint, its hint alone, the mark.
Telling = Literal["examples", "hints", "marks"]


class Slide(Model):
    """Where in the lectures an exercise comes from."""

    document: Annotated[str, Field(pattern=r"^S[0-9]+$")]
    slide: str


class Limits(Model):
    """What one trial of a program may use.

    ``call_s`` bounds one call and ``trial_s`` the whole trial, in seconds of wall-clock time but
    for those in which the program waited for a processor or the grader stood still; they are there
    to end programs that hang, so honest programs should stay far below them.
    ``memory_mib`` bounds the address space beyond that of a process that has imported torch,
    ``result_mib`` the size of what one call returns.
    """

    call_s: Annotated[float, Field(gt=0, le=3600)] = 10.0
    trial_s: Annotated[float, Field(gt=0, le=7200)] = 60.0
    memory_mib: Annotated[int, Field(ge=64, le=65_536)] = 2048
    result_mib: Annotated[int, Field(ge=1, le=1024)] = 64


def joint_limits(limits: Iterable[Limits]) -> Limits:
    """The largest of every limit; of one at least."""
    records = [each.model_dump() for each in limits]
    return Limits(**{name: max(record[name] for record in records) for name in records[0]})


class Measurement(Model):
    """One function of measure.py.

    ``draws`` is the number of independent draws of one trial; where declared, the function gets it
    as ``n``. ``own_worker`` demands a process that no other measurement has used: for likelihoods,
    where a program could gain from what an earlier measurement showed it.
    """

    draws: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    own_worker: bool = False
    limits: Limits | None = None


class Task(Model):
    """A gradable exercise, as tasks/<id>/task.yaml declares it.

    ``images`` is the set of images that its measurements get, ``environments`` names what they may
    draw instances of.
    """

    id: Identifier
    version: Annotated[int, Field(ge=1)]
    draw: Annotated[int, Field(ge=0)]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    lecture: Annotated[tuple[Slide, ...], Field(min_length=1)]
    tier: Tier
    limits: Limits = Limits()
    files: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.safetensors$")], ...] = ()
    domain: Domain | None = None
    images: ImageSet | None = None
    environments: tuple[EnvironmentName, ...] = ()
    measurements: dict[Name, Measurement]
    checks: Annotated[tuple[Check, ...], Field(min_length=1)]

    @property
    def module(self) -> str:
        """The module that a submission provides: the id with ``-`` turned into ``_``."""
        return self.id.replace("-", "_")

    @property
    def file(self) -> str:
        """The file name that a submission provides."""
        return self.module + ".py"

    @property
    def wanted_files(self) -> tuple[str, ...]:
        """The names of all files that are taken from a submission for this task."""
        return (self.file, *self.files)

    @property
    def points(self) -> float:
        """The sum of the checks' points, rounded to four places."""
        return round(sum(check.points for check in self.checks), 4)

    def check(self, check_id: str) -> Check:
        """The check of that id; raises KeyError."""
        for check in self.checks:
            if check.id == check_id:
                return check
        raise KeyError(check_id)

    def checks_of(self, measurement: str) -> tuple[Check, ...]:
        """The checks that read one measurement, in the order of the file."""
        return tuple(check for check in self.checks if check.measurement == measurement)

    def limits_of(self, measurement: str) -> Limits:
        """The limits in force for one measurement."""
        return self.measurements[measurement].limits or self.limits


class Mistake(Model):
    """A known student error: solution.py with one replacement, or a file of its own.

    ``check`` is the id of the check that must catch it, ``hint`` what a student who made it is
    told. ``find`` must occur exactly once in solution.py and becomes ``replace``; ``file`` is a
    path relative to reference/<id>. With ``knows_nothing`` the program must not earn any points: it
    agrees with itself and ignores what it is given.
    """

    name: Identifier
    bug: tuple[int, ...] = ()
    erratum: tuple[Annotated[str, Field(pattern=r"^X[0-9]+$")], ...] = ()
    check: Identifier
    hint: Annotated[str, Field(min_length=10, max_length=300)]
    find: str | None = None
    replace: str | None = None
    file: Annotated[str, Field(pattern=r"^[a-z0-9_/-]+\.py$")] | None = None
    knows_nothing: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.file is None) == (self.find is None or self.replace is None):
            raise ValueError("give either `find` and `replace`, or `file`")
        return self


class Mistakes(Model):
    """The known mistakes of a task, as reference/<id>/mistakes.yaml declares them."""

    mistakes: Annotated[tuple[Mistake, ...], Field(min_length=3)]


class AssignedTask(Model):
    """A task of an assignment, with the points it is worth there; None: those of its checks.

    ``checks`` says what single checks are worth in it, others keep the points of the task; with
    ``points`` that is their proportion. ``without`` names checks of the task that the assignment
    leaves out: they are neither run nor worth anything in it.
    """

    id: Identifier
    points: Points | None = None
    checks: dict[Identifier, Points] = Field(default_factory=dict)
    without: tuple[Identifier, ...] = ()


class Assignment(Schedule):
    """A homework: its tasks, their points, its dates, and the error rate of the whole.

    ``alpha`` bounds the probability that honest work fails any check, summed over all checks;
    ``beta`` the probability, check by check, that a departure of the declared size is missed in one
    of the attempts that may count. Of the attempts of a student the first ``max_submissions`` are
    accepted, and of those the one that ``counts`` is marked; where that is the best, all are. With
    ``groups`` whoever is in one group of the roster hands in together. ``tiers`` restricts what is
    marked in a phase, ``tells`` what students are told in it.
    """

    id: Identifier
    title: Annotated[str, Field(min_length=1, max_length=120)]
    tasks: Annotated[tuple[AssignedTask, ...], Field(min_length=1)]
    alpha: Annotated[float, Field(ge=1e-12, le=1e-2)] = 1e-4
    beta: Annotated[float, Field(ge=1e-6, le=0.5)] = 0.05
    groups: bool = False
    max_submissions: Annotated[int, Field(ge=1, le=1000)] | None = None
    counts: Literal["last", "first", "best"] = "last"
    tiers: dict[MarkedPhase, Annotated[tuple[Tier, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    tells: dict[MarkedPhase, Telling] = Field(default_factory=dict)

    @property
    def chances(self) -> int:
        """How many attempts of one student are decided under one key."""
        return (self.max_submissions or 1) if self.counts == "best" else 1

    @model_validator(mode="after")
    def _require_limited_attempts(self) -> Self:
        if self.counts != "best":
            return self
        if self.max_submissions is None or self.max_submissions < 2:
            raise ValueError(
                "`counts: best` needs `max_submissions`, at least 2: every further attempt gives a "
                "wrong program another chance to pass"
            )
        if self.late is not None and self.late.late_days is not None:
            raise ValueError(
                "`counts: best` and `late.late_days` do not go together: which attempt is the best "
                "would depend on late days that other assignments spend, and they on it"
            )
        return self


__all__ = [
    "TIERS",
    "Assignment",
    "Limits",
    "MarkedPhase",
    "Measurement",
    "Mistake",
    "Mistakes",
    "Positive",
    "Slide",
    "Task",
    "Telling",
    "Tier",
    "joint_limits",
]
