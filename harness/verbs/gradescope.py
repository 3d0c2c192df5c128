"""``gradescope``: write the autograder of an assignment for Gradescope."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.autograders import contents, sealed_key
from harness.errors import UsageError
from harness.files import write_bytes
from harness.handout import private
from harness.handout.contents import shown
from harness.verbs import options, output
from harness.verbs.handout import chosen, known_keys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.results(parser)
    parser.add_argument("assignment", metavar="ASSIGNMENT")
    parser.add_argument("--to", type=Path, default=Path("autograder.zip"), metavar="FILE")
    options.key_file(parser)
    parser.add_argument(
        "--key-password",
        type=Path,
        metavar="FILE",
        help="put the key of --key-file into the archive, encrypted under the password in FILE",
    )


def run(args: argparse.Namespace) -> int:
    """Writes autograder.zip; returns the exit code."""
    if args.to.exists():
        raise UsageError(f"{args.to} is there already; name another file or remove it yourself")
    syllabus, assignment, file = chosen(args)
    tasks = syllabus.choose([])
    files = contents.gradescope(tasks, assignment, file, args.reference)
    if args.key_password is not None:
        if args.key_file is None:
            raise UsageError("--key-password is for the key of --key-file; give both")
        files[sealed_key.FILE] = sealed_key.of_files(args.key_file, args.key_password)
    private.refuse_known_keys(files, known_keys(args))
    write_bytes(args.to, contents.packed(files))
    if args.json:
        output.emit({"files": list(files), "file": str(args.to)})
    else:
        print(
            f"{args.to}: {len(tasks)} tasks, {shown(files)}; with the references, so keep "
            "it to the course. Autograder points on Gradescope: "
            f"{sum(syllabus.points.get(task.id, task.points) for task in tasks):g}"
        )
    return 0
