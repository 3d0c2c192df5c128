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
    found = []
    with fresh(args.jobs) as pool:
        for item in strength.measure(tasks, args.reference, pool):
            found.append(item)
            print("\n".join(_lines(item)), file=stream, flush=True)
    with results.verify.writer():
        written = [*page.write(found, results, args.tasks), proving_page.write_page(results)]
    complaints = sum(len(item.problems) for item in found)
    mutants = sum(len(item.tried) for item in found)
    print(
        f"{len(found)} tasks, {mutants} mutants, {complaints} complaints; "
        f"{sum(item.cpu_s for item in found):.0f} CPU s, {time.monotonic() - started:.0f} s; "
        f"see {written[-1]}",
        file=stream,
    )
    if args.json:
        output.emit({"tasks": [item.to_json() for item in found]})
    return 1 if complaints else 0


def _lines(found: TaskStrength) -> list[str]:
    counts = found.counts
    told = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    mutants = max(len(found.tried), 1)
    lines = [
        f"{found.task.id}: {len(found.tried)} mutants: {told}; score {found.score:.3f}; "
        f"{found.cpu_s:.1f} CPU s, {1000 * found.cpu_s / mutants:.0f} ms each"
    ]
    return lines + [f"  ! {problem}" for problem in found.problems]
