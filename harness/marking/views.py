"""The ledger as a phase sees it: which observations there are of the trials that decisions need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness import kinds
from harness.ledger import Ledger
from harness.marking.jobs import PlannedTrial
from harness.marking.trials import name_trial, planned_trial, steps
from harness.records import EXAMPLE, Observation, Program, Step, Trial
from harness.seeds import PUBLIC_KEY, Key
from harness.spec.checks import CheckBase
from harness.spec.load import LoadedTask


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
