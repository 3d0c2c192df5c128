"""What is to be run, as plain picklable records: a trial with its files, and trials by sandbox.

A submission has a sandbox of its own; trusted programs (reference, variants, mutants, starters) may
share one. Everything a job needs travels with it, so it can run on another machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.records import Trial
from harness.seeds import Key
from harness.spec.load import LoadedTask


@dataclass(frozen=True)
class Run:
    """One trial and what it runs on: the task's code and the program's files for it."""

    trial: Trial
    task: LoadedTask
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Job:
    """Trials for one sandbox, in order."""

    label: str
    key: Key
    runs: tuple[Run, ...]


def groups(runs: Sequence[Run]) -> list[tuple[Run, ...]]:
    """The runs that share a worker: those of one task and program at one stage, in their order.

    A measurement that asks for a worker of its own gets one. A group is run as a whole and stored
    as a whole, so that what a stateful program answers depends on nothing but the group.
    """
    found: dict[tuple[Any, ...], list[Run]] = {}
    for index, run in enumerate(runs):
        trial = run.trial
        own = run.task.spec.measurements[trial.measurement].own_worker
        name = (trial.task, trial.role, trial.program, trial.step, trial.subject)
        found.setdefault((*name, index if own else -1), []).append(run)
    return [tuple(group) for group in found.values()]
