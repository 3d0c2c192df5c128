"""The ledger of a results folder, opened for a verb, and the last run that is recorded in it.

``grade`` records a run; ``score``, ``report`` and ``replay`` read it back and mark it again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import grading
from harness.course import Course, load_tasks, recall
from harness.errors import UsageError
from harness.ledger import Ledger
from harness.marking.gradebook import Gradebook
from harness.marking.trials import View
from harness.results import Results
from harness.seeds import phase_key
from harness.verbs import output


@dataclass(frozen=True)
class Stored:
    """A run as it was recorded, and its marks computed again from the observations."""

    course: Course
    view: View
    recorded: dict[str, Any]
    gradebook: Gradebook


@contextlib.contextmanager
def open_ledger(results: Results, *, fresh: bool = False) -> Iterator[Ledger]:
    """The ledger of a results folder, which is held for this one writer.

    Raises:
        UsageError: another run holds the folder, or it cannot be used.
        InfrastructureError: the ledger cannot be used.
    """
    run = secrets.token_hex(8)
    with results.writer(), Ledger(results.ledger, run, fresh=fresh) as ledger:
        yield ledger


@contextlib.contextmanager
def open_stored(results: Results) -> Iterator[Ledger]:
    """The ledger of a results folder that something was graded into before.

    Raises:
        UsageError, InfrastructureError: as :func:`open_ledger`; or there is no ledger, and then
            nothing is made.
    """
    if not os.path.lexists(results.ledger):
        raise UsageError(f"{results.root}: nothing is stored here; grade first")
    with open_ledger(results) as ledger:
        yield ledger


def record_run(
    ledger: Ledger, args: argparse.Namespace, course: Course, gradebook: Gradebook, isolation: str
) -> None:
    """Stores what :func:`regrade` needs of a run of ``grade``."""
    ledger.put_document(
        "run",
        {
            "tasks": [task.id for task in course.tasks],
            "assignment": course.assignment,
            "phase": args.phase,
            "key_file": os.path.abspath(args.key_file) if args.key_file else "",
            "isolation": isolation,
            "gradebook": gradebook.to_json(),
        },
    )


def regrade(args: argparse.Namespace, ledger: Ledger) -> Stored:
    """Marks the stored observations of the last run under today's specs.

    Raises:
        UsageError: no run was recorded in this folder, or its key is not at hand.
    """
    run = ledger.document("run")
    if run is None:
        raise UsageError(f"{args.results}: no finished run is stored here; grade first")
    key_file = getattr(args, "key_file", None) or (
        Path(run["key_file"]) if run["key_file"] else None
    )
    key = phase_key(run["phase"], key_file, args.results)
    stored_key = run["gradebook"]["run"]["key_sha256"]
    if key.commitment != stored_key:
        raise UsageError(
            f"the run used the key {stored_key[:16]}…, this one is {key.commitment[:16]}…; "
            "give the right one with --key-file"
        )
    tasks, points = load_tasks(args.tasks, args.reference, run["assignment"] or None, run["tasks"])
    course = Course(tasks, recall(ledger), run["assignment"], points)
    view = View(key, ledger, run.get("isolation", "L1"))
    current = grading.first_round(course, view)
    gradebook = grading.gradebook(course, current, run["phase"], output.commit())
    return Stored(course, view, run["gradebook"], gradebook)
