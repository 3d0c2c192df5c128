"""What is to be run, as plain picklable records: planned trials, and the jobs they are run in.

A submission has a sandbox of its own; trusted programs (reference, variants, mutants, starters) may
share one. Everything that a job needs travels with it, so it can run on another machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.records import SHOW, Trial
from harness.seeds import Key
from harness.spec.load import LoadedTask


@dataclass(frozen=True)
class PlannedTrial:
    """A trial and what it runs on: the task's code, and the program's files for the task."""

    trial: Trial
    task: LoadedTask
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Job:
    """Trials for one sandbox, in order.

    Attributes:
        label: whose they are, for people.
        key: the key that their seeds are derived from.
    """

    label: str
    key: Key
    trials: tuple[PlannedTrial, ...]


def groups(trials: Sequence[PlannedTrial]) -> list[tuple[PlannedTrial, ...]]:
    """The trials that share a worker: those of one task and program at one step, in their order.

    A measurement that declares ``own_worker`` gets one for itself, and so do pictures. A group is
    run and stored as a whole, so that the answers of a program that keeps state depend on nothing
    but the group.
    """
    grouped: dict[tuple[Any, ...], list[PlannedTrial]] = {}
    for index, planned in enumerate(trials):
        trial = planned.trial
        own_worker = _has_own_worker(planned)
        group = (trial.task, trial.role, trial.program, trial.step, trial.subject)
        grouped.setdefault((*group, index if own_worker else -1), []).append(planned)
    return [tuple(group) for group in grouped.values()]


def _has_own_worker(planned: PlannedTrial) -> bool:
    measurement = planned.trial.measurement
    return measurement == SHOW or planned.task.spec.measurements[measurement].own_worker
