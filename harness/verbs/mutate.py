"""What ``verify --mutate`` does: automatic mutants of every honest program, and who notices."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from harness.collect.pool import fresh
from harness.mutation import page, strength
from harness.mutation.strength import TaskStrength
from harness.proving import page as proving_page
from harness.results import Results
from harness.spec.load import LoadedTask
from harness.verbs import output


def run(args: argparse.Namespace, tasks: Sequence[LoadedTask]) -> int:
    """Measures the strength of the checks of some tasks; returns the exit code."""
    started = time.monotonic()
    results = Results(args.results)
    stream = sys.stderr if args.json else sys.stdout
    strengths = []
    with results.verify.writer(), fresh(args.jobs) as pool:
        for item in strength.measure(tasks, args.reference, pool):
            strengths.append(item)
            print("\n".join(_lines(item)), file=stream, flush=True)
            page.write([item], results, args.tasks)
        written = proving_page.write_page(results)
    complaints = sum(len(item.problems) for item in strengths)
    mutants = sum(len(item.tried) for item in strengths)
    print(
        f"{len(strengths)} tasks, {mutants} mutants, {complaints} complaints; "
        f"{sum(item.cpu_s for item in strengths):.0f} CPU s, {time.monotonic() - started:.0f} s; "
        f"see {written}",
        file=stream,
    )
    if args.json:
        output.emit({"tasks": [item.to_json() for item in strengths]})
    return 1 if complaints else 0


def _lines(of_task: TaskStrength) -> list[str]:
    counts = of_task.counts
    told = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    mutants = max(len(of_task.tried), 1)
    lines = [
        f"{of_task.task.id}: {len(of_task.tried)} mutants: {told}; score {of_task.score:.3f}; "
        f"{of_task.cpu_s:.1f} CPU s, {1000 * of_task.cpu_s / mutants:.0f} ms each"
    ]
    return lines + [f"  ! {problem}" for problem in of_task.problems]
