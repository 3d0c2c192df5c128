"""Proof that a task's checks can pass honest work and can fail.

Reference and variants must PASS every check, the untouched starter must be an ERROR everywhere,
every known mistake must be caught by the check that it names, and a program that knows nothing of
the task must not earn a point. A mistake that merely crashes, or that the harness could not grade,
does not count as caught.

A mistake that a check without training must catch is not trained: what became of it would be told
by nobody, and takes most of the time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

from harness import kinds
from harness.arrays import finite_or_text
from harness.causes import Cause
from harness.grading import Progress, run_batch
from harness.isolation import Isolation
from harness.marking import plan, score
from harness.marking.jobs import PlannedTrial
from harness.marking.score import Answer, Decision, Waiting
from harness.marking.subjects import Subject
from harness.marking.views import View
from harness.mutation.deciding import catches
from harness.proving import ignorant
from harness.records import Program
from harness.spec.checks import Check
from harness.spec.load import LoadedTask
from harness.spec.references import Mutant

#: Where a check has a tolerance: the largest error of honest work and the smallest error of a
#: known mistake, in units of the tolerance.
HONEST_MARGIN, MUTANT_MARGIN = 0.2, 100.0


@dataclass(frozen=True)
class Decided:
    """One program and the decision of every check, by its id."""

    name: str
    role: str
    decisions: dict[str, Decision]

    def points(self, checks: Sequence[Check]) -> dict[str, float]:
        """Check -> the points that the program earns there, where it earns any."""
        earned = {check.id: check.points * self.decisions[check.id].credit for check in checks}
        return {name: points for name, points in earned.items() if points}


@dataclass(frozen=True)
class DecidedMutant:
    """One known mistake and the decision of every check of :func:`asked`, by its id.

    Attributes:
        named: the check that must catch it.
    """

    mutant: Mutant
    decisions: dict[str, Decision]
    named: Check

    @property
    def caught(self) -> bool:
        """Whether the named check caught it."""
        return catches(self.named, self.decisions[self.named.id])

    @property
    def caught_by(self) -> list[str]:
        """Every check that fails it, of those that were asked."""
        return [name for name, decision in self.decisions.items() if decision.status == "FAIL"]


@dataclass(frozen=True)
class TaskProof:
    """What ``verify`` shows about one task.

    Attributes:
        honest: reference and variants, the reference first.
        ignorant: programs that know nothing of the task, ``after`` respected.
    """

    task: LoadedTask
    honest: tuple[Decided, ...]
    starter: Decided
    mutants: tuple[DecidedMutant, ...]
    ignorant: tuple[Decided, ...]
    cpu_s: float
    complaints: tuple[str, ...] = field(default=())

    @property
    def honest_margin(self) -> float:
        """The largest honest error, in tolerances."""
        margins = [
            item.decisions[check.id].margin
            for item in self.honest
            for check in self.task.spec.checks
            if kinds.of(check).has_tolerance
        ]
        return max(margins, default=math.nan)

    @property
    def mutant_margin(self) -> float:
        """The smallest error of a mistake at the check it names, in tolerances."""
        margins = [
            item.decisions[item.named.id].margin
            for item in self.mutants
            if kinds.of(item.named).has_tolerance
        ]
        return min(margins, default=math.nan)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.task.id,
            "reference": _statuses(self.honest[0]),
            "starter": _statuses(self.starter),
            "ignorant": [
                {
                    "name": item.name,
                    "status": _statuses(item),
                    "points": item.points(self.task.spec.checks),
                }
                for item in self.ignorant
            ],
            "variants": [
                {"name": item.name, "status": _statuses(item)} for item in self.honest[1:]
            ],
            "mutants": [
                {
                    "name": item.mutant.mistake.name,
                    "bug": list(item.mutant.mistake.bug),
                    "expected_check": item.named.id,
                    "caught_by": item.caught_by,
                    "status": item.decisions[item.named.id].status,
                    "margin": finite_or_text(item.decisions[item.named.id].margin),
                }
                for item in self.mutants
            ],
            "worst_margin": {
                "honest": finite_or_text(self.honest_margin),
                "mutant": finite_or_text(self.mutant_margin),
            },
            "cpu_s": round(self.cpu_s, 3),
            "complaints": list(self.complaints),
        }


def verify(
    tasks: Sequence[LoadedTask],
    view: View,
    executor: Executor,
    progress: Progress,
    shards: int,
    isolation: Isolation,
) -> list[TaskProof]:
    """Runs every trial that is not stored yet, and proves every task."""
    while trials := [planned for task in tasks for planned in _missing(task, view)]:
        batch = plan.group(trials, view, shards=shards)
        run_batch(batch, view.ledger, executor, progress, isolation)
    return [prove(task, view) for task in tasks]


def asked(task: LoadedTask, mutant: Mutant) -> list[Check]:
    """The checks that are decided on a known mistake: those that train where one must catch it."""
    trained = _trained(task)
    if mutant.mistake.check in trained:
        return list(task.spec.checks)
    return [check for check in task.spec.checks if check.id not in trained]


def _missing(task: LoadedTask, view: View) -> Iterator[PlannedTrial]:
    for program, checks in _programs(task):
        for check in checks:
            answer = score.decide(task, check, _subject(program), view)
            if isinstance(answer, Waiting):
                yield from answer.trials
    for program in _ignorant(task):
        for answer in _answers_in_order(task, program, view).values():
            if isinstance(answer, Waiting):
                yield from answer.trials


def prove(task: LoadedTask, view: View) -> TaskProof:
    """The proof of one task from what is stored, with a complaint for everything that fails."""
    assert task.reference is not None
    reference = task.reference
    mutants = tuple(
        DecidedMutant(
            mutant,
            _decided(task, mutant.program, asked(task, mutant), view).decisions,
            task.spec.check(mutant.mistake.check),
        )
        for mutant in reference.mutants
    )
    proof = TaskProof(
        task,
        honest=tuple(
            _decided(task, program, task.spec.checks, view)
            for program in (reference.solution, *reference.variants)
        ),
        starter=_decided(task, task.starter_program(), task.spec.checks, view),
        mutants=mutants,
        ignorant=tuple(_decided_in_order(task, program, view) for program in _ignorant(task)),
        cpu_s=sum(_cpu(task, program, view) for program, _ in _programs(task)),
    )
    return replace(proof, complaints=tuple(_complaints(proof)))


def _complaints(proof: TaskProof) -> Iterator[str]:
    for item in proof.honest:
        for check in proof.task.spec.checks:
            where = f"{item.role} {item.name}: {check.id}"
            problems = _against_honest(check, item.decisions[check.id])
            yield from (f"{where} {problem}" for problem in problems)
    for name, decision in proof.starter.decisions.items():
        if decision.status != "ERROR":
            yield f"the untouched starter is {decision.status} at {name}, not ERROR"
    for item in proof.ignorant:
        yield from _against_ignorant(proof.task, item)
    for mutant in proof.mutants:
        yield from _against_mutant(mutant)


def _against_honest(check: Check, decision: Decision) -> Iterator[str]:
    """What is wrong with a check, judged by its decision on honest work."""
    kind = kinds.of(check)
    if decision.status != "PASS":
        yield f"is {decision.status} {decision.cause} {decision.message}".strip()
    elif kind.has_tolerance and not decision.margin <= HONEST_MARGIN:
        yield f"uses {decision.margin:.2g} of its tolerance, over {HONEST_MARGIN}"
    if kind.objection is not None:
        objection = kind.objection(decision.figures)
        if objection:
            yield objection


def _against_ignorant(task: LoadedTask, item: Decided) -> Iterator[str]:
    """Every point of a program that knows nothing; what could not be decided on it, too."""
    earned = item.points(task.spec.checks)
    for check in task.spec.checks:
        decision = item.decisions[check.id]
        where = f"a program that answers {item.name}"
        if check.id in earned and not check.earned_by_guessing:
            yield (
                f"{where} gets {earned[check.id]:g} of {check.points:g} at {check.id} "
                f"({decision.status}): compare with the reference first, or declare in "
                "`earned_by_guessing` why it may"
            )
        elif decision.status in ("PASS", "UNGRADABLE") and not check.earned_by_guessing:
            yield f"{where} is {decision.status} at {check.id} {decision.message}".rstrip()


def _against_mutant(item: DecidedMutant) -> Iterator[str]:
    """Why a known mistake does not count as caught, or not clearly enough."""
    decision = item.decisions[item.named.id]
    where = f"mistake {item.mutant.mistake.name} at {item.named.id}"
    if not item.caught:
        yield f"{where} is {decision.status} {decision.cause} {decision.message}".strip()
    elif kinds.of(item.named).has_tolerance and not decision.margin >= MUTANT_MARGIN:
        yield f"{where} is off by {decision.margin:.3g} tolerances (at least {MUTANT_MARGIN:g})"


def _programs(task: LoadedTask) -> list[tuple[Program, Sequence[Check]]]:
    """Every program that knows the task, with the checks that are decided on it."""
    if task.reference is None:
        return []
    reference = task.reference
    whole = [reference.solution, *reference.variants, task.starter_program()]
    mutants = [(mutant.program, asked(task, mutant)) for mutant in reference.mutants]
    return [*((program, task.spec.checks) for program in whole), *mutants]


def _ignorant(task: LoadedTask) -> list[Program]:
    """What knows nothing, where any check is decided on it.

    Its training is left out: it is costly, and a program that learns nothing is among the known
    mistakes of every trained task.
    """
    if len(_trained(task)) == len(task.spec.checks):
        return []
    mutants = task.reference.mutants if task.reference else ()
    declared = [mutant.program for mutant in mutants if mutant.mistake.knows_nothing]
    return [*ignorant.programs(task), *declared]


def _trained(task: LoadedTask) -> set[str]:
    return {check.id for check in task.spec.checks if kinds.of(check).trained}


def _answers_in_order(task: LoadedTask, program: Program, view: View) -> dict[str, Answer]:
    """Every check that does not train, ``after`` respected."""
    return score.decide_task(task, _subject(program), view, _trained(task))


def _decided_in_order(task: LoadedTask, program: Program, view: View) -> Decided:
    return Decided(program.name, program.role, _decisions(_answers_in_order(task, program, view)))


def _decided(task: LoadedTask, program: Program, checks: Sequence[Check], view: View) -> Decided:
    """These checks, whatever those that they come after make of the program."""
    subject = _subject(program)
    answers = {check.id: score.decide(task, check, subject, view) for check in checks}
    return Decided(program.name, program.role, _decisions(answers))


def _decisions(answers: Mapping[str, Answer]) -> dict[str, Decision]:
    """The decisions; what is still waiting was not run."""
    not_run = Decision("UNGRADABLE", Cause.NOT_RUN)
    return {
        name: not_run if isinstance(answer, Waiting) else answer for name, answer in answers.items()
    }


def _subject(program: Program) -> Subject:
    return Subject(program, program.name)


def _cpu(task: LoadedTask, program: Program, view: View) -> float:
    stored = view.stored(task, program)
    return sum(float(trial.circumstances.get("cpu_s", 0.0)) for trial in stored)


def _statuses(item: Decided) -> dict[str, str]:
    return {name: decision.status for name, decision in item.decisions.items()}
