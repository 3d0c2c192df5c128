"""``statement``: write what a statement shows of its task's data, or say what is out of date."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.spec.catalogue import load_all
from harness.spec.statement import rendered
from harness.verbs import options, output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.task_names(parser)
    parser.add_argument("--write", action="store_true", help="write what is out of date")


def run(args: argparse.Namespace) -> int:
    """Compares statements with their tasks; 0 if all are current, or are now."""
    wanted = {}
    for task in load_all(args.tasks, args.reference, args.task, with_reference=False):
        path = Path(task.path).with_name("README.md")
        wanted[path] = rendered(path.read_text(encoding="utf-8"), task)
    return output.bring_up_to_date(args, wanted, "all statements show what their tasks declare")
