"""The decision: from stored observations to a status and a credit for every check of a task.

Pure functions of specs, programs and the ledger. For each check the answer is a :class:`Decision`,
or :class:`Waiting` with the trials that have to be run first. :mod:`harness.marking.round` asks
once for every state of the ledger; planning, feedback and the gradebook all use its answer.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from harness import kinds
from harness.causes import Cause
from harness.marking import at_home
from harness.marking.jobs import PlannedTrial
from harness.marking.subjects import Subject
from harness.marking.views import Observations
from harness.records import COMMON, WITHHELD, Observation, Program, Status, Step
from harness.spec.checks import CheckBase
from harness.spec.load import LoadedTask

#: What a kind raises where statistics cannot be judged: a fault of ours or of the task.
_UNJUDGED = (ValueError, ArithmeticError, KeyError)


@dataclass(frozen=True)
class Decision:
    """What is decided about one check of one program.

    Attributes:
        credit: the share of the points, in [0, 1].
        margin: how far the evidence lies from the limit, in units of the limit; NaN where the kind
            has no such measure.
        figures: the numbers behind the decision, finite or as text.
        message: one sentence that is more precise than the cause's own; empty where there is none.
            Of a check that passes, what the student is to know all the same.
        steps: how many trials of the program it rests on.
        isolation: the levels under which those trials were observed.
        before_running: it was known from the submitted files alone.
    """

    status: Status
    cause: Cause = Cause.NONE
    credit: float = 0.0
    margin: float = float("nan")
    figures: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    steps: int = 0
    isolation: frozenset[str] = frozenset()
    before_running: bool = False


@dataclass(frozen=True)
class Waiting:
    """Nothing is decided before these trials are run.

    Empty where the check itself needs none yet: a check that it comes ``after`` is still waiting.
    """

    trials: tuple[PlannedTrial, ...]


Answer = Decision | Waiting


def decide_task(
    task: LoadedTask, subject: Subject, view: Observations, leave_out: Container[str] = ()
) -> dict[str, Answer]:
    """Every marked check of a task by its id, in the order of the spec; ``after`` is respected.

    Args:
        leave_out: checks that are not asked for; they and what comes after them are SKIPPED.
    """
    answers: dict[str, Answer] = {}
    problem = _problem(task, subject)
    if problem is None:
        asked = (check.measurement for check in task.checks if check.id not in leave_out)
        places = [(measurement, COMMON) for measurement in dict.fromkeys(asked)]
        view.read_ahead(task, subject.program, places, subject.program.owner)
    for check in task.checks:
        if check.id in leave_out:
            answers[check.id] = Decision("SKIPPED", Cause.PREREQUISITE)
            continue
        earlier = [answers[name] for name in check.after]
        gate = _gate(earlier)
        if isinstance(gate, Waiting) and at_home.compared_elsewhere(task, check):
            answers[check.id] = _together(gate, _decided(task, check, subject, view, problem))
        elif isinstance(gate, Decision) and gate.cause == Cause.BY_COURSE:
            answers[check.id] = _open_until_marked(
                check, _decided(task, check, subject, view, problem)
            )
        else:
            answers[check.id] = gate or _decided(task, check, subject, view, problem)
    return answers


def _gate(earlier: Sequence[Answer]) -> Answer | None:
    """What the checks that this one comes after make of it; None where it may be decided."""
    if any(isinstance(answer, Waiting) for answer in earlier):
        return Waiting(())
    decided = [answer for answer in earlier if isinstance(answer, Decision)]
    statuses = {answer.status for answer in decided}
    if statuses - {"PASS", "UNGRADABLE"}:
        return Decision("SKIPPED", Cause.PREREQUISITE)
    causes = {answer.cause for answer in decided if answer.status == "UNGRADABLE"}
    if causes == {Cause.BY_COURSE}:
        return Decision("UNGRADABLE", Cause.BY_COURSE)
    return Decision("UNGRADABLE", Cause.PREREQUISITE) if causes else None


def _together(gate: Waiting, answer: Answer) -> Waiting:
    """Still waiting; the check's own trials are asked for at once."""
    return answer if isinstance(answer, Waiting) else gate


def _open_until_marked(check: CheckBase, answer: Answer) -> Answer:
    """What a check comes to while the course has yet to mark one that it comes after.

    Not passing costs its points whatever the course finds. Passing earns none yet: a program that
    knows nothing passes many a check that builds on others.
    """
    if isinstance(answer, Waiting) or (answer.status != "PASS" and not answer.credit):
        return answer
    here = "it passes here" if answer.status == "PASS" else "it earns credit here"
    message = f"{Cause.BY_COURSE.message}; {here}, which counts with {', '.join(check.after)}"
    return replace(answer, status="UNGRADABLE", cause=Cause.BY_COURSE, credit=0.0, message=message)


def decide(task: LoadedTask, check: CheckBase, subject: Subject, view: Observations) -> Answer:
    """One check of one program, regardless of the checks that it comes after.

    Without a reference, a check that compares with it finds nothing but that the program breaks.
    """
    return _decided(task, check, subject, view, _problem(task, subject))


def _problem(task: LoadedTask, subject: Subject) -> Decision | None:
    """What is decided of all checks of a task where it cannot even be tried."""
    problem = subject.problem(task)
    if problem is None:
        return None
    cause, message = problem
    status: Status = "UNGRADABLE" if cause.fault == "harness" else "ERROR"
    return Decision(status, cause, message=message, before_running=True)


def _decided(
    task: LoadedTask,
    check: CheckBase,
    subject: Subject,
    view: Observations,
    problem: Decision | None,
) -> Answer:
    """:func:`decide`, with what :func:`_problem` said of the task."""
    if problem is not None:
        return problem
    target = None
    if check.needs_target:
        target = _target(task, check)
        if task.reference is None:
            check = at_home.without_leaderboard(check)
        elif target is None:
            return Decision("UNGRADABLE", Cause.NO_TARGET)
    answer = _Evidence(task, check, subject, view, target).decide()
    if isinstance(answer, Decision) and answer.status == "ERROR":
        return replace(answer, message=answer.message + subject.left_out(task, answer.message))
    return answer


def _target(task: LoadedTask, check: CheckBase) -> Mapping[str, Any] | None:
    """The stored distribution that a check compares with."""
    return _parsed_target(task, getattr(check, "target", ""))


@lru_cache(maxsize=256)
def _parsed_target(task: LoadedTask, file: str) -> Mapping[str, Any] | None:
    if task.reference is None or file not in task.reference.targets:
        return None
    return MappingProxyType(json.loads(task.reference.targets[file]))


def _ungradable(message: str) -> Decision:
    return Decision("UNGRADABLE", Cause.HARNESS_ERROR, message=message)


class _Evidence:
    """The evidence on one check of one program: steps are added until the kind has enough."""

    def __init__(
        self,
        task: LoadedTask,
        check: CheckBase,
        subject: Subject,
        view: Observations,
        target: Mapping[str, Any] | None,
    ) -> None:
        self._task = task
        self._check = check
        self._subject = subject
        self._view = view
        self._target = target
        self._isolation: set[str] = set()
        self._notices: dict[str, None] = {}

    def decide(self) -> Answer:
        evidence: list[kinds.Evidence] = []
        outcome = kinds.FIRST
        while outcome.status == "MORE":
            known = {item.step for item in evidence}
            if not outcome.wants or known & set(outcome.wants):
                return _ungradable(f"{self._check.id} asks for what it has: {outcome.wants}")
            answer = self._of_steps(outcome.wants)
            if isinstance(answer, Decision):
                return self._resting(answer)
            if isinstance(answer, Waiting):
                return answer
            evidence += answer
            if self._check.needs_reference and self._task.reference is None:
                return self._resting(Decision("UNGRADABLE", Cause.BY_COURSE))
            try:
                outcome = kinds.decide(self._check, evidence)
            except _UNJUDGED as error:
                return self._resting(_ungradable(f"{self._check.id}: {error}"))
        cause = Cause(outcome.cause)
        return Decision(
            outcome.status,
            cause,
            outcome.credit,
            outcome.margin,
            outcome.figures,
            self._with_notices(outcome.message, cause),
            steps=len(evidence),
            isolation=frozenset(self._isolation),
        )

    def _with_notices(self, message: str, cause: Cause) -> str:
        """A message with what else the student is to know of the trials; alone if it passed."""
        if not self._notices:
            return message
        return "; ".join(filter(None, (message or cause.message, *self._notices)))

    def _resting(self, decision: Decision) -> Decision:
        """The decision with the isolation levels of the observations that it rests on."""
        return replace(decision, isolation=frozenset(self._isolation))

    def _of_steps(self, steps: Sequence[Step]) -> list[kinds.Evidence] | Answer:
        """The evidence of some steps; the first decision among them, or all that they wait for."""
        evidence: list[kinds.Evidence] = []
        trials: list[PlannedTrial] = []
        if len(steps) > 1:
            places = [(self._check.measurement, step) for step in steps]
            program = self._subject.program
            self._view.read_ahead(self._task, program, places, program.owner)
        for step in steps:
            answer = self._of_step(step)
            if isinstance(answer, Decision):
                return answer
            if isinstance(answer, Waiting):
                trials += answer.trials
            else:
                evidence.append(answer)
        return Waiting(tuple(trials)) if trials else evidence

    def _of_step(self, step: Step) -> kinds.Evidence | Answer:
        """The evidence of one step, or why there is none."""
        own = self._observe(self._subject.program, step)
        if isinstance(own, Observation):
            answer = self._own_failure(own, step)
            if answer is not None:
                return answer
            if own.message:
                self._notices[own.message] = None
        if not self._check.needs_reference or self._task.reference is None:
            if isinstance(own, PlannedTrial):
                return Waiting((own,))
            return kinds.Evidence(self._statistics(own), target=self._target, step=step)
        reference = self._observe(self._task.reference.solution, step)
        missing = tuple(item for item in (own, reference) if isinstance(item, PlannedTrial))
        if isinstance(own, PlannedTrial) or isinstance(reference, PlannedTrial):
            return Waiting(missing)
        return self._compared(own, reference, step)

    def _compared(
        self, own: Observation, reference: Observation, step: Step
    ) -> kinds.Evidence | Decision:
        """The evidence of a step beside what the reference did there."""
        if reference.outcome != "ok":
            text = f"the reference did not deliver: {reference.cause} {reference.message}"
            return _ungradable(text)
        try:
            wanted = self._view.wanted(self._task, self._check, reference)
        except _UNJUDGED as error:
            return _ungradable(f"{self._check.id}: {error}")
        return kinds.Evidence(
            self._statistics(own), self._statistics(reference), self._target, step, wanted=wanted
        )

    def _own_failure(self, own: Observation, step: Step) -> kinds.Evidence | Answer | None:
        """What an observation of the program comes to where it holds no statistics to judge."""
        if "isolation" in own.circumstances:
            self._isolation.add(str(own.circumstances["isolation"]))
        if own.outcome == "infrastructure":
            return _ungradable(own.message)
        repeated = self._not_reproducible(own, step)
        if repeated is not None:
            return repeated
        if own.outcome == "error":
            if step.replicate > 0 and kinds.counts_errors(self._check):
                return kinds.Evidence({}, target=self._target, step=step, error=own.cause)
            if own.message_is_public:
                return Decision("ERROR", own.cause, message=own.message)
            return Decision("ERROR", own.cause, figures={WITHHELD: own.message})
        return None

    def _not_reproducible(self, own: Observation, step: Step) -> Answer | None:
        """ERROR where repetitions of a trial differ and those of the reference's do not."""
        digests = self._view.digests(own.trial.digest)
        if len(set(digests)) < 2 or self._task.reference is None:
            return None
        reference = self._observe(self._task.reference.solution, step)
        if isinstance(reference, PlannedTrial):
            return Waiting((reference,))
        digests = self._view.digests(reference.trial.digest)
        if len(digests) > 1 and len(set(digests)) == 1:
            return Decision("ERROR", Cause.NOT_REPRODUCIBLE)
        return _ungradable(
            "results differ between runs; `replay --rerun` tells whether the reference's do, too"
        )

    def _observe(self, program: Program, step: Step) -> Observation | PlannedTrial:
        owner = self._subject.program.owner
        return self._view.observe(self._task, program, self._check.measurement, step, owner)

    def _statistics(self, observation: Observation) -> Mapping[str, Any]:
        return observation.statistics.get(self._check.id, {})
