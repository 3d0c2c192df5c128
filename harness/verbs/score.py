"""``score``: the marks again from stored observations; no submitted code runs."""

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
    """Marks the last run again and shows it; returns the exit code."""
    results = Results(args.results)
    with open_stored(results) as ledger:
        stored = regrade(args, ledger)
        report.write(stored.gradebook, results)
    output.show_marks(args, stored.gradebook, 0.0)
    return output.exit_code(stored.gradebook)
