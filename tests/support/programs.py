"""The tasks of the repository, programs made from their files, and gradings in this process."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from harness import kinds
from harness.collect.bare import BareProgram
from harness.records import COMMON, Program, Step
from harness.seeds import PUBLIC_KEY
from harness.spec.load import LoadedTask, load_task

ROOT = Path(__file__).parents[2]
#: The ids of all tasks: whatever has a spec.
TASKS = sorted(path.parent.name for path in ROOT.glob("tasks/*/task.yaml"))


@cache
def load(name: str) -> LoadedTask:
    """A task of the repository with its reference, read once."""
    return load_task(ROOT / "tasks" / name, ROOT / "reference" / name)


@cache
def load_module(path: Path) -> ModuleType:
    """A file of the checkout as a module, under a name of its own; executed once.

    Tests that replace something in it do so through ``monkeypatch``, which puts it back.
    """
    name = "_".join(path.relative_to(ROOT).with_suffix("").parts).replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sample(folder: str, task: LoadedTask) -> Program:
    """What ``submissions/<folder>`` holds for a task, as a program."""
    place = ROOT / "submissions" / folder
    files = {name: (place / name).read_bytes() for name in task.spec.wanted_files}
    return Program(folder, "submission", files)


def honest_programs(task: LoadedTask) -> list[Program]:
    """Everything that has to pass a task: solution, variants, complete sample."""
    return [task.reference.solution, *task.reference.variants, sample("complete", task)]


def variants_are_slow(honest: Sequence[Any]) -> list[Any]:
    """Parameters for tests that train every honest program, first the solution, last the sample.

    The default suite trains these two; the variants between them are marked slow.
    """
    first, *variants, last = honest
    return [first, *(pytest.param(item, marks=pytest.mark.slow) for item in variants), last]


def submission(task: LoadedTask, source: str, name: str = "made") -> Program:
    """A submission whose module is ``source``; other files of the task are the reference's."""
    files = {item: task.reference.solution.files[item] for item in task.spec.wanted_files}
    return Program(name, "submission", {**files, task.spec.file: source.encode()})


def edited(task: LoadedTask, old: str, new: str) -> Program:
    """The solution with its only occurrence of ``old`` replaced."""
    source = task.reference.solution.files[task.spec.file].decode()
    assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in the solution"
    return submission(task, source.replace(old, new), "edited")


def mutant_module(task: LoadedTask, mistake: str) -> ModuleType:
    """The module of the program that makes a known mistake; it may not import given.py."""
    (mutant,) = (each for each in task.reference.mutants if each.mistake.name == mistake)
    module = ModuleType(f"{task.id} {mistake}")
    exec(mutant.program.files[task.spec.file], vars(module))
    return module


def outcomes(
    task: LoadedTask, program: Program, checks: Sequence[Any] = (), step: Step = COMMON
) -> Iterator[tuple[str, kinds.Outcome]]:
    """Check by check (all, or those given) its id and its outcome at one step, ungated.

    Raises:
        ProgramError: the program did not deliver.
    """
    with BareProgram(task, program) as own, BareProgram(task, task.reference.solution) as target:
        for check in checks or task.spec.checks:
            evidence = [
                kinds.reduce(check, item.metrics(check.measurement, step, PUBLIC_KEY))
                if item is own or check.needs_reference
                else None
                for item in (own, target)
            ]
            yield check.id, kinds.decide(check, [kinds.Evidence(*evidence)])


def one_seed(task: LoadedTask, program: Program, seed: int = 0) -> dict[str, float]:
    """The numbers of one seed of the measurement ``learn``, under the public key; no arrays.

    Raises:
        ProgramError: the program did not deliver.
    """
    with BareProgram(task, program) as running:
        found = running.metrics("learn", Step(COMMON.stage, seed), PUBLIC_KEY)
    return {name: float(value) for name, value in found.items() if np.ndim(value) == 0}


def first_looks(
    task: LoadedTask, running: BareProgram, measurement: str, replicates: int
) -> Iterator[tuple[str, kinds.Outcome]]:
    """What the first look of stage 1 says of every check of draws, replicate after replicate.

    Raises:
        ProgramError: the program did not deliver.
    """
    for replicate in range(replicates):
        metrics = running.metrics(measurement, Step(1, replicate), PUBLIC_KEY)
        for check in task.spec.checks_of(measurement):
            evidence = kinds.Evidence(kinds.reduce(check, metrics), None)
            yield check.id, kinds.decide(check, [evidence])
