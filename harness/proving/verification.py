"""Proof that a task's checks can pass honest work and can fail: the grader, graded.

Reference and variants must PASS every check, the untouched starter must be an ERROR everywhere,
every known mistake must be caught by the check that it names, and a program that answers every call
with one number must pass nothing. A mistake that merely crashes, or that our own side could not
grade, is not caught.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

from harness.causes import Cause
from harness.contract.constant import constant_program
from harness.grading import Progress, run_batch
from harness.isolation import Isolation
from harness.marking import plan, score
from harness.marking.jobs import PlannedTrial
from harness.marking.score import Decision, Waiting
from harness.marking.trials import Subject, View
from harness.records import Program, finite_or_text
from harness.spec.checks import Check, ReturnsCheck
from harness.spec.load import LoadedTask, Mutant

#: Kinds whose margin is an error in units of the tolerance, and the margins asked of them: an
#: honest error of at most a fifth of the tolerance, a mistake of at least a hundred.
TOLERANCE_KINDS = frozenset({"exact", "identity", "normalisation", "bounds", "moments"})
HONEST_MARGIN, MUTANT_MARGIN = 0.2, 100.0

#: What programs that know nothing answer. Training is left out: it is costly, and what learns
#: nothing is among the known mistakes of every trained task.
CONSTANTS = (0.0, 1.0)
_COSTLY_KINDS = frozenset({"returns", "seed-success"})


@dataclass(frozen=True)
class Checked:
    """One program and what every check said of it."""

    name: str
    role: str
    decisions: dict[str, Decision]


@dataclass(frozen=True)
class Caught:
    """One known mistake: the check that must catch it, and those that do."""

    mutant: Mutant
    decisions: dict[str, Decision]
    named: Check

    @property
    def caught(self) -> bool:
        return _catches(self.named, self.decisions[self.named.id])

    @property
    def caught_by(self) -> list[str]:
        return [name for name, found in self.decisions.items() if found.status == "FAIL"]


@dataclass(frozen=True)
class TaskProof:
    """The whole of one task."""

    task: LoadedTask
    honest: tuple[Checked, ...]
    starter: Checked
    mutants: tuple[Caught, ...]
    constants: tuple[Checked, ...]
    cpu_s: float
    complaints: tuple[str, ...] = field(default=())

    @property
    def honest_margin(self) -> float:
        """The largest honest error, in tolerances."""
        return max(_margins(self.task, self.honest), default=math.nan)

    @property
    def mutant_margin(self) -> float:
        """The smallest error of a mistake at the check it names, in tolerances."""
        found = [
            caught.decisions[caught.named.id].margin
            for caught in self.mutants
            if caught.named.kind in TOLERANCE_KINDS
        ]
        return min(found, default=math.nan)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.task.id,
            "reference": _statuses(self.honest[0]),
            "starter": _statuses(self.starter),
            "constants": [
                {"name": item.name, "status": _statuses(item)} for item in self.constants
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
    """Runs whatever is missing and proves every task."""
    while trials := [planned for task in tasks for planned in _missing(task, view)]:
        batch = plan.group(trials, view, shards=shards)
        run_batch(batch, view.ledger, executor, progress, isolation)
    return [prove(task, view) for task in tasks]


def _missing(task: LoadedTask, view: View) -> Iterator[PlannedTrial]:
    for program in _programs(task):
        for check in task.spec.checks:
            decision = score.decide(task, check, _subject(program), view)
            if isinstance(decision, Waiting):
                yield from decision.trials
    for program in _constants(task):
        for decision in _gated(task, program, view).values():
            if isinstance(decision, Waiting):
                yield from decision.trials


def prove(task: LoadedTask, view: View) -> TaskProof:
    """The proof of one task from what is stored, with a complaint for everything that fails."""
    assert task.reference is not None
    reference = task.reference
    honest = tuple(
        _checked(task, program, view) for program in (reference.solution, *reference.variants)
    )
    starter = _checked(task, task.starter_program(), view)
    mutants = tuple(
        Caught(
            mutant,
            _checked(task, mutant.program, view).decisions,
            task.spec.check(mutant.mistake.check),
        )
        for mutant in reference.mutants
    )
    constants = tuple(
        Checked(program.name, program.role, _decided(_gated(task, program, view)))
        for program in _constants(task)
    )
    cpu_s = sum(_cpu(task, _subject(program), view) for program in _programs(task))
    proof = TaskProof(task, honest, starter, mutants, constants, cpu_s)
    return replace(proof, complaints=tuple(_complaints(proof)))


def _complaints(proof: TaskProof) -> Iterator[str]:
    for item in proof.honest:
        for check in proof.task.spec.checks:
            where = f"{item.role} {item.name}: {check.id}"
            yield from (f"{where} {said}" for said in _unfair(check, item.decisions[check.id]))
    for name, decision in proof.starter.decisions.items():
        if decision.status != "ERROR":
            yield f"the untouched starter is {decision.status} at {name}, not ERROR"
    for item in proof.constants:
        for name, decision in item.decisions.items():
            if decision.status in ("PASS", "UNGRADABLE"):
                where = f"a program that answers {item.name} is {decision.status} at {name}"
                yield f"{where} {decision.message}".rstrip()
    for caught in proof.mutants:
        yield from _missed(caught)


def _unfair(check: Check, decision: Decision) -> Iterator[str]:
    """What of a check is wrong, seen from honest work."""
    if decision.status != "PASS":
        yield f"is {decision.status} {decision.cause} {decision.message}".strip()
    elif check.kind in TOLERANCE_KINDS and not decision.margin <= HONEST_MARGIN:
        yield f"uses {decision.margin:.2g} of its tolerance, over {HONEST_MARGIN}"
    # an honest variance lies far below its limit, an honest mean on its target
    if check.kind == "unbiased" and not decision.figures.get("skew_ok", True):
        yield (
            f"has draws so skewed that its level needs {decision.figures['draws_for_skew']} of "
            "them a look: raise `draws`, or measure something less skewed"
        )


def _missed(caught: Caught) -> Iterator[str]:
    """Why a known mistake does not count as caught."""
    decision = caught.decisions[caught.named.id]
    where = f"mistake {caught.mutant.mistake.name} at {caught.named.id}"
    if not caught.caught:
        yield f"{where} is {decision.status} {decision.cause} {decision.message}".strip()
    elif caught.named.kind in TOLERANCE_KINDS and not decision.margin >= MUTANT_MARGIN:
        yield f"{where} is off by {decision.margin:.3g} tolerances (at least {MUTANT_MARGIN:g})"


def _catches(check: Check, decision: Decision) -> bool:
    if isinstance(check, ReturnsCheck):
        graded = decision.status in ("PASS", "FAIL", "INCONCLUSIVE")
        return graded and decision.credit <= check.mutant_max_credit
    return decision.status == "FAIL"


def _programs(task: LoadedTask) -> list[Program]:
    if task.reference is None:
        return []
    reference = task.reference
    mutants = [mutant.program for mutant in reference.mutants]
    return [reference.solution, *reference.variants, *mutants, task.starter_program()]


def _constants(task: LoadedTask) -> list[Program]:
    """Programs that keep the contract and know nothing, where anything is asked of them."""
    if len(_costly(task)) == len(task.spec.checks):
        return []
    return [
        Program(
            f"{value:g}",
            "constant",
            {task.spec.file: constant_program(task.contract, value).encode()},
        )
        for value in CONSTANTS
    ]


def _costly(task: LoadedTask) -> set[str]:
    return {check.id for check in task.spec.checks if check.kind in _COSTLY_KINDS}


def _gated(task: LoadedTask, program: Program, view: View) -> dict[str, Decision | Waiting]:
    return score.decide_task(task, _subject(program), view, _costly(task))


def _subject(program: Program) -> Subject:
    return Subject(program, program.name)


def _checked(task: LoadedTask, program: Program, view: View) -> Checked:
    subject = _subject(program)
    decisions = {check.id: score.decide(task, check, subject, view) for check in task.spec.checks}
    return Checked(program.name, program.role, _decided(decisions))


def _decided(decisions: Mapping[str, Decision | Waiting]) -> dict[str, Decision]:
    return {
        name: Decision("UNGRADABLE", Cause.NOT_RUN) if isinstance(decision, Waiting) else decision
        for name, decision in decisions.items()
    }


def _cpu(task: LoadedTask, subject: Subject, view: View) -> float:
    return sum(
        float(seen.circumstances.get("cpu_s", 0.0)) for seen in view.stored(task, subject.program)
    )


def _margins(task: LoadedTask, programs: Iterable[Checked]) -> Iterator[float]:
    for item in programs:
        for check in task.spec.checks:
            if check.kind in TOLERANCE_KINDS:
                yield item.decisions[check.id].margin


def _statuses(item: Checked) -> dict[str, str]:
    return {name: decision.status for name, decision in item.decisions.items()}
