"""``score``: the marks again from stored observations; no submitted code runs.

Marks that change are shown before they are written; the record of the class then has the new ones,
and the former ones are kept beside it.
"""

from __future__ import annotations

import argparse

from harness import report
from harness.results import Results
from harness.verbs import options, output, regrading
from harness.verbs.regrading import Regrade
from harness.verbs.stored import (
    add_choice_of_record,
    open_record,
    open_stored,
    pages_of_others,
    say_what_counts_nothing,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.results(parser)
    add_choice_of_record(parser)
    regrading.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Marks the whole record of a class again and shows it; returns the exit code."""
    results = Results(args.results)
    with open_stored(results) as ledger:
        stored = open_record(args, ledger)
        again = stored.recomputed()
        gradebook = stored.of(again)
        regrade = Regrade(stored.record, stored.of(stored.record), stored.book)
        changes = regrade.changes(ledger, gradebook)
        if regrading.confirmed(args, changes):
            regrade.write(ledger, again, gradebook, changes)
            report.write(gradebook, results)
            others = pages_of_others(ledger, stored.book, stored.record.name)
            results.remove_reports(others, [row.name for row in gradebook.submissions])
        say_what_counts_nothing(again, gradebook, stored.book)
    output.show_marks(args, gradebook, 0.0)
    return output.exit_code(gradebook)
