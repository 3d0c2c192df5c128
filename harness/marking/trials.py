"""Which trial is meant, and what is known of it: digests of trials, and their observations.

A trial's digest covers everything its values depend on: the program's files, measure.py, given.py
and the contract, the seed's name and the commitment to its key, what is stored, the limits, the
pinned packages, and for training the class of machine. Statements, points and thresholds are not
covered: changing them only needs scoring again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from harness import kinds
from harness.causes import Cause
from harness.ledger import Ledger
from harness.machine import environment, machine_class
from harness.marking.jobs import PlannedTrial
from harness.records import (
    COMMON,
    EXAMPLE,
    OWN,
    SHOW,
    Observation,
    Program,
    Step,
    Trial,
    canonical,
    sha256,
)
from harness.seeds import PUBLIC_KEY, Key
from harness.spec.checks import CheckBase
from harness.spec.load import LoadedTask

#: Raised whenever the meaning of an observation changes: stored ones are then made anew.
#: 9: actions are never rounded; a spent budget of steps ends a training, which is then marked.
COLLECT_PROTOCOL = 9
#: Raised whenever an example's transcript holds something else: stored answers are then made anew.
#: 6: it holds instances, given functions and seeds.
EXAMPLE_PROTOCOL = 6
#: Raised whenever what is stored of a task's pictures means something else.
SHOW_PROTOCOL = 1


@dataclass(frozen=True)
class Subject:
    """A program to be marked, with what is known to be wrong before anything runs.

    ``problems`` maps a file name, or ``""`` for the submission as a whole, to (cause, message).

    Attributes:
        notes: sentences for the student about what was handed in and not taken.
        left: the names of what was handed in and not taken.
        submitted: when it was handed in, as ISO 8601 with an offset; empty where not known.
        remark: which of several attempts this is, and why; empty where nothing is to be said.
    """

    program: Program
    display_name: str
    identity: str = "unverified"
    problems: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    submitted: str = ""
    remark: str = ""

    def problem(self, task: LoadedTask) -> tuple[Cause, str] | None:
        """Why the task cannot even be tried, with a sentence, or None."""
        for name in (*task.spec.wanted_files, ""):  # a problem of a wanted file says more
            if name in self.problems:
                cause, message = self.problems[name]
                return Cause(cause), message
        for name in task.spec.wanted_files:
            if name not in self.program.files:
                return Cause.MISSING_FILE, f"{name} was not submitted"
        return None

    @property
    def handed_in(self) -> bool:
        """Whether there is a file that a task asks for, be it of use or not."""
        causes = {cause for cause, _ in self.problems.values()}
        return bool(self.program.files) or bool(causes - {Cause.MISSING_FILE})

    def holds(self, task: LoadedTask) -> bool:
        """Whether something was handed in for a task, be it of use or not."""
        names = task.spec.wanted_files
        return any(name in self.program.files or name in self.problems for name in names)

    def left_out(self, task: LoadedTask, message: str) -> str:
        """What to add to an error that names something which was handed in and not taken."""
        named = [
            name
            for name in dict.fromkeys(self.left)
            if f"'{name}'" in message
            or f"/{name}'" in message
            or f"'{name.partition('.')[0]}'" in message
        ]
        if not named:
            return ""
        return (
            f"; {', '.join(named[:3])} was handed in and not taken: only "
            f"{' and '.join(task.spec.wanted_files)} and the .py modules beside it that it imports "
            "by name come along"
        )


class Observations(Protocol):
    """What decisions are made from: observations of trials, stored or made when asked for."""

    def observe(
        self, task: LoadedTask, program: Program, measurement: str, step: Step, owner: str = ""
    ) -> Observation | PlannedTrial:
        """The observation of a trial, or the planned trial that would make it."""
        ...

    def read_ahead(
        self, task: LoadedTask, program: Program, places: Iterable[tuple[str, Step]], owner: str
    ) -> None:
        """Announces which steps of which measurements :meth:`observe` will be asked for."""
        ...

    def digests(self, trial: str) -> Sequence[str]:
        """The digests of all observations of a trial, repetitions included."""
        ...

    def wanted(self, task: LoadedTask, check: CheckBase, reference: Observation) -> Any:
        """What a check compares every program with, from what the reference did in a trial.

        Raises:
            ValueError, ArithmeticError, KeyError: see :func:`harness.kinds.wanted`.
        """
        ...


@dataclass(frozen=True)
class View:
    """The ledger as one phase sees it.

    Attributes:
        key: the phase's key; examples are drawn under the public one.
        isolation: what a submission did under a weaker level counts as not observed.
    """

    key: Key
    ledger: Ledger
    isolation: str = "L1"

    def observe(
        self, task: LoadedTask, program: Program, measurement: str, step: Step, owner: str = ""
    ) -> Observation | PlannedTrial:
        """The observation of a trial, or the planned trial that would make it.

        Args:
            owner: the subject whose own seeds are meant in stage 2.
        """
        trial = self._trial(task, program, measurement, step, owner)
        return self._observation(trial, task, program)

    def read_ahead(
        self, task: LoadedTask, program: Program, places: Iterable[tuple[str, Step]], owner: str
    ) -> None:
        """See :meth:`Observations.read_ahead`."""
        trials = (self._trial(task, program, *place, owner) for place in places)
        self.ledger.read_ahead([trial.digest for trial in trials])

    def _trial(
        self, task: LoadedTask, program: Program, measurement: str, step: Step, owner: str
    ) -> Trial:
        key, subject = self.key_of(step), step.subject(owner)
        return name_trial(task, program, measurement, step, subject, key)

    def _observation(
        self, trial: Trial, task: LoadedTask, program: Program
    ) -> Observation | PlannedTrial:
        weakest = self.isolation if program.role == "submission" else None
        observation = self.ledger.get(trial.digest, weakest)
        return planned_trial(trial, task, program) if observation is None else observation

    def digests(self, trial: str) -> Sequence[str]:
        """The digests of all stored observations of a trial, repetitions included."""
        return self.ledger.digests(trial)

    def wanted(self, task: LoadedTask, check: CheckBase, reference: Observation) -> Any:
        """See :meth:`Observations.wanted`."""
        del task
        return kinds.wanted(check, reference.statistics.get(check.id, {}))

    def for_one_round(self) -> RoundView:
        """The same view for as long as nothing is added to the ledger."""
        return RoundView(self.key, self.ledger, self.isolation)

    def stored(self, task: LoadedTask, program: Program) -> Iterator[Observation]:
        """Every stored observation of a program that its checks can ask for, examples left out."""
        for measurement in task.spec.measurements:
            for step in steps(task, measurement):
                observation = self.observe(task, program, measurement, step, program.owner)
                if isinstance(observation, Observation):
                    yield observation

    def key_of(self, step: Step) -> Key:
        """The key that the seeds of a step are derived from."""
        return PUBLIC_KEY if step.stage == EXAMPLE.stage else self.key


@dataclass(frozen=True)
class RoundView(View):
    """A view that looks up every trial once; valid until something is added to the ledger.

    What trusted programs gave, and what checks make of the reference's, is asked for by all
    subjects, and kept; what a submission gave is asked for by several checks of one task, and
    dropped by :meth:`forget_submission`.
    """

    _trusted: dict[tuple[object, ...], Observation | PlannedTrial] = field(
        default_factory=dict, repr=False, compare=False
    )
    _submission: dict[tuple[object, ...], Observation | PlannedTrial] = field(
        default_factory=dict, repr=False, compare=False
    )
    _wanted: dict[tuple[LoadedTask, str, str], Any] = field(
        default_factory=dict, repr=False, compare=False
    )

    def observe(
        self, task: LoadedTask, program: Program, measurement: str, step: Step, owner: str = ""
    ) -> Observation | PlannedTrial:
        place = self._place(task, program, measurement, step, owner)
        known = self._known(program)
        if place not in known:
            known[place] = super().observe(task, program, measurement, step, owner)
        return known[place]

    def read_ahead(
        self, task: LoadedTask, program: Program, places: Iterable[tuple[str, Step]], owner: str
    ) -> None:
        known = self._known(program)
        trials = {
            place: self._trial(task, program, measurement, step, owner)
            for measurement, step in places
            if (place := self._place(task, program, measurement, step, owner)) not in known
        }
        self.ledger.read_ahead([trial.digest for trial in trials.values()])
        for place, trial in trials.items():
            known[place] = self._observation(trial, task, program)

    def _known(self, program: Program) -> dict[tuple[object, ...], Observation | PlannedTrial]:
        return self._submission if program.role == "submission" else self._trusted

    @staticmethod
    def _place(
        task: LoadedTask, program: Program, measurement: str, step: Step, owner: str
    ) -> tuple[object, ...]:
        subject = step.subject(owner)
        return (
            *(task.id, program.role, program.name, measurement),
            *(subject, step.stage, step.replicate),
        )

    def wanted(self, task: LoadedTask, check: CheckBase, reference: Observation) -> Any:
        place = (task, check.id, reference.trial.digest)
        if place not in self._wanted:
            self._wanted[place] = super().wanted(task, check, reference)
        return self._wanted[place]

    def forget_submission(self) -> None:
        """Drops what was kept of the submission that was asked for last."""
        self._submission.clear()


def planned_trial(trial: Trial, task: LoadedTask, program: Program) -> PlannedTrial:
    """The trial with the program's files for the task."""
    places = program.places(task.spec.wanted_files)
    files = {name: program.files[place] for name, place in places.items()}
    return PlannedTrial(trial, task, files)


def steps(task: LoadedTask, measurement: str) -> list[Step]:
    """Every step of a measurement that one of its checks can ask for, in order."""
    checks = task.spec.checks_of(measurement)
    return sorted(
        {
            Step(stage.stage, replicate)
            for check in checks
            for stage in (COMMON, OWN)[: check.stages]
            for replicate in range(check.replicates)
        }
    )


def name_trial(
    task: LoadedTask, program: Program, measurement: str, step: Step, subject: str, key: Key
) -> Trial:
    """The trial of one measurement of one program, with its digest.

    Args:
        subject: the name that is mixed into the seed; empty where the cohort shares it.
    """
    content = [
        _measurement_digest(task, measurement),
        [step.stage, step.replicate, subject],
        key.commitment,
        program.digests(task.spec.wanted_files),
        program.role == "reference",  # only its observations keep scales
    ]
    return Trial(
        task=task.id,
        measurement=measurement,
        program=program.name,
        role=program.role,
        stage=step.stage,
        replicate=step.replicate,
        subject=subject,
        digest=sha256(canonical(content)),
    )


@lru_cache(maxsize=4096)
def _measurement_digest(task: LoadedTask, measurement: str) -> str:
    """A digest of what all trials of a measurement have in common, whatever the program."""
    content = [
        COLLECT_PROTOCOL,
        *_measured(task, measurement),
        task.limits_of(measurement).model_dump(),
        environment(),
        machine_class() if task.spec.tier == "training" else "",
    ]
    return sha256(canonical(content))


@lru_cache(maxsize=4096)
def example_digest(task: LoadedTask, measurement: str) -> str:
    """A digest of all that the numbers of a public example depend on, the program left out.

    Packages and machines are left out too: they change the last digits of a number, if anything.
    """
    return sha256(canonical([EXAMPLE_PROTOCOL, *_measured(task, measurement)]))


def _measured(task: LoadedTask, measurement: str) -> list[object]:
    spec = task.spec
    if measurement == SHOW:
        return [[spec.id, spec.draw, SHOW, SHOW_PROTOCOL], task.show_protocol]
    declared = spec.measurements[measurement]
    return [
        [spec.id, spec.draw, measurement],
        declared.draws,
        declared.own_worker,
        [kinds.signature(check) for check in spec.checks_of(measurement)],
        task.protocol,
    ]
