"""Stored reference distributions: what they were made from, and whether that has changed since.

Runs of a task judged seed by seed are made by :mod:`harness.targets.training`. A task whose
reference is trained once, at length, has ``reference/<id>/train.py``, which takes ``--seed``,
``--device`` and ``--out DIR`` and leaves ``provenance.json`` there. What grading reads lies in
``reference/<id>/targets/*.json``; each names the digest of the train.py that it came from.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import stored_runs
from harness.errors import InfrastructureError
from harness.records import sha256
from harness.spec.load import LoadedTask

#: Fewer stored runs than this and a target says so: it cannot give a spread between runs.
PROVISIONAL_BELOW = 10


@dataclass(frozen=True)
class Target:
    """One stored distribution.

    Attributes:
        stale: whether train.py is not the one that the target was made with.
        seeds: the training seeds that are in it.
    """

    task: str
    file: str
    source_sha256: str
    stale: bool
    provisional: bool
    provenance: Mapping[str, Any]
    seeds: tuple[int, ...]
    summary: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "task": self.task,
            "file": self.file,
            "source_sha256": self.source_sha256,
            "stale": self.stale,
            "provisional": self.provisional,
            "provenance": dict(self.provenance),
            "seeds": list(self.seeds),
            "summary": dict(self.summary),
        }


def stored(reference: Path, task: LoadedTask) -> Iterator[Target]:
    """The targets of one task.

    Raises:
        InfrastructureError: a target file cannot be read.
    """
    by_seed = {check.target for check in stored_runs.checks(task)}
    for path in sorted((reference / task.id / "targets").glob("*.json")):
        yield _runs(task, path) if path.name in by_seed else _trained(reference, task.id, path)


def _runs(task: LoadedTask, path: Path) -> Target:
    programs = stored_runs.parse(path.read_bytes(), str(path))
    counts = {f"{item.role} {item.name}": item.count for item in programs}
    honest = [item.count for item in programs if item.role in ("reference", "variant")]
    return Target(
        task.id,
        path.name,
        stored_runs.protocol(task),
        not all(stored_runs.current(task, item) for item in programs),
        min(honest, default=0) < stored_runs.LEAST_RUNS,
        {"cpu_s": {f"{item.role} {item.name}": item.cpu_s for item in programs}},
        tuple(range(min(honest, default=0))),
        counts,
    )


def _trained(reference: Path, task: str, path: Path) -> Target:
    source = reference / task / "train.py"
    digest = sha256(source.read_bytes()) if source.is_file() else ""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        runs = record.get("runs", [])
        made_from = {run["source_sha256"] for run in runs}
        return Target(
            task,
            path.name,
            digest,
            made_from not in ({digest}, set()),
            len(runs) < PROVISIONAL_BELOW,
            runs[0].get("provenance", {}) if runs else {},
            tuple(run["seed"] for run in runs),
            record.get("summary", {}),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InfrastructureError(f"{path}: not a target: {error!r}") from error


def trainable(reference: Path, task: str) -> bool:
    """Whether the task's reference is made by training."""
    return (reference / task / "train.py").is_file()


def make(reference: Path, task: str, device: str, seed: int, out: Path) -> Path:
    """Trains the reference of one task with one seed; its output goes to stderr as it comes.

    Returns:
        The folder with the run's provenance.json, to be reviewed before it is stored.

    Raises:
        InfrastructureError: the training failed.
    """
    folder = out / task / f"seed-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(reference / task / "train.py"), "--seed", str(seed)]
    done = subprocess.run(
        [*command, "--device", device, "--out", str(folder)], stdout=sys.stderr, check=False
    )
    if done.returncode != 0 or not (folder / "provenance.json").is_file():
        raise InfrastructureError(f"training {task} with seed {seed} ended with {done.returncode}")
    return folder
