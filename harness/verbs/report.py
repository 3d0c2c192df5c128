"""``report``: the report files of the last run, written again."""

from __future__ import annotations

import argparse

from harness import report
from harness.results import Results
from harness.verbs import options, output
from harness.verbs.stored import open_stored, regrade


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.results(parser)


def run(args: argparse.Namespace) -> int:
    """Writes all reports and prints their paths; returns the exit code."""
    results = Results(args.results)
    with open_stored(results) as ledger:
        stored = regrade(args, ledger)
        written = [str(path) for path in report.write(stored.gradebook, results)]
    if args.json:
        output.emit({"written": written})
    else:
        print("\n".join(written))
    return output.exit_code(stored.gradebook)
