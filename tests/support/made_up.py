"""A results folder whose observations are made up: a graded class without a sandbox.

The course is tests/course, the tasks are `square` (exact; its check `sum` is hidden) and `noise`
(draws).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from harness import class_documents
from harness.class_record import ClassRecord, RecordName
from harness.cli import main
from harness.collect.job import reduce, stored
from harness.ledger import Ledger
from harness.marking import plan
from harness.marking.jobs import PlannedTrial
from harness.marking.round import Round
from harness.marking.subjects import Subject
from harness.marking.views import View
from harness.records import Observation, Program
from harness.seeds import Key
from harness.spec.catalogue import load_all

COURSE = Path(__file__).parents[1] / "course"
PLACES = ("--tasks", str(COURSE / "tasks"), "--reference", str(COURSE / "reference"))
TASKS = {task.id: task for task in load_all(COURSE / "tasks", COURSE / "reference")}
KEY = Key("feedback", bytes(32))
EVERY_CHECK = ("value", "slope", "sum", "mean", "numpy-mean")
#: What a program says of an instance that is marked, and of the public example.
SECRET, PUBLIC = "ValueError: 0.123456789", "ValueError: of the public example"


@dataclass(frozen=True)
class Handed:
    """What a made-up submission does.

    Attributes:
        right: the checks that it passes; others are wrong.
        breaks: an error that ends every trial, as cause and message.
        loading: whether that happens while its file is loaded.
        ours: whether our side fails instead.
        files: what was handed in; its name makes the content.
    """

    right: tuple[str, ...] = EVERY_CHECK
    breaks: tuple[str, str] = ("", "")
    loading: bool = False
    ours: bool = False
    files: tuple[str, ...] = ("square.py",)
    problems: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def results(
    root: Path,
    handed: Mapping[str, Handed],
    tasks: tuple[str, ...] = ("square",),
    assignment: str = "",
) -> Path:
    """Makes the folder, with a record of the class; returns it."""
    (root / "keys").mkdir(parents=True)
    (root / "keys" / "feedback.key").write_text(KEY.secret.hex() + "\n")
    subjects = [_subject(name, each) for name, each in handed.items()]
    with Ledger(root / "ledger.sqlite", "run") as ledger:
        view = View(KEY, ledger)
        class_documents.keep_files(subjects, ledger)
        current = Round.first([TASKS[name] for name in tasks], subjects, view)
        asked: set[str] = set()
        while batch := plan.next_batch(current):
            for planned in (each for job in batch for each in job.trials):
                asked.add(planned.trial.digest)
                ledger.put(_observed(planned, handed.get(planned.trial.program, Handed())))
            current = current.next()
        name = RecordName(assignment, "feedback", KEY.commitment)
        class_documents.write(ClassRecord(name).updated(current), ledger, list(handed))
    return root


def _subject(name: str, handed: Handed) -> Subject:
    files = {file: f"# {name}\n".encode() for file in handed.files}
    return Subject(Program(name, "submission", files), name, problems=handed.problems)


def _observed(planned: PlannedTrial, handed: Handed) -> Observation:
    trial, task = planned.trial, planned.task
    made = {"isolation": "L3", "cpu_s": 0.25, "wall_s": 0.5, "start_s": 0.125}
    is_submission = trial.role == "submission"
    if is_submission and handed.ours:
        return Observation(
            trial, "infrastructure", cause="harness-error", message="no disk", circumstances=made
        )
    cause, message = handed.breaks
    if is_submission and cause:
        public = handed.loading or trial.stage == 0
        return Observation(
            trial, "error", cause=cause, message_is_public=public, circumstances=made,
            message=PUBLIC if trial.stage == 0 else message,
        )  # fmt: skip
    right = handed.right if is_submission else EVERY_CHECK
    metrics = _metrics(planned, right)
    statistics = stored(task, trial, reduce(task, trial.measurement, metrics))
    return Observation(trial, "ok", statistics, circumstances=made)


def _metrics(planned: PlannedTrial, right: tuple[str, ...]) -> dict[str, Any]:
    rng = np.random.default_rng(planned.trial.replicate)
    names = {"values": ("square", "value"), "slopes": ("slope", "slope"), "sums": ("total", "sum")}
    if planned.trial.measurement in names:
        metric, check = names[planned.trial.measurement]
        values = np.ones((2, 3)) + (check not in right)
        return {metric: values, f"{metric}__scale": np.ones((2, 3))}
    check = "mean" if planned.trial.measurement == "draws" else "numpy-mean"
    noise = rng.normal(size=(1200, 3)) + (check not in right)
    return {
        "draw": noise, "draw__expected": np.zeros(3), "draw__scale": np.ones(3), "noise": noise
    }  # fmt: skip


def printed(verb: str, folder: Path, capsys: Any) -> Callable[..., str]:
    """A function that runs a verb on a results folder and gives what it prints on stdout."""

    def run(*words: str, where: Path = folder) -> str:
        assert main([verb, *words, *PLACES, "--results", str(where)]) == 0
        return str(capsys.readouterr().out)

    return run
