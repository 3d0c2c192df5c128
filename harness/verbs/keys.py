"""What ``verify --keys N`` does: exact checks under many keys, on mistakes and on honest work."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from harness.collect.pool import fresh
from harness.mutation import honesty, keys_page
from harness.mutation.honesty import KeyReport
from harness.proving import page as proving_page
from harness.results import Results
from harness.spec.load import LoadedTask
from harness.verbs import output


def run(args: argparse.Namespace, tasks: Sequence[LoadedTask]) -> int:
    """Tries known mistakes and honest rewritings under many keys; returns the exit code."""
    started = time.monotonic()
    results = Results(args.results)
    stream = sys.stderr if args.json else sys.stdout
    reports = []
    with results.verify.writer(), fresh(args.jobs) as pool:
        futures = [
            pool.submit(honesty.under_keys, task, args.reference / task.id, args.keys)
            for task in tasks
        ]
        for future in futures:
            reports.append(future.result())
            print("\n".join(_lines(reports[-1])), file=stream, flush=True)
            keys_page.write(reports[-1:], results, args.tasks)
        written = proving_page.write_page(results)
    complaints = sum(len(item.problems) for item in reports)
    print(
        f"{len(reports)} tasks under {args.keys} keys: "
        f"{sum(len(item.mistakes) for item in reports)} mistakes of exact checks, "
        f"{sum(item.rewritings for item in reports)} honest rewritings, "
        f"{complaints} complaints; {time.monotonic() - started:.0f} s; see {written}",
        file=stream,
    )
    if args.json:
        output.emit({"tasks": [item.to_json() for item in reports]})
    return 1 if complaints else 0


def _lines(report: KeyReport) -> list[str]:
    lines = [
        f"{report.task.id}: {len(report.mistakes)} mistakes, {report.rewritings} honest rewritings "
        f"({report.dropped} left out), {report.keys} keys"
    ]
    for check in honesty.exact_checks(report.task):
        worst = report.worst(check.id)
        if worst is not None:
            lines.append(
                f"  {check.id}: {worst.ratio:.2g} of the tolerance: {worst.name} {worst.shown}"
            )
    return lines + [f"  ! {problem}" for problem in report.problems]
