"""``redteam``: run the attacks as submissions and show what every level of isolation stops."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import UsageError
from harness.files import write_text
from harness.levels import GRADING_LEVELS
from harness.redteam import model, table
from harness.redteam import run as rounds
from harness.redteam.outcome import joined
from harness.results import Results
from harness.spec.catalogue import load_all
from harness.spec.load import LoadedTask
from harness.verbs import options, output

_FOLDERS = (Path("tests/redteam/attacks"), Path("tests/redteam/field/attacks"))

Set = tuple[list[LoadedTask], list[model.Attack]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    parser.add_argument("--level", action="append", default=[], choices=GRADING_LEVELS)
    parser.add_argument("--attack", type=int, action="append", default=[], metavar="N")
    parser.add_argument("--attacks", type=Path, action="append", default=[], metavar="DIR")
    options.jobs(parser)
    options.results(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the attacks and shows what they reached; returns the exit code."""
    results = Results(args.results)
    results.make()
    sets = _sets(args.attacks or _FOLDERS, args.attack)
    attacks = [attack for _, of_folder in sets for attack in of_folder]
    played = [
        joined(
            [
                rounds.play(tasks, of_folder, level, args.jobs, table.progress)
                for tasks, of_folder in sets
            ]
        )
        for level in args.level or model.LEVELS
    ]
    document = table.document(played)
    text = json.dumps({**output.head(), "redteam": document}, indent=2, allow_nan=False)
    results.redteam.parent.mkdir(exist_ok=True)
    write_text(results.redteam, text + "\n")
    table.show(played, attacks, sys.stderr if args.json else sys.stdout)
    if args.json:
        output.emit({"redteam": document})
    level_missing = bool(args.level) and any(each.unavailable for each in played)
    nothing_ran = all(each.unavailable for each in played)
    sound = all(each.sound for each in played)
    return 1 if level_missing or nothing_ran or not sound else 0


def _sets(folders: Sequence[Path], chosen: Sequence[int]) -> list[Set]:
    """The chosen attacks (none: all) of every folder, with the course that they are aimed at.

    Raises:
        UsageError: no folder has one of the chosen numbers.
    """
    known = {folder: model.numbers(folder) for folder in folders}
    if missing := set(chosen) - set().union(*known.values()):
        raise UsageError(f"no attack has the number {min(missing)}; --attack takes those of a list")
    sets = []
    for folder, numbers in known.items():
        here = [number for number in chosen if number in numbers]
        if here or not chosen:
            course = folder.parent / "course"
            tasks = load_all(course / "tasks", course / "reference")
            sets.append((list(tasks), model.load(folder, here)))
    return sets
