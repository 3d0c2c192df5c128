"""``statement``: write what a statement shows of its task's data, or say what is out of date."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.files import write_text
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
    stale = []
    for task in load_all(args.tasks, args.reference, args.task, with_reference=False):
        path = Path(task.path).with_name("README.md")
        text = path.read_text(encoding="utf-8")
        wanted = rendered(text, task)
        if wanted != text:
            stale.append(str(path))
            if args.write:
                write_text(path, wanted)
    if args.json:
        output.emit({"written" if args.write else "stale": stale})
    else:
        for place in stale:
            print(f"{place}: {'written' if args.write else 'out of date; run with --write'}")
        if not stale:
            print("all statements show what their tasks declare")
    return 0 if args.write or not stale else 1
