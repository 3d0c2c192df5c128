"""Makes stored learning curves of a reference (:class:`harness.stored_runs.StoredCurves`).

They are those of the first seeds of its stored runs, so each training must come to the number that
stands there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import stored_runs
from harness.collect.bare import BareProgram
from harness.collect.pool import fresh
from harness.files import write_text
from harness.kinds import training_curve
from harness.machine import environment, machine_class
from harness.records import COMMON, Array, Step, sha256
from harness.spec.checks import SeedSuccessCheck
from harness.spec.load import LoadedTask, load_task
from harness.targets.training import KEY

SOURCE = "solution.py"


def make(folders: tuple[Path, Path], count: int, jobs: int) -> Iterator[Path]:
    """Trains the reference with the first seeds; yields the file, where a check declares `solved`.

    Args:
        folders: tasks/<id> and reference/<id>.
        count: the number of seeds.
        jobs: the number of processes at a time.

    Raises:
        SpecError: the task or its reference is not valid.
        ProgramError: the reference did not deliver.
    """
    task = load_task(*folders)
    for check in stored_runs.checks(task):
        if check.solved is None:
            continue
        with fresh(jobs) as pool:
            seeds = list(pool.map(_trained, [folders] * count, [check.id] * count, range(count)))
        path = folders[1] / "targets" / stored_runs.CURVES
        yield write_text(path, _text(task, check, (folders[1] / SOURCE).read_bytes(), seeds))


def _trained(folders: tuple[Path, Path], check_id: str, replicate: int) -> dict[str, Array]:
    """The statistics of one training, in a process of the pool."""
    import torch

    torch.set_num_threads(1)
    task = load_task(*folders)
    assert task.reference is not None
    with BareProgram(task, task.reference.solution) as running:
        measurement = task.spec.check(check_id).measurement
        return running.statistics(measurement, Step(COMMON.stage, replicate), KEY)[check_id]


def _text(
    task: LoadedTask, check: SeedSuccessCheck, source: bytes, seeds: list[dict[str, Array]]
) -> str:
    """The file: JSON, with a line for each run."""
    shown = training_curve.figures(seeds)
    made_by = {"source_sha256": sha256(source), "protocol": stored_runs.protocol(task)}
    runs = [
        {"seed": seed, **made_by, "value": float(each["value"]), "first_solved": first, "curve": c}
        for seed, (each, first, c) in enumerate(
            zip(seeds, shown["first_solved"], shown["curves"], strict=True)
        )
    ]
    assert check.solved is not None
    head: dict[str, Any] = {
        "format": stored_runs.FORMAT,
        "task": task.id,
        "check": check.id,
        "source": SOURCE,
        "solved": check.solved.model_dump(),
        "budget": shown["budget"],
        "summary": {
            "runs": len(runs),
            "solved": sum(run["first_solved"] is not None for run in runs),
        },
        "environment": json.loads(environment()),
        "machine": machine_class(),
    }
    lines = ",\n".join(f"  {json.dumps(run)}" for run in runs)
    return f'{json.dumps(head, indent=1)[:-2]},\n "runs": [\n{lines}\n ]\n}}\n'
