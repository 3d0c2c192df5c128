"""``handout``: write what students get of an assignment, without anything that gives it away."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import harness
from harness.errors import UsageError
from harness.handout import contents, private, writing
from harness.results import Results
from harness.spec.catalogue import load_assignment
from harness.spec.models import Assignment
from harness.syllabus import Syllabus, is_all, read_syllabus, require_references
from harness.verbs import assignments, options, output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.results(parser)
    parser.add_argument("folder", type=Path, metavar="DIR", help="missing or empty")
    parser.add_argument("--assignment", metavar="NAME")
    parser.add_argument("--task", action="append", default=[], metavar="ID")
    options.key_file(parser)


def run(args: argparse.Namespace) -> int:
    """Writes a handout; returns the exit code."""
    package = Path(harness.__file__).parent
    writing.refuse_place(args.folder, [args.tasks, args.reference, package])
    private.refuse_keys_below(args.tasks)
    syllabus = read_syllabus(args.tasks, args.reference, args.assignment)
    require_references(syllabus, args.reference)
    tasks = syllabus.choose(args.task)
    ids = frozenset(task.id for task in tasks)
    title, points = _title(args, syllabus), syllabus.points
    made = contents.handout(
        tasks, _assignments(args, syllabus, ids), title, points, _rules(syllabus)
    )
    put(args, args.folder, made)
    if args.json:
        output.emit(
            {
                "files": list(made.files),
                "bytes": sum(map(len, made.files.values())),
                "tasks": sorted(ids),
            }
        )
    else:
        print(
            f"{args.folder}/: {len(tasks)} tasks, {contents.shown(made.files)}; "
            "README.md in it says how to begin"
        )
    return 0


def _assignments(
    args: argparse.Namespace, syllabus: Syllabus, handed_out: frozenset[str]
) -> list[Path]:
    """The files of the assignment; without one, of all whose tasks are all handed out.

    Raises:
        UsageError: some tasks of an assignment are wanted, which would then not load.
    """
    folder = args.tasks / "assignments"
    if args.assignment is not None and not is_all(args.tasks, args.assignment):
        if set(syllabus.ids) - handed_out:
            raise UsageError("give --assignment for the whole of it or --task, not both")
        return [folder / f"{args.assignment}.yaml"]
    known = syllabus.catalogue.ids
    return [
        path
        for path in sorted(folder.glob("*.yaml"))
        if {entry.id for entry in load_assignment(args.tasks, path.stem, known).tasks} <= handed_out
    ]


def _title(args: argparse.Namespace, syllabus: Syllabus) -> str:
    if args.assignment is None or is_all(args.tasks, args.assignment):
        return "Exercises"
    return load_assignment(args.tasks, args.assignment, syllabus.catalogue.ids).title


def _rules(syllabus: Syllabus) -> list[str]:
    """What the README says of the assignment besides its tasks, a line each."""
    if syllabus.declared is None:
        return []
    left_out = [
        f"not marked of {name}: {', '.join(ids)}" for name, ids in syllabus.left_out.items()
    ]
    return [*left_out, *assignments.rules(syllabus.declared)]


def put(args: argparse.Namespace, folder: Path, made: contents.Handout) -> None:
    """Writes a folder that students or the public see, and says whose hints are missing.

    Raises:
        UsageError: a file holds a key of the course, or something has come to lie there.
    """
    private.refuse_known_keys(made.files, known_keys(args))
    writing.write(folder, made.files)
    for name in made.without_hints:
        print(
            f"note: {name} goes without hints: its stored answers are missing or out of date; "
            f"`verify {name} --store` renews them",
            file=sys.stderr,
        )


def chosen(args: argparse.Namespace) -> tuple[Syllabus, Assignment, Path]:
    """What an assignment holds, with the references, the assignment, and its file.

    Raises:
        UsageError: there is no such assignment, or it has no file of its own.
    """
    if is_all(args.tasks, args.assignment):
        raise UsageError("`all` is no assignment of its own: name one that has a file")
    syllabus = read_syllabus(args.tasks, args.reference, args.assignment)
    require_references(syllabus, args.reference)
    declared = load_assignment(args.tasks, args.assignment, syllabus.catalogue.ids)
    file = args.tasks / "assignments" / f"{args.assignment}.yaml"
    return syllabus, declared, file


def known_keys(args: argparse.Namespace) -> list[Path]:
    """The files of those keys of the course that are known."""
    kept = sorted(Results(args.results).feedback_key.parent.glob("*"))
    given = [args.key_file] if args.key_file else []
    return [path for path in (*kept, *given) if path.is_file()]
