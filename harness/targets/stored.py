"""Stored targets: what they were made from, and whether that has changed since.

Grading reads ``reference/<id>/targets/*.json``. There are two sorts of targets. The stored runs of
checks of kind seed-success are made by :mod:`harness.targets.training`. The other sort comes from
one long training of the reference by ``reference/<id>/train.py``, which takes ``--seed``,
``--device`` and ``--out DIR``, and writes ``provenance.json`` into DIR; such a target holds the
digest of the train.py that it was made with, or of another file of that folder which it names as
its ``source``.
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

#: A target with fewer training runs is marked provisional: too few to show how runs differ.
PROVISIONAL_BELOW = 10


@dataclass(frozen=True)
class Target:
    """A description of one stored target.

    Attributes:
        source_sha256: the digest of today's train.py, or of the source that the target names, or of
            today's measurement for stored runs.
        stale: whether the target was made with another version of what made it.
        provisional: whether it holds too few runs.
        provenance: how it was made, as its file says.
        seeds: the training seeds in it.
        summary: its figures, as the command ``targets`` prints them.
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
        """The target as a JSON object."""
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
    """The targets of one task, in the order of their file names.

    Args:
        reference: the folder of all references.

    Raises:
        InfrastructureError: a file does not hold a target.
    """
    run_files = {check.target for check in stored_runs.checks(task)}
    for path in sorted((reference / task.id / "targets").glob("*.json")):
        if path.name in run_files:
            yield _of_stored_runs(task, path)
        else:
            yield _of_train_script(reference, task.id, path)


def _of_stored_runs(task: LoadedTask, path: Path) -> Target:
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


def _of_train_script(reference: Path, task: str, path: Path) -> Target:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        source = reference / task / Path(record.get("source", "train.py")).name
        digest = sha256(source.read_bytes()) if source.is_file() else ""
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
    """Whether the task's reference is trained by a train.py of its own."""
    return (reference / task / "train.py").is_file()


def make(reference: Path, task: str, device: str, seed: int, out: Path) -> Path:
    """Trains the reference of one task with one seed; the training's output goes to stderr.

    Args:
        reference: the folder of all references.
        device: the torch device to train on.
        out: the results are written to ``<out>/<task>/seed-<seed>``.

    Returns:
        The folder of the results, with the run's provenance.json. They are to be reviewed before
        they become a target.

    Raises:
        InfrastructureError: the training failed or wrote no provenance.json.
    """
    folder = out / task / f"seed-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(reference / task / "train.py"), "--seed", str(seed)]
    training = subprocess.run(
        [*command, "--device", device, "--out", str(folder)], stdout=sys.stderr, check=False
    )
    exit_code = training.returncode
    if exit_code != 0 or not (folder / "provenance.json").is_file():
        fault = f"ended with {exit_code}" if exit_code else "wrote no provenance.json"
        raise InfrastructureError(
            f"training {task} with seed {seed} {fault}; its output is above, its files in {folder}"
        )
    return folder
