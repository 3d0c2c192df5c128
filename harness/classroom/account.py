"""An account of one mark: what was handed in, what was observed of it, and what is declared of it.

Everything comes from a record of the class and from stored observations; nothing is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.class_record import Entry
from harness.marking.gradebook import SubmissionGrade
from harness.marking.trials import name_trial, steps
from harness.marking.views import View
from harness.records import COMMON, Observation, Verdict, sha256
from harness.spec.checks import Check
from harness.spec.load import LoadedTask


@dataclass(frozen=True)
class File:
    """A file that was marked."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class StoredTrial:
    """One trial that is stored of a program.

    Attributes:
        common: whether its seed is common to the class; else it is the submission's own.
        trial: the digest of all that it depends on.
        observations: the digests of all that was ever observed of it, each once: more than one and
            it does not repeat.
    """

    measurement: str
    stage: int
    replicate: int
    common: bool
    outcome: str
    cause: str
    isolation: str
    cpu_s: float
    trial: str
    observations: tuple[str, ...]


@dataclass(frozen=True)
class CheckAccount:
    """One check: its verdict, what is declared of it, and the trials of its measurement.

    Attributes:
        declared: None where the task cannot be loaded any more.
    """

    verdict: Verdict
    declared: Check | None
    trials: tuple[StoredTrial, ...]


@dataclass(frozen=True)
class Account:
    """One task of one submission.

    Attributes:
        unit: the name under which the submission is marked.
        rows: those of everybody who handed it in, with overrides and lateness.
    """

    unit: str
    entry: Entry
    rows: tuple[SubmissionGrade, ...]
    files: tuple[File, ...]
    checks: tuple[CheckAccount, ...]


def account(
    entry: Entry, task: LoadedTask | None, rows: Sequence[SubmissionGrade], view: View
) -> Account:
    """All that is stored of one task of one submission.

    Args:
        entry: its marks, computed again.
        task: None where it cannot be loaded any more.
        rows: those of everybody who handed it in.
    """
    program = entry.subject.program
    checks = {check.id: check for check in task.checks} if task is not None else {}
    places = program.places(task.spec.wanted_files) if task is not None else {}
    files = [
        File(name, sha256(program.files[place]), len(program.files[place]))
        for name, place in places.items()
    ]
    check_accounts = []
    for verdict in entry.grade.verdicts:
        declared = checks.get(verdict.check)
        trials = tuple(_trials(task, declared, entry, view)) if task and declared else ()
        check_accounts.append(CheckAccount(verdict, declared, trials))
    return Account(program.owner, entry, tuple(rows), tuple(files), tuple(check_accounts))


def _trials(task: LoadedTask, check: Check, entry: Entry, view: View) -> list[StoredTrial]:
    """What is stored of the steps that a check can ask for."""
    program, trials = entry.subject.program, []
    for step in steps(task, check.measurement):
        if step.replicate >= check.replicates or step.stage - COMMON.stage >= check.stages:
            continue
        owner = step.subject(program.owner)
        key = view.key_of(step)
        trial = name_trial(task, program, check.measurement, step, owner, key)
        observation = view.ledger.get(trial.digest, view.isolation)
        if isinstance(observation, Observation):
            made = observation.circumstances
            trials.append(
                StoredTrial(
                    check.measurement,
                    step.stage,
                    step.replicate,
                    not owner,
                    observation.outcome,
                    observation.cause,
                    str(made.get("isolation", "")),
                    float(made.get("cpu_s", 0.0)),
                    trial.digest,
                    tuple(dict.fromkeys(view.digests(trial.digest))),
                )
            )
    return trials
