"""Rounds: every attack at every level, graded beside an honest submission, with its own bait."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import InfrastructureError
from harness.isolation import Unavailable
from harness.redteam import bait, grader, traces
from harness.redteam.bait import Bait
from harness.redteam.model import AtMost, Attack, Effect, Level
from harness.redteam.outcome import Result, Round, marks, unexpected, worst
from harness.results import Results
from harness.sandbox import choice, processes
from harness.spec.load import LoadedTask

_DEADLINE_S = 300.0
_POLL_S = 0.01


#: Called with every result as it comes.
Progress = Callable[[Result], None]


def canaries(level: Level) -> Mapping[str, str]:
    """What is blocked and what is open at a level, canary by canary.

    Raises:
        Unavailable: this machine does not reach the level.
    """
    record: Mapping[str, Any] = choice.at(level).record
    states: Mapping[str, str] = record["canaries"]
    return states


def play(
    tasks: Sequence[LoadedTask],
    attacks: Sequence[Attack],
    level: Level,
    jobs: int = 1,
    progress: Progress = lambda _: None,
) -> Round:
    """Runs all attacks at one level, and then grades the honest submission once more."""
    try:
        states = canaries(level)
    except Unavailable as error:
        return Round(level, unavailable=str(error))
    with Arena(tasks, level) as arena:
        results = arena.fight(attacks, jobs, progress)
        complaints = tuple(arena.disturbed())
    return Round(level, states, tuple(results), complaints=complaints)


@dataclass
class _Fight:
    """An attack that is running."""

    attack: Attack
    bait: Bait
    grader: grader.Started
    close: contextlib.ExitStack
    began: float


class Arena:
    """Attacks at one level; the reference and the honest submission are observed once for all."""

    def __init__(self, tasks: Sequence[LoadedTask], level: Level) -> None:
        self._tasks = tasks
        self._level = level
        self._scores: dict[str, float | None] = {}

    def __enter__(self) -> Arena:
        grader.adopt_orphans()
        self._known = set(grader.children(os.getpid()))
        self._temporary = tempfile.TemporaryDirectory(prefix="fairmark-arena-")
        self._base = Path(self._temporary.name)
        self._honest = self._base / "submissions" / grader.HONEST
        self._honest.mkdir(parents=True)
        for task in self._tasks:
            if task.reference is None:
                raise InfrastructureError(f"{task.id} has no reference to be honest with")
            variant = task.reference.variants[0]
            (self._honest / task.spec.file).write_bytes(variant.files[task.spec.file])
        self._row = self._grade(self.first_results)
        self._before = traces.rows(self.first_results.ledger)
        return self

    def __exit__(self, *exception: object) -> None:
        self._temporary.cleanup()

    @property
    def first_results(self) -> Results:
        """The results folder of the first grading, before any attack."""
        return Results(self._base / "first")

    @property
    def _last_results(self) -> Results:
        return Results(self._base / "last")

    def _grade(self, results: Results) -> Mapping[str, Any]:
        """The marks of the honest submission, graded in this process into a new ledger."""
        book = grader.grade(self._tasks, self._honest.parent, results, self._level)
        row = next(row for row in book.submissions if row.name == grader.HONEST)
        if row.points != row.max_points:
            raise InfrastructureError(f"at {self._level} honest work does not pass: {row}")
        return marks(book.to_json()["submissions"], {grader.HONEST})

    def disturbed(self) -> Iterator[str]:
        """Whether honest work, run and graded again after all attacks, is marked otherwise."""
        try:
            same = self._grade(self._last_results) == self._row
        except InfrastructureError as error:
            yield f"after the attacks, {error}"
            return
        if not same:
            yield "honest work is graded otherwise after the attacks"
        for place, (digest, *_) in traces.rows(self._last_results.ledger).items():
            trial, _ = place
            if place not in self._before or self._before[place][0] != digest:
                yield f"the observation of trial {trial[:12]} differs after the attacks"

    def fight(self, attacks: Sequence[Attack], jobs: int, progress: Progress) -> list[Result]:
        """Runs the attacks, at most ``jobs`` at once; the results in the order of the attacks."""
        honest = {attack.honest for attack in attacks}
        waiting = sorted(attacks, key=lambda attack: attack.label not in honest)
        running: list[_Fight] = []
        results: dict[str, Result] = {}
        try:
            while waiting or running:
                while waiting and len(running) < jobs and _fits(waiting[0], running):
                    attack = waiting.pop(0)
                    result = self._not_run(attack)
                    if result is None:
                        running.append(self._begin(attack))
                    else:
                        results[attack.label] = result
                        progress(result)
                for fight in list(running):
                    status = self._ended(fight)
                    if status is not None:
                        running.remove(fight)
                        result = self._judge(fight, status)
                        results[fight.attack.label] = result
                        self._scores[fight.attack.label] = result.score
                        progress(result)
                time.sleep(_POLL_S)
        finally:
            for fight in running:  # some are left only if this was interrupted
                fight.close.close()
        return [self._compared(results[attack.label]) for attack in attacks]

    def _not_run(self, attack: Attack) -> Result | None:
        """The result of an attack that is not run, with the reason; None where it is to be run."""
        reason = ""
        if unmet := attack.unmet():
            reason = f"skipped: not {unmet}"
        elif attack.declared.below == "not-run" and not attack.claimed_at(self._level):
            reason = "not claimed"
        return Result(attack, self._level, not_run=reason) if reason else None

    def _begin(self, attack: Attack) -> _Fight:
        with contextlib.ExitStack() as stack:
            laid = stack.enter_context(bait.laid_out())
            _copy(self._honest, laid.folder / "submissions" / grader.HONEST)
            grader.copy_ledger(self.first_results, laid.results)
            started = grader.start(self._tasks, laid, self._level)
            stack.callback(os.close, started.go)
            self._known |= {started.pid, laid.decoy_pid}
            stack.callback(_kill, started.pid)
            attack.make(laid.folder / "submissions", laid.placeholders(started.pid))
            os.write(started.go, b"!")
            return _Fight(attack, laid, started, stack.pop_all(), time.monotonic())

    def _ended(self, fight: _Fight) -> int | None:
        """How the grader ended; None while it runs."""
        pid, status = os.waitpid(fight.grader.pid, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if _stopped(fight.grader.pid) or time.monotonic() - fight.began > _DEADLINE_S:
            os.kill(fight.grader.pid, signal.SIGKILL)
            os.waitpid(fight.grader.pid, 0)
            return -signal.SIGSTOP
        return None

    def _judge(self, fight: _Fight, status: int) -> Result:
        attack, laid = fight.attack, fight.bait
        effects: set[Effect] = set()
        complaints: list[str] = []
        result: dict[str, Any] = {}
        with fight.close:
            if status == 0:
                outcome = grader.outcome(laid)
                document = outcome["document"]
                if outcome["survivors"]:
                    effects.add("survivors")
                    complaints += [f"survivor: {name[:80]}" for name in outcome["survivors"]]
                if marks(document["submissions"], {grader.HONEST}) != self._row:
                    effects.add("honest-grade-changed")
                problems = list(traces.damaged(laid.results, document))
                if problems:
                    effects.add("report-invalid")
                    complaints += problems
                result = worst(document["submissions"])
            else:
                effects.add("grader-hung" if status == -signal.SIGSTOP else "grader-crashed")
                output = grader.output(laid).strip()
                complaints.append(f"grader ended with {status}: {output[-300:]}")
            effects |= self._orphans()
            effects |= set(traces.stored(laid, self._before))
            effects |= set(laid.reached())
            complaints += [f"left: {path}" for path in laid.left()]
        names = tuple(sorted(effects))
        seconds = time.monotonic() - fight.began
        judged = Result(attack, self._level, effects=names, seconds=seconds, **result)
        allowed = set() if attack.claimed_at(self._level) else set(attack.declared.leaks)
        surprises = [f"unexpected: {name}" for name in names if name not in allowed]
        if not surprises:
            complaints = []
        return _with(judged, (*surprises, *complaints, *unexpected(judged)))

    def _orphans(self) -> set[Effect]:
        """Kills what dead graders left; processes of running graders are not our children."""
        left = set(grader.children(os.getpid())) - self._known
        for pid in left:
            _kill(pid)
        return {"survivors"} if left else set()

    def _compared(self, result: Result) -> Result:
        """The result with the score of its honest counterpart, which it must not exceed."""
        honest = self._scores.get(result.attack.honest)
        complaints = list(result.complaints)
        if isinstance(result.attack.declared.expect.score, AtMost) and result.score is not None:
            if honest is None or result.score > honest:
                complaints.append(f"score {result.score:g}, at most {honest} is expected")
        return _with(result, tuple(complaints), honest=honest)


def _fits(attack: Attack, running: Sequence[_Fight]) -> bool:
    """Whether an attack may begin while others run."""
    alone = [attack.declared.alone, *(fight.attack.declared.alone for fight in running)]
    return not running or not any(alone)


def _with(result: Result, complaints: tuple[str, ...], *, honest: float | None = None) -> Result:
    return replace(result, complaints=complaints, honest=honest)


def _copy(source: Path, target: Path) -> None:
    target.mkdir()
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())


def _stopped(pid: int) -> bool:
    process = processes.look(pid)
    return process is not None and process.state in "Tt"


def _kill(pid: int) -> None:
    """Kills a child; one that was reaped already is left alone, since its number may be reused."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == 0:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    except ChildProcessError:
        pass
