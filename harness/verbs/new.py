"""``new``: write the files of a new task, which ``verify`` accepts as they are."""

from __future__ import annotations

import argparse

from harness.scaffold.writing import write
from harness.verbs import options, output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    parser.add_argument("id", metavar="ID", help="words of small letters, joined by hyphens")
    parser.add_argument("--title", default="A new task", help="one line (default: A new task)")


def run(args: argparse.Namespace) -> int:
    """Writes the task and says how to go on."""
    written = [str(path) for path in write(args.id, args.title, args.tasks, args.reference)]
    if args.json:
        output.emit({"written": written})
        return 0
    print("\n".join(written))
    print(
        "Change them into what the task shall ask (docs/authoring.md). Then, after every change:\n"
        f"  nox -s statement -- {args.id} --write    # the tables of the statement\n"
        f"  nox -s verify -- {args.id} --store       # what its known mistakes answer\n"
        f"  nox -s verify -- {args.id}               # until there is no complaint"
    )
    return 0
