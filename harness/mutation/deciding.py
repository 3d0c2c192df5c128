"""Decisions on trusted programs from observations that are made when they are asked for.

What decides is :mod:`harness.marking.score`, as for submissions. Measurements run in this process,
without a sandbox; no mark ever comes of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from harness import kinds
from harness.causes import Cause
from harness.collect.bare import BareProgram
from harness.errors import ProgramError
from harness.marking import score
from harness.marking.score import Decision, Waiting
from harness.marking.subjects import Subject
from harness.records import Observation, Program, Step, Trial
from harness.seeds import Key
from harness.spec.checks import Check, CheckBase
from harness.spec.load import LoadedTask

#: What identifies an observation here: the role of the program, the measurement, the step, and the
#: subject whose seeds are meant.
Asked = tuple[str, str, Step, str]


def measured_checks(task: LoadedTask) -> list[Check]:
    """The checks whose measurement does not train, in the order of the spec."""
    trained = {check.measurement for check in task.spec.checks if kinds.of(check).trained}
    return [check for check in task.spec.checks if check.measurement not in trained]


class BareObservations:
    """What programs of one task do, each measured at most once.

    A context manager: the programs are loaded when they are needed, and their files are removed at
    the end of the block.

    Args:
        key: what all seeds are derived from.
        known: observations that were made before, of the same programs under the same key.

    Attributes:
        known: the same, with those that were made here.
    """

    def __init__(
        self, task: LoadedTask, key: Key, known: Mapping[Asked, Observation] | None = None
    ) -> None:
        self._task = task
        self._key = key
        self._running: dict[str, BareProgram] = {}
        self._opened = ExitStack()
        self.known: dict[Asked, Observation] = dict(known or {})

    def __enter__(self) -> BareObservations:
        return self

    def __exit__(self, *exception: object) -> None:
        self._opened.close()

    def under(self, key: Key, known: Mapping[Asked, Observation] | None = None) -> BareObservations:
        """Observations of the same loaded programs under another key; to be used within the block.

        Args:
            known: observations that were made before under that key.
        """
        other = BareObservations(self._task, key, known)
        other._running, other._opened = self._running, self._opened
        return other

    def running(self, program: Program) -> BareProgram:
        """The loaded program; the same one for every call with a program of its role.

        Raises:
            ProgramError: it cannot be loaded.
        """
        if program.role not in self._running:
            opened = self._opened.enter_context(BareProgram(self._task, program))
            self._running[program.role] = opened
        return self._running[program.role]

    def observe(
        self, task: LoadedTask, program: Program, measurement: str, step: Step, owner: str = ""
    ) -> Observation:
        """The observation of a trial."""
        asked = (program.role, measurement, step, step.subject(owner))
        if asked not in self.known:
            self.known[asked] = self._made(task, program, *asked[1:])
        return self.known[asked]

    def digests(self, trial: str) -> Sequence[str]:
        """Nothing: no trial is repeated."""
        del trial
        return ()

    def read_ahead(self, *_: object) -> None:
        """Nothing: observations are made one by one."""

    def wanted(self, task: LoadedTask, check: CheckBase, reference: Observation) -> Any:
        """What a check compares every program with."""
        del task
        return kinds.wanted(check, reference.statistics.get(check.id, {}))

    def _made(
        self, task: LoadedTask, program: Program, measurement: str, step: Step, subject: str
    ) -> Observation:
        trial = Trial(
            task.id, measurement, program.name, program.role, step.stage, step.replicate, subject,
            digest="",
        )  # fmt: skip
        try:
            statistics = self.running(program).statistics(
                measurement, step, self._key, subject=subject
            )
        except ProgramError as error:
            return Observation(
                trial, "error", cause=error.cause, message=error.message, message_is_public=True
            )
        except Exception as error:  # of measure.py, as in harness.collect.job
            text = f"{measurement}: {type(error).__name__}: {error}"
            return Observation(trial, "infrastructure", cause=Cause.HARNESS_ERROR, message=text)
        return Observation(trial, "ok", statistics)


def decisions(
    task: LoadedTask, program: Program, checks: Sequence[Check], seen: BareObservations
) -> Iterator[tuple[Check, Decision]]:
    """The checks in their order, each decided whatever those that it comes after make of it."""
    subject = Subject(program, program.name)
    for check in checks:
        answer = score.decide(task, check, subject, seen)
        assert not isinstance(answer, Waiting)  # every trial is observed when it is asked for
        yield check, answer


def catches(check: Check, decision: Decision) -> bool:
    """Whether a decision catches a mistake: it fails, or earns no more than the check allows."""
    if check.mistake_credit is None:
        return decision.status == "FAIL"
    graded = decision.status in ("PASS", "FAIL", "INCONCLUSIVE")
    return graded and decision.credit <= check.mistake_credit
