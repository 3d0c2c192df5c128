"""``classroom50``: write the autograder of an assignment for Classroom 50."""

from __future__ import annotations

import argparse
from pathlib import Path

import harness
from harness.autograders import contents
from harness.handout import private, writing
from harness.handout.contents import shown
from harness.verbs import options, output
from harness.verbs.handout import chosen, put


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.results(parser)
    parser.add_argument("assignment", metavar="ASSIGNMENT")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="missing or empty")
    options.key_file(parser)


def run(args: argparse.Namespace) -> int:
    """Writes the folder ``CLASSROOM/autograders/ASSIGNMENT``; returns the exit code."""
    writing.refuse_place(args.to, [args.tasks, args.reference, Path(harness.__file__).parent])
    private.refuse_keys_below(args.tasks)
    syllabus, assignment, file = chosen(args)
    tasks = syllabus.choose([])
    made = contents.classroom50(tasks, assignment, file)
    put(args, args.to, made)
    if args.json:
        output.emit({"files": list(made.files), "folder": str(args.to)})
    else:
        print(
            f"{args.to}/: {len(tasks)} tasks, {shown(made.files)}; without references, "
            "since Classroom 50 publishes it: what compares with one is marked by your course"
        )
    return 0
