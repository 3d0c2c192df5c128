"""Runs changed programs: is a change caught by a check, and if not, does it change any answer?

Changed programs run in forks, each with limits of its own. The first check that one does not pass
ends it. One that passes them all is held against the answers of the unchanged program
(:mod:`.exploring`): where no answer differs it counts as equivalent, which is evidence and no
proof.
"""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

from harness.causes import Cause
from harness.collect.bare import BareProgram
from harness.errors import InfrastructureError, ProgramError
from harness.mutation import forks
from harness.mutation.answers import Episode
from harness.mutation.deciding import BareObservations, catches, decisions, measured_checks
from harness.mutation.exploring import Answers, Explored, answers_of, explore
from harness.mutation.forks import Bounds
from harness.mutation.source import MODULE, Change, Source
from harness.records import Program
from harness.seeds import PUBLIC_KEY
from harness.spec.checks import Check
from harness.spec.load import LoadedTask

#: ``crash``: it raises, hangs or is ended; ``refused``: its answers break the contract;
#: ``untried``: no measurement that does not train executes it; ``ungradable``: our side failed.
Outcome = Literal["caught", "crash", "refused", "equivalent", "survives", "untried", "ungradable"]
_REFUSALS = frozenset(
    {Cause.BAD_OUTPUT, Cause.RESEEDED, Cause.CHANGED_ARGUMENT, Cause.PROTOCOL}
    | {Cause.SIGNATURE, Cause.MISSING_NAME}
)


@dataclass(frozen=True)
class Tried:
    """What became of one change.

    Attributes:
        check: the check that it did not pass; empty where it passed all.
        words: the cause, the fault, or the call whose answer differs.
        checks: the checks that execute what was changed.
        printed: bytes that it wrote to its output.
    """

    change: Change
    outcome: Outcome
    check: str = ""
    words: str = ""
    checks: tuple[str, ...] = ()
    cpu_s: float = 0.0
    printed: int = 0


@dataclass(frozen=True)
class Subject:
    """A program, its text, and what it does unchanged."""

    task: LoadedTask
    program: Program
    source: Source
    explored: Explored

    @property
    def bounds(self) -> Bounds:
        """What a change of it may use."""
        return Bounds(cpu_s=round(1.0 + 5 * min(self.explored.cpu_s, 1.0), 1))

    @cached_property
    def answers(self) -> Answers:
        """What the program answers, found out when it is first asked for."""
        return answers_of(self.task, self.program, self.explored.recorded)

    def checks(self, unit: str) -> list[Check]:
        """The checks that execute a unit, those of the cheapest measurements first."""
        reached, cost = self.explored.reached, self.explored.cost
        measured = [c for c in measured_checks(self.task) if unit in reached[c.measurement]]
        return sorted(measured, key=lambda check: cost[check.measurement])

    def episodes(self, unit: str) -> list[Episode]:
        """Answers of the functions and classes that use a unit."""
        if unit == MODULE:
            return list(self.answers.episodes)
        users = self._users(unit)
        return [each for each in self.answers.episodes if each.target in users]

    def _users(self, unit: str) -> set[str]:
        """The functions and classes that come to a unit, directly or by way of others."""
        reached, waiting = {unit}, [unit]
        while waiting:
            name = waiting.pop()
            users = {user for user, used in self.source.calls.items() if name in used} - reached
            reached |= users
            waiting += users - {MODULE}
        return reached | {name.partition(".")[0] for name in reached}


def subject_of(task: LoadedTask, program: Program, folder: Path) -> Subject:
    """Measures a program, so that this process has imported all that its forks need.

    Args:
        folder: that of the task's reference, for messages.

    Raises:
        SpecError: it is not valid Python.
        InfrastructureError: it cannot be loaded; the proof of the task says why.
    """
    source = Source(task, program, folder)
    try:
        explored = explore(task, program, source)
    except ProgramError as error:
        raise InfrastructureError(f"{task.id}: {program.name} {error.message}") from error
    gc.collect()
    gc.freeze()  # pages that the collector does not write to stay shared with the forks
    return Subject(task, program, source, explored)


@contextmanager
def own_folder() -> Iterator[None]:
    """Puts temporary files of forks into one folder, which is removed even where a fork is not."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="fairmark-mutation-") as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before


def try_all(subject: Subject, changes: Sequence[Change]) -> list[Tried]:
    """Every change, in forks: first at the checks, then those that pass at the answers."""
    checks = {unit: subject.checks(unit) for unit in {change.unit for change in changes}}
    runnable = [change for change in changes if checks[change.unit]]
    with own_folder():
        judged = [partial(_judged, subject, item, checks[item.unit]) for item in runnable]
        results = _in_forks(subject, runnable, judged, checks)
        passing = [item.change for item in results.values() if item.outcome == "survives"]
        if passing:
            compared = [partial(_compared, subject, item) for item in passing]
            _ = subject.answers  # before forking, so that it is done once
            for name, item in _in_forks(subject, passing, compared, checks).items():
                fate: Outcome = "survives" if item.outcome == "crash" else item.outcome
                results[name] = replace(item, outcome=fate, cpu_s=item.cpu_s + results[name].cpu_s)
    nothing = "no measurement that does not train executes it"
    return [results.get(item.name, Tried(item, "untried", words=nothing)) for item in changes]


def _in_forks(
    subject: Subject,
    changes: Sequence[Change],
    functions: Sequence[forks.Function],
    checks: Mapping[str, Sequence[Check]],
) -> dict[str, Tried]:
    """Name of each change -> what became of it; a call that does not return is a crash."""
    results: dict[str, Tried] = {}
    ends = forks.call_each(functions, subject.bounds)
    for change, ended in zip(changes, ends, strict=True):
        tried = Tried(change, "crash", words=ended.fault) if ended.fault else ended.value
        names = tuple(sorted(check.id for check in checks[change.unit]))
        results[change.name] = replace(
            tried, change=change, checks=names, cpu_s=ended.cpu_s, printed=ended.printed
        )
    return results


def _judged(subject: Subject, change: Change, checks: Sequence[Check]) -> Tried:
    """The first check that a change does not pass; it survives where it passes all."""
    task, program = subject.task, change.program
    with BareObservations(task, PUBLIC_KEY, subject.explored.observations) as seen:
        try:
            seen.running(program)
        except ProgramError as error:
            return Tried(change, "crash", words=f"{error.cause}: {error.message}")
        for check, decision in decisions(task, program, checks, seen):
            if catches(check, decision):
                return Tried(change, "caught", check.id, str(decision.cause))
            if decision.status == "ERROR":
                outcome: Outcome = "refused" if decision.cause in _REFUSALS else "crash"
                words = f"{decision.cause}: {decision.message}"
                return Tried(change, outcome, check.id, words)
            if decision.status == "UNGRADABLE":
                return Tried(change, "ungradable", check.id, decision.message)
    return Tried(change, "survives")


def _compared(subject: Subject, change: Change) -> Tried:
    """Whether a change that passes every check alters an answer."""
    with BareProgram(subject.task, change.program) as running:
        words = difference(running, subject.episodes(change.unit))
    return Tried(change, "equivalent" if words is None else "survives", words=words or "")


def difference(running: BareProgram, episodes: Sequence[Episode]) -> str | None:
    """The first call whose answer differs from the one that is known; None where none does."""
    for episode in episodes:
        if episode.fresh:
            running.channel.renew()
        for exchange in episode.exchanges:
            try:
                frame = running.channel.request(exchange.message, exchange.arrays)
            except ProgramError as error:
                if exchange.error:
                    break
                return f"{exchange} raises: {error.message}"
            if exchange.error or exchange.differs(frame.arrays):
                return f"{exchange} differs"
    return None
