"""``targets``: list stored reference distributions, or train the references that make them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness import cli, targets
from harness.errors import UsageError
from harness.spec.load import load_all


def run(args: argparse.Namespace) -> int:
    ids = [task.id for task in load_all(args.tasks, args.reference, args.task)]
    written: list[str] = []
    if not args.list:
        chosen = [name for name in ids if targets.trainable(args.reference, name)]
        if args.task and not chosen:
            raise UsageError(f"nothing to train for {', '.join(args.task)}: no train.py")
        for name in chosen if args.task else []:
            for seed in range(1, args.seeds + 1):
                out = Path("results") / "targets"
                written.append(str(targets.make(args.reference, name, args.device, seed, out)))
    found = [target for name in ids for target in targets.stored(args.reference, name)]
    if args.json:
        cli.emit(args, {"targets": [target.to_json() for target in found], "written": written})
        return 0
    for target in found:
        words = ["stale"] * target.stale + ["provisional"] * target.provisional
        print(
            f"{target.task}/{target.file}: {len(target.seeds)} runs, "
            f"{', '.join(words) or 'current'}; {dict(target.summary)}"
        )
    if not found:
        print("no targets are stored")
    for folder in written:
        print(f"trained into {folder}; review it, then evaluate and store it")
    if not args.list and not args.task:
        print("name a task to train its reference", file=sys.stderr)
    return 0
