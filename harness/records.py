"""The nouns that travel between the stages: Program, Trial, Observation, Verdict.

All are frozen and survive a round trip through JSON unchanged, arrays bit for bit
(:mod:`harness.arrays`).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from harness import arrays
from harness.causes import Cause

Array = arrays.Array
#: What is stored of a measurement: check id -> name -> array.
Statistics = Mapping[str, Mapping[str, Array]]
Status = Literal["PASS", "FAIL", "INCONCLUSIVE", "ERROR", "SKIPPED", "UNGRADABLE"]
Role = Literal["submission", "reference", "variant", "mutant", "starter", "constant"]

#: Stands for the measurement in a trial that draws a task's pictures; none can have this name.
SHOW = "show.py"

#: The evidence that holds what a program said about an instance that is marked: for graders alone.
WITHHELD = "withheld_message"

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces, ASCII, no NaN."""
    return _CANONICAL.encode(value)


def sha256(data: bytes | str) -> str:
    """The SHA-256 of some bytes, or of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


@dataclass(frozen=True)
class Program:
    """Something that can be run, whatever its role.

    Attributes:
        name: the subject's name; unique among programs of one role.
        files: file name -> content, as copied into the sandbox. A module ``utils.py`` that comes
            along with ``elbo.py`` is called ``elbo/utils.py``.
        unit: whose attempt it is, where several attempts of one student or group are marked;
            empty where the name says it.
    """

    name: str
    role: Role
    files: Mapping[str, bytes]
    unit: str = ""

    @property
    def owner(self) -> str:
        """Whose own seeds it is run on in stage 2: the same for all attempts of one student."""
        return self.unit or self.name

    @cached_property
    def all_digests(self) -> Mapping[str, str]:
        """SHA-256 of every file, by name."""
        return {name: sha256(content) for name, content in sorted(self.files.items())}

    @cached_property
    def _along(self) -> Mapping[str, Mapping[str, str]]:
        """The modules that come along with a file of that stem: name in the sandbox -> in files."""
        along: dict[str, dict[str, str]] = {}
        for name in self.files:
            stem, slash, module = name.partition("/")
            if slash:
                along.setdefault(stem, {})[module] = name
        return along

    def places(self, names: tuple[str, ...]) -> dict[str, str]:
        """Those of the named files that the program has, with the modules that come along.

        Name in the sandbox -> name in :attr:`files`.
        """
        places = {name: name for name in names if name in self.files}
        for name in list(places):
            if name.endswith(".py"):
                places |= self._along.get(name.removesuffix(".py"), {})
        return places

    def digests(self, names: tuple[str, ...]) -> dict[str, str]:
        """SHA-256 of :meth:`places`."""
        return {name: self.all_digests[place] for name, place in self.places(names).items()}

    @property
    def sha256(self) -> str:
        """A digest of all files and their names."""
        return sha256(canonical(dict(self.all_digests)))


@dataclass(frozen=True, order=True)
class Step:
    """Which trial of a measurement: its stage, and its number within the stage.

    Attributes:
        stage: 0 for a displayed example (public key), 1 for seeds common to the cohort, 2 for seeds
            of the subject's own.
        replicate: counted from 0: the look of an estimator, or the seed of a training run.
    """

    stage: int
    replicate: int = 0

    def subject(self, owner: str) -> str:
        """The name that is mixed into the seed: the owner's in stage 2, else empty.

        An empty name means that the whole cohort shares the seed.
        """
        return owner if self.stage == OWN.stage else ""


#: The first step of each stage: a displayed example, common to the cohort, the subject's own.
EXAMPLE, COMMON, OWN = Step(0), Step(1), Step(2)


@dataclass(frozen=True)
class Trial:
    """One measurement of one program at one named seed.

    Attributes:
        stage, replicate: see :class:`Step`.
        subject: the name that is mixed into the seed; empty where the cohort shares the seed.
        digest: a SHA-256 of everything that the observation depends on; equal digests promise equal
            values.
    """

    task: str
    measurement: str
    program: str
    role: Role
    stage: int
    replicate: int
    subject: str
    digest: str

    @property
    def step(self) -> Step:
        """Stage and replicate together."""
        return Step(self.stage, self.replicate)

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass(frozen=True)
class Observation:
    """What one trial gave.

    Attributes:
        outcome: ``ok``; ``error``, which is the program's doing; ``infrastructure``, which is ours.
        statistics: what the kinds of the measurement's checks keep of it.
        metrics: a SHA-256 of every whole metric by its name: what is compared when a trial is run
            again.
        cause: the error's; :attr:`Cause.NONE` where there is none.
        message: one sentence about the error; of ``ok`` one of the grader's own for the student,
            mostly empty.
        message_is_public: nothing in the message can come from an instance that is marked; any
            other message is shown to nobody but the grader.
        transcript: the calls of a displayed example; empty for marked trials.
        circumstances: seconds, machine, isolation, printed output: for people, never compared.
    """

    trial: Trial
    outcome: Literal["ok", "error", "infrastructure"]
    statistics: Statistics = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    cause: Cause = Cause.NONE
    message: str = ""
    message_is_public: bool = False
    transcript: tuple[Mapping[str, Any], ...] = ()
    circumstances: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cause", Cause(self.cause))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what is compared: outcome, cause, statistics and metrics."""
        content = [self.outcome, self.cause, arrays.encoded(self.statistics), dict(self.metrics)]
        return sha256(canonical(content))

    def to_json(self) -> dict[str, Any]:
        return {**self.head(), "statistics": arrays.encoded(self.statistics)}

    def head(self) -> dict[str, Any]:
        """All but the statistics as JSON."""
        return {
            "trial": self.trial.to_json(),
            "outcome": self.outcome,
            "metrics": dict(self.metrics),
            "cause": self.cause,
            "message": self.message,
            "message_is_public": self.message_is_public,
            "transcript": list(self.transcript),
            "circumstances": dict(self.circumstances),
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Observation:
        """The inverse of :meth:`to_json`.

        Raises:
            KeyError, ValueError: the record is of another format.
        """
        return cls.of_head(record, arrays.decoded(record["statistics"]))

    @classmethod
    def of_head(cls, record: Mapping[str, Any], statistics: Statistics) -> Observation:
        """The inverse of :meth:`head`, with the statistics.

        Raises:
            KeyError, ValueError: the record is of another format.
        """
        return cls(
            trial=Trial(**record["trial"]),
            outcome=record["outcome"],
            statistics=statistics,
            metrics=record["metrics"],
            cause=Cause(record["cause"]),
            message=record["message"],
            message_is_public=record.get("message_is_public", False),
            transcript=tuple(record["transcript"]),
            circumstances=record["circumstances"],
        )


@dataclass(frozen=True)
class Verdict:
    """The mark of one check for one submission.

    A verdict cannot hold what must not be told or added up, whoever makes it:

    - a hidden check keeps no message, hint or example that a run could have shaped, nor what the
      program said;
    - there are no points exactly where the status is UNGRADABLE, and points that are not a finite
      number make it UNGRADABLE instead of spreading into totals and ranks.

    Attributes:
        points: None where nothing can be said through no fault of the program (UNGRADABLE).
        evidence: the figures behind the status: numbers, short words; finite or a string.
        message: one sentence.
        hint: that of the known mistake that the program makes; empty where none is recognised.
        example: what was called, what came back, what was wanted (visible checks that failed);
            ``file`` and ``arrays`` where the call's numbers go to a file of their own; ``picture``
            what is drawn of it, or of training seeds (:mod:`harness.marking.pictures`).
        seeds_used: trials that the status rests on.
        before_running: the cause was established before anything ran: a hidden check may tell it.
    """

    submission: str
    task: str
    check: str
    status: Status
    cause: Cause
    points: float | None
    max_points: float
    visibility: Literal["visible", "hidden"]
    evidence: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    hint: str = ""
    example: Mapping[str, Any] | None = None
    seeds_used: int = 0
    before_running: bool = False

    def __post_init__(self) -> None:
        usable = self.points is not None and math.isfinite(self.points)
        if self.status == "UNGRADABLE":
            self._set(points=None)
        elif not usable:
            cause = Cause.MARK_UNUSABLE
            self._set(status="UNGRADABLE", cause=cause, points=None, message=cause.message)
        self._set(cause=Cause(self.cause))
        if self.visibility == "hidden":
            told = self.before_running and self.status == "ERROR" and self.cause.before_running
            evidence = {name: self.evidence[name] for name in self.evidence if name != WITHHELD}
            message = self.message if told else ""
            self._set(message=message, hint="", example=None, evidence=evidence)

    def _set(self, **values: object) -> None:
        """Gives attributes their values while the record is made."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def by_course(self) -> bool:
        """Whether only the course can mark it: it compares with a reference that is not here."""
        return self.status == "UNGRADABLE" and self.cause == Cause.BY_COURSE

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Verdict:
        """The inverse of :meth:`to_json`."""
        return cls(**record)
