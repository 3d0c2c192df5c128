"""What ``score``, ``report`` and ``replay`` share: the last run, read back from its ledger."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import grading
from harness.course import Course, load_tasks, recall
from harness.errors import UsageError
from harness.ledger import Ledger
from harness.marking.gradebook import Gradebook
from harness.marking.trials import View
from harness.seeds import phase_key
from harness.verbs import output


@dataclass(frozen=True)
class Stored:
    """A run as it was recorded, and its marks computed again from the observations."""

    course: Course
    view: View
    recorded: dict[str, Any]
    gradebook: Gradebook


def regrade(args: argparse.Namespace, ledger: Ledger) -> Stored:
    """Scores the stored observations of the last run under today's specs.

    Raises:
        UsageError: nothing was graded into this folder, or its key is not at hand.
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
