"""What trials take: measured by measurement, kept in a results folder; before that what is usual.

A trial of honest work costs about the same whoever hands it in, so the seconds of former trials say
what the next will take. Only trials that delivered are counted: one that breaks at once, or hangs
until its limit, says nothing of the others.

What is usual stands in ``costs.json`` beside the tasks, as ``grade --keep-costs`` measured it on
some machine. How much slower this one is follows from what both have measured. What neither has is
guessed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness import kinds, stored_runs
from harness.records import SHOW, Observation
from harness.spec.checks import ReturnsCheck, SeedSuccessCheck
from harness.spec.load import LoadedTask

#: The document of a ledger that keeps them.
DOCUMENT = "costs"
#: The file beside the tasks with what is usual: ``task/measurement`` -> seconds of one trial.
FILE = "costs.json"
#: An average follows a change (of a task, of a machine) within about so many trials.
_REMEMBERED = 64
#: Seconds, where nothing was measured: of one trial that trains nothing, the grader's share
#: included; of the start of a sandbox; of a training run; of one whole game.
_TRIAL_S, _START_S, _RUN_S, _GAME_S = 0.12, 2.5, 2.0, 2.5
_START = "start of a sandbox"
#: Seconds of trials that this machine must have measured for half of its pace to be believed.
_HALF_S = 1.0


@dataclass
class Costs:
    """Seconds of one process, by what it does; learns as trials end.

    Attributes:
        known: ``task/measurement``, or the start of a sandbox -> how often it was measured, and the
            average.
        usual: ``task/measurement`` -> seconds on another machine.
    """

    known: dict[str, tuple[int, float]] = field(default_factory=dict)
    usual: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def stored(
        cls, document: Mapping[str, Any] | None, usual: Mapping[str, float] | None = None
    ) -> Costs:
        """What :meth:`document` stored; nothing known where there is none."""
        records = (document or {}).items()
        known = {name: (int(count), float(mean)) for name, (count, mean) in records}
        return cls(known, usual or {})

    def document(self) -> dict[str, Any]:
        """The stored form."""
        return {name: [count, round(mean, 6)] for name, (count, mean) in self.known.items()}

    def learn(self, observation: Observation) -> None:
        """Adds what one trial took."""
        made = observation.circumstances
        if observation.outcome != "ok" or "wall_s" not in made:
            return
        trial, start_s = observation.trial, float(made.get("start_s", 0.0))
        spent = max(0.0, float(made["wall_s"]) - start_s)
        self._add(f"{trial.task}/{trial.measurement}", spent)
        if start_s:
            self._add(_START, start_s)

    def _add(self, name: str, seconds: float) -> None:
        count, mean = self.known.get(name, (0, 0.0))
        weight = 1 / min(count + 1, _REMEMBERED)
        self.known[name] = (count + 1, mean + weight * (seconds - mean))

    def trial_s(self, task: LoadedTask, measurement: str) -> float:
        """Seconds of one trial of honest work."""
        name = f"{task.id}/{measurement}"
        if (known := self.known.get(name)) is not None:
            return known[1]
        usual = self.usual.get(name)
        return self.pace * (_guessed(task, measurement) if usual is None else usual)

    @property
    def pace(self) -> float:
        """How much slower trials are here than is usual; 1 before anything is measured."""
        both = self.known.keys() & self.usual.keys()
        here = math.fsum(self.known[name][1] for name in both)
        usual = math.fsum(self.usual[name] for name in both)
        return (here + _HALF_S) / (usual + _HALF_S)

    @property
    def start_s(self) -> float:
        """Seconds until a sandbox is ready."""
        known = self.known.get(_START)
        return _START_S if known is None else known[1]


def usual(folder: Path) -> dict[str, float]:
    """What is usual for the tasks of a folder; empty where nothing usable says it."""
    try:
        stored = json.loads((folder / FILE).read_text(encoding="utf-8"))
        costs = {str(name): float(seconds) for name, seconds in stored.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
    return {name: seconds for name, seconds in costs.items() if 0 < seconds < math.inf}


def kept(
    before: Mapping[str, float], costs: Costs, tasks: Collection[LoadedTask]
) -> dict[str, float]:
    """What is usual from now on: what these costs have measured, and the rest as it was.

    Args:
        tasks: all tasks there are; what is said of others goes.
    """
    names = {f"{task.id}/{each}" for task in tasks for each in (*task.spec.measurements, SHOW)}
    measured = {name: max(1e-3, round(mean, 3)) for name, (_, mean) in costs.known.items()}
    known = {**before, **measured}
    return {name: known[name] for name in sorted(names & known.keys())}


def text(costs: Mapping[str, float]) -> str:
    """The content of the file."""
    return json.dumps(costs, indent=1) + "\n"


@lru_cache(maxsize=4096)
def _guessed(task: LoadedTask, measurement: str) -> float:
    """Seconds of a trial that was never measured here: those of a stored run where it trains."""
    if measurement == SHOW:  # in a task that trains, pictures are those of one more training
        return max(_guessed(task, each) for each in task.spec.measurements)
    guesses = [_TRIAL_S]
    for check in task.spec.checks_of(measurement):
        if isinstance(check, ReturnsCheck):
            guesses.append(check.episodes * _GAME_S)
        elif isinstance(check, SeedSuccessCheck):
            runs = stored_runs.read(task, check.target)
            stored = next((each for each in runs if each.role == "reference" and each.count), None)
            guesses.append(stored.cpu_s / stored.count if stored else _RUN_S)
        elif kinds.of(check).trained:
            guesses.append(_RUN_S)
    return max(guesses)
