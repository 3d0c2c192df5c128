"""Makes stored training runs (:mod:`harness.stored_runs`): adds what is missing, drops what another
version of a program or of the measurement came to.
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

#: Known to all, and no phase's: runs under it can be repeated, and are never those of a mark.
KEY = Key("public", hashlib.sha256(b"fairmark stored runs, format 1").digest())


def advice(task: LoadedTask, check: SeedSuccessCheck, stored_programs: Iterable[StoredRuns]) -> str:
    """Where the threshold of a check would separate honest runs from its mistakes best.

    A threshold that is chosen on these runs makes what they bear out optimistic: the success rate
    must then be certified on others (another ``draw`` gives them).
    """
    from harness.statistics import sequential

    stored = {(item.name, item.role): item.of(check) for item in stored_programs}
    assert task.reference is not None
    honest = [values for (_, role), values in stored.items() if role == "reference"]
    mistakes = [item for item in task.reference.mutants if item.mistake.check == check.id]
    broken = [stored[item.program.name, "mutant"] for item in mistakes]
    try:
        best = sequential.best_threshold(honest[0], broken, better=check.better)
    except (ValueError, IndexError) as error:
        return f"{check.id}: no threshold can be advised: {error}"
    return (
        f"{check.id}: {best.threshold:.4g} separates best (success rates {best.success_rate:.3f} "
        f"and {best.broken_rate:.3f}); the spec says {check.threshold:g}"
    )


def make(
    folders: tuple[Path, Path], file: str, *, honest: int, mistaken: int, jobs: int
) -> Iterator[str]:
    """Makes the runs that are missing and stores them as they come; yields a line a chunk.

    Args:
        folders: tasks/<id> and reference/<id>.
        file: name of the target, as the checks call it.
        honest, mistaken: runs wanted of an honest program and of a known mistake.
        jobs: processes at a time.

    Raises:
        InfrastructureError: a process of ours ended without an answer.
    """
    task = load_task(*folders)
    path = folders[1] / "targets" / file
    stored = {
        (made.name, made.role): made
        for made in (parse(path.read_bytes(), str(path)) if path.is_file() else [])
        if current(task, made)
    }
    todo = []
    for index, program in enumerate(programs(task)):
        wanted = mistaken if program.role == "mutant" else honest
        have = stored.get((program.name, program.role), _none(task, program))
        stored[program.name, program.role] = have
        todo += [(index, replicate) for replicate in range(have.count, wanted)]
    with fresh(jobs) as pool:
        yield from _fill(task, path, stored, pool, folders, sorted(todo, key=_seed_first))


def _seed_first(item: tuple[int, int]) -> tuple[int, int]:
    """All programs advance together, so that an interrupted making is of use."""
    return item[1], item[0]


def _fill(
    task: LoadedTask,
    path: Path,
    stored: dict[tuple[str, str], StoredRuns],
    pool: Executor,
    folders: tuple[Path, Path],
    todo: Sequence[tuple[int, int]],
) -> Iterator[str]:
    listed = programs(task)
    waiting: dict[tuple[str, str], dict[int, dict[str, Any]]] = {name: {} for name in stored}
    futures = [pool.submit(_run, folders, index, replicate) for index, replicate in todo]
    told = time.monotonic()
    for done, future in enumerate(as_completed(futures), start=1):
        index, replicate, record = future.result()
        name = (listed[index].name, listed[index].role)
        waiting[name][replicate] = record
        stored[name] = _extended(stored[name], waiting[name])
        if done == len(futures) or time.monotonic() - told > 20:
            told = time.monotonic()
            _store(task, path, [stored[program.name, program.role] for program in listed])
            yield f"{task.id}: {done} of {len(futures)} runs"


def _extended(stored: StoredRuns, waiting: dict[int, dict[str, Any]]) -> StoredRuns:
    """The runs with those that follow on; others wait for their turn."""
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


def _none(task: LoadedTask, program: Program) -> StoredRuns:
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
    """The task, in a process of the pool: read once, so that all its runs are of one version."""
    return load_task(*folders)


def _run(folders: tuple[Path, Path], index: int, replicate: int) -> tuple[int, int, dict[str, Any]]:
    """One seed of one program, in a process of the pool."""
    import torch

    torch.set_num_threads(1)
    task = _loaded(folders)
    program = programs(task)[index]
    started = time.process_time()
    values, error = {}, ""
    try:
        for measurement in {check.measurement for check in checks(task)}:
            with BareProgram(task, program) as running:
                statistics = running.statistics(measurement, Step(COMMON.stage, replicate), KEY)
            for check in checks(task):
                if check.measurement == measurement:
                    values[check.metric] = finite_or_none(float(statistics[check.id]["value"]))
    except ProgramError as broke:
        error = f"{broke.cause}: {broke.message}"[:200]
    spent = time.process_time() - started
    return index, replicate, {"values": values, "error": error, "cpu_s": spent}


def finite_or_none(value: float) -> float | None:
    """A number as JSON has it; NaN and infinities are None."""
    return value if abs(value) < float("inf") else None
