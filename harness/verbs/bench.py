"""``bench``: what grading costs, and with ``--statistics`` what it decides beside other schemes.

``--task`` chooses the tasks that one submission is marked on; records of other sets stay in
bench.json. ``--class-size N`` measures the grader's own part by the size of the class instead, with
``--against COMMIT`` beside an earlier version in the same run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from harness.files import write_text
from harness.levels import GRADING_LEVELS
from harness.results import Results
from harness.spec.catalogue import load_all
from harness.verbs import options, output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    parser.add_argument("--level", choices=GRADING_LEVELS, help="isolation; the best by default")
    parser.add_argument("--repeat", type=options.positive, default=3, metavar="N")
    options.results(parser)
    parser.add_argument(
        "--statistics", action="store_true", help="error rates, beside other published schemes"
    )
    parser.add_argument("--task", action="append", default=[], metavar="ID")
    parser.add_argument("--gradings", type=options.positive, default=200, metavar="R")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument(
        "--class-size",
        type=options.positive,
        action="append",
        default=[],
        metavar="N",
        help="cost of marking a synthetic class of N, everything observed already",
    )
    parser.add_argument(
        "--against", metavar="COMMIT", help="with --class-size: an earlier version beside it"
    )


def run(args: argparse.Namespace) -> int:
    """Measures, writes the figures and shows them; returns the exit code."""
    if args.statistics:
        return _side_by_side(args)
    return _class_cost(args) if args.class_size else _submission_cost(args)


def _side_by_side(args: argparse.Namespace) -> int:
    from harness.comparison import run as comparison

    tasks = load_all(args.tasks, args.reference, args.task)
    compared = comparison.run(tasks, args.reference, Path("submissions"), args.gradings, args.seed)
    results = Results(args.results)
    results.make_figures()
    document = {**compared.to_json(), "gradings": args.gradings, "seed": args.seed}
    text = json.dumps({**output.head(), **document}, indent=1) + "\n"
    written = [
        write_text(results.figure("side-by-side.json"), text),
        write_text(results.figure("side-by-side.md"), f"# Side by side\n\n{compared.markdown}"),
    ]
    if args.json:
        output.emit({**document, "written": [str(path) for path in written]})
    else:
        print(compared.markdown)
    return 0


def _submission_cost(args: argparse.Namespace) -> int:
    from harness.proving import submission_cost
    from harness.sandbox import choice

    isolation = choice.at(args.level) if args.level else choice.best()
    folders = (args.tasks, args.reference)
    record = submission_cost.measure(folders, args.task, args.repeat, isolation)
    stored = _stored(args)
    others = [run for run in stored["runs"] if run["set"] != record["set"]]
    _store(args, {**stored, "runs": [*others, record]}, [record])
    return 0


def _class_cost(args: argparse.Namespace) -> int:
    from harness.proving import class_cost_by_size

    records = class_cost_by_size.measure(Path.cwd(), args.class_size, args.against)
    _store(args, {**_stored(args), "classes": records}, records)
    return 0


def _stored(args: argparse.Namespace) -> dict[str, Any]:
    """What bench.json holds besides its head."""
    path = Results(args.results).figure("bench.json")
    empty: dict[str, Any] = {"runs": [], "classes": [], "peers": []}
    if not path.is_file():
        return empty
    document = json.loads(path.read_text(encoding="utf-8"))
    return {name: document.get(name, value) for name, value in empty.items()}


def _store(
    args: argparse.Namespace, document: dict[str, Any], records: list[dict[str, Any]]
) -> None:
    """Writes bench.json and shows the records that are new."""
    results = Results(args.results)
    results.make_figures()
    text = json.dumps({**output.head(), **document}, indent=2) + "\n"
    write_text(results.figure("bench.json"), text)
    if args.json:
        output.emit(document)
    else:
        for record in records:
            print("\n".join(f"{name}: {value}" for name, value in record.items()))
