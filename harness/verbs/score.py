"""``score``: the marks again from stored observations; no submitted code runs."""

from __future__ import annotations

import argparse

from harness import report
from harness.results import Results
from harness.verbs import options, output
from harness.verbs.stored import add_choice_of_record, open_record, open_stored


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.results(parser)
    add_choice_of_record(parser)


def run(args: argparse.Namespace) -> int:
    """Marks the whole record of a class again and shows it; returns the exit code."""
    results = Results(args.results)
    with open_stored(results) as ledger:
        gradebook = open_record(args, ledger).gradebook()
        report.write(gradebook, results)
    output.show_marks(args, gradebook, 0.0)
    return output.exit_code(gradebook)
