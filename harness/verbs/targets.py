"""``targets``: list stored reference distributions, or train the references that make them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from harness import stored_runs
from harness.errors import UsageError
from harness.results import Results
from harness.spec.catalogue import load_all
from harness.spec.load import LoadedTask, load_task
from harness.targets import curves, training
from harness.targets import stored as targets
from harness.verbs import options, output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.task_names(parser)
    parser.add_argument("--list", action="store_true", help="only say what is stored and stale")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument(
        "--seeds", type=options.positive, metavar="K", help="runs of an honest program"
    )
    parser.add_argument("--mistaken", type=options.positive, default=20, metavar="K")
    parser.add_argument(
        "--curves",
        type=options.positive,
        metavar="K",
        help="instead: learning curves of K seeds of the reference, where a check shows them",
    )
    options.jobs(parser)


def run(args: argparse.Namespace) -> int:
    """Trains what is named and lists what is stored; returns the exit code."""
    tasks = load_all(args.tasks, args.reference, args.task)
    written: list[str] = []
    if not args.list:
        for task in tasks if args.task else []:
            written += _made(args, task)
        if args.task and not written:
            raise UsageError(
                f"nothing to train for {', '.join(args.task)}: no train.py, no seeds, no curves"
            )
    loaded = load_all(args.tasks, args.reference, args.task)
    listed = [target for task in loaded for target in targets.stored(args.reference, task)]
    if args.json:
        output.emit({"targets": [target.to_json() for target in listed], "written": written})
        return 0
    for target in listed:
        words = ["stale"] * target.stale + ["provisional"] * target.provisional
        print(
            f"{target.task}/{target.file}: {len(target.seeds)} runs, "
            f"{', '.join(words) or 'current'}; {dict(target.summary)}"
        )
    if not listed:
        print("no targets are stored")
    for place in written:
        print(f"made {place}; review it before it is committed")
    if not args.list and not args.task:
        print("name a task to train its reference", file=sys.stderr)
    return 0


def _made(args: argparse.Namespace, task: LoadedTask) -> Iterator[str]:
    """Trains one task and yields the paths of what was made: runs, curves, a trained reference."""
    folders = (args.tasks / task.id, args.reference / task.id)
    if args.curves:
        yield from map(str, curves.make(folders, args.curves, args.jobs))
        return
    for file in sorted({check.target for check in stored_runs.checks(task)}):
        honest = args.seeds or stored_runs.CHEAP_RUNS
        for line in training.make(
            folders, file, honest=honest, mistaken=args.mistaken, jobs=args.jobs
        ):
            print(line, file=sys.stderr)
        updated = load_task(*folders)
        for check in stored_runs.checks(updated):
            runs = stored_runs.read(updated, check.target)
            print(training.advice(updated, check, runs), file=sys.stderr)
        yield str(args.reference / task.id / "targets" / file)
    if targets.trainable(args.reference, task.id):
        results = Results(Path("results"))
        results.make()
        for seed in range(1, (args.seeds or 1) + 1):
            yield str(targets.make(args.reference, task.id, args.device, seed, results.targets))
