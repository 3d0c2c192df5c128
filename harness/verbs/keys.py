"""What ``verify --keys N`` does: exact checks under many keys, on mistakes and on honest work."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from harness.collect.pool import fresh
from harness.mutation import honesty
from harness.mutation.honesty import KeyReport
from harness.spec.load import LoadedTask
from harness.verbs import output


def run(args: argparse.Namespace, tasks: Sequence[LoadedTask]) -> int:
    """Tries known mistakes and honest rewritings under many keys; returns the exit code."""
    started = time.monotonic()
    stream = sys.stderr if args.json else sys.stdout
    found = []
    with fresh(args.jobs) as pool:
        futures = [
            pool.submit(honesty.under_keys, task, args.reference / task.id, args.keys)
            for task in tasks
        ]
        for future in futures:
            found.append(future.result())
            print("\n".join(_lines(found[-1])), file=stream, flush=True)
    complaints = sum(len(item.problems) for item in found)
    print(
        f"{len(found)} tasks under {args.keys} keys: {sum(len(item.mistakes) for item in found)} "
        f"mistakes of exact checks, {sum(item.rewritings for item in found)} honest rewritings, "
        f"{complaints} complaints; {time.monotonic() - started:.0f} s",
        file=stream,
    )
    if args.json:
        output.emit({"tasks": [item.to_json() for item in found]})
    return 1 if complaints else 0


def _lines(found: KeyReport) -> list[str]:
    lines = [
        f"{found.task.id}: {len(found.mistakes)} mistakes, {found.rewritings} honest rewritings "
        f"({found.dropped} left out), {found.keys} keys"
    ]
    for check in honesty.exact_checks(found.task):
        worst = found.worst(check.id)
        if worst is not None:
            lines.append(
                f"  {check.id}: {worst.ratio:.2g} of the tolerance: {worst.name} {worst.shown}"
            )
    return lines + [f"  ! {problem}" for problem in found.problems]
