"""Makes stored training runs (:mod:`harness.stored_runs`).

Missing runs are added; runs by another version of a program or of the measurement are dropped.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

from harness.collect.bare import BareProgram
from harness.collect.pool import fresh
from harness.errors import ProgramError
from harness.files import write_text
from harness.machine import environment, machine_class
from harness.records import COMMON, Program, Step
from harness.seeds import Key
from harness.spec.checks import SeedSuccessCheck
from harness.spec.load import LoadedTask, load_task
from harness.stored_runs import FORMAT, StoredRuns, checks, current, parse, programs, protocol

#: The key of the seeds. It is public, so that anyone can repeat the runs, and the key of no phase,
#: so that no mark comes from the same seeds.
KEY = Key("public", hashlib.sha256(b"fairmark stored runs, format 1").digest())


#: Seconds between two times that new runs are stored.
_STORE_EVERY_S = 20


def advice(task: LoadedTask, check: SeedSuccessCheck, stored_programs: Iterable[StoredRuns]) -> str:
    """One sentence: which threshold would best separate a check's reference from its mutants.

    On the runs that a threshold was chosen on, success rates come out too high. After choosing
    one, make new runs (with another ``draw`` in task.yaml) to confirm the success rate.

    Args:
        check: a check of the task, which must be loaded with its reference.
        stored_programs: the stored runs of the reference and of the check's mutants.
    """
    from harness.statistics import sequential

    stored = {(item.name, item.role): item.of(check) for item in stored_programs}
    assert task.reference is not None
    references = [values for (_, role), values in stored.items() if role == "reference"]
    mutants = [item.program for item in task.reference.mutants if item.mistake.check == check.id]
    mutant_values = [stored[mutant.name, "mutant"] for mutant in mutants]
    try:
        best = sequential.best_threshold(references[0], mutant_values, better=check.better)
    except (ValueError, IndexError) as error:
        return f"{check.id}: no threshold can be advised: {error}"
    return (
        f"{check.id}: {best.threshold:.4g} separates best (success rates {best.success_rate:.3f} "
        f"and {best.broken_rate:.3f}); the spec says {check.threshold:g}"
    )


def make(
    folders: tuple[Path, Path], file: str, *, honest: int, mistaken: int, jobs: int
) -> Iterator[str]:
    """Makes the missing runs and stores them every 20 seconds; yields a line for every time.

    Args:
        folders: tasks/<id> and reference/<id>.
        file: the file name of the target, as the checks of the task name it.
        honest: the number of runs that the reference and each variant shall have.
        mistaken: the number of runs that each mutant shall have.
        jobs: the number of processes at a time.

    Raises:
        SpecError: the task or its reference is not valid.
        InfrastructureError: the file does not hold stored runs, or a process of ours ended without
            an answer.
    """
    task = load_task(*folders)
    path = folders[1] / "targets" / file
    stored = {
        (runs.name, runs.role): runs
        for runs in (parse(path.read_bytes(), str(path)) if path.is_file() else [])
        if current(task, runs)
    }
    todo = []
    for index, program in enumerate(programs(task)):
        required = mistaken if program.role == "mutant" else honest
        runs = stored.get((program.name, program.role), no_runs(task, program))
        stored[program.name, program.role] = runs
        todo += [(index, replicate) for replicate in range(runs.count, required)]
    with fresh(jobs) as pool:
        yield from _fill(task, path, stored, pool, folders, sorted(todo, key=_seed_first))


def _seed_first(item: tuple[int, int]) -> tuple[int, int]:
    """Sorts pairs of a program's index and a replicate by replicate, then by program.

    So all programs have about the same number of runs if the command is interrupted.
    """
    return item[1], item[0]


def _fill(
    task: LoadedTask,
    path: Path,
    stored: dict[tuple[str, str], StoredRuns],
    pool: Executor,
    folders: tuple[Path, Path],
    todo: Sequence[tuple[int, int]],
) -> Iterator[str]:
    """Makes the runs of ``todo``, pairs of a program's index and a replicate, and stores them.

    ``stored`` holds the runs so far, by a program's name and role, and is updated.
    """
    listed = programs(task)
    waiting: dict[tuple[str, str], dict[int, dict[str, Any]]] = {name: {} for name in stored}
    futures = [pool.submit(_train, folders, index, replicate) for index, replicate in todo]
    stored_at = time.monotonic()
    for done, future in enumerate(as_completed(futures), start=1):
        index, replicate, record = future.result()
        name = (listed[index].name, listed[index].role)
        waiting[name][replicate] = record
        stored[name] = extended(stored[name], waiting[name])
        if done == len(futures) or time.monotonic() - stored_at > _STORE_EVERY_S:
            stored_at = time.monotonic()
            _store(task, path, [stored[program.name, program.role] for program in listed])
            yield f"{task.id}: {done} of {len(futures)} runs"


def extended(stored: StoredRuns, waiting: dict[int, dict[str, Any]]) -> StoredRuns:
    """The runs with those appended whose seeds follow without a gap; they leave ``waiting``.

    Runs are stored in the order of their seeds, but may end in another.
    """
    values = {name: list(numbers) for name, numbers in stored.values.items()}
    errors, cpu_s, count = dict(stored.errors), stored.cpu_s, stored.count
    while count in waiting:
        record = waiting.pop(count)
        for name, numbers in values.items():
            numbers.append(record["values"].get(name))
        if record["error"]:
            errors[str(count)] = record["error"]
        cpu_s += record["cpu_s"]
        count += 1
    return StoredRuns(
        stored.name, stored.role, stored.sha256, stored.protocol, values, errors, cpu_s
    )


def no_runs(task: LoadedTask, program: Program) -> StoredRuns:
    """The runs of a program of which there are none yet."""
    values: dict[str, list[float | None]] = {check.metric: [] for check in checks(task)}
    return StoredRuns(program.name, program.role, program.sha256, protocol(task), values, {}, 0.0)


def _store(task: LoadedTask, path: Path, stored_programs: Iterable[StoredRuns]) -> None:
    record = {
        "format": FORMAT,
        "task": task.id,
        "environment": json.loads(environment()),
        "machine": machine_class(),
        "programs": [item.to_json() for item in stored_programs],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(record, indent=1, allow_nan=False) + "\n")


@cache
def _loaded(folders: tuple[Path, Path]) -> LoadedTask:
    """The task in a process of the pool, read once so that all runs there are of one version."""
    return load_task(*folders)


def _train(
    folders: tuple[Path, Path], index: int, replicate: int
) -> tuple[int, int, dict[str, Any]]:
    """Trains one program with one seed, in a process of the pool.

    Returns ``index``, ``replicate`` and the record of the run (:func:`trained`).
    """
    task = _loaded(folders)
    return index, replicate, trained(task, programs(task)[index], replicate)


def trained(task: LoadedTask, program: Program, replicate: int) -> dict[str, Any]:
    """Trains a trusted program with one seed, in this process and on one thread.

    Returns:
        ``values``, the number of each metric; ``error``, empty if there was none; ``cpu_s``.
    """
    import torch

    torch.set_num_threads(1)
    started = time.process_time()
    values, error = {}, ""
    try:
        for measurement in {check.measurement for check in checks(task)}:
            with BareProgram(task, program) as running:
                statistics = running.statistics(measurement, Step(COMMON.stage, replicate), KEY)
            for check in checks(task):
                if check.measurement == measurement:
                    values[check.metric] = finite_or_none(float(statistics[check.id]["value"]))
    except ProgramError as failure:
        error = f"{failure.cause}: {failure.message}"[:200]
    cpu_s = time.process_time() - started
    return {"values": values, "error": error, "cpu_s": cpu_s}


def finite_or_none(value: float) -> float | None:
    """The number, or None for NaN and infinities, which JSON does not have."""
    return value if abs(value) < float("inf") else None
