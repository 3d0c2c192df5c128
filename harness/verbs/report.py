"""``report``: the report files of the whole class, written again."""

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


def run(args: argparse.Namespace) -> int:
    """Writes all reports and prints their paths; returns the exit code."""
    results = Results(args.results)
    with open_stored(results) as ledger:
        stored = open_record(args, ledger)
        again = stored.recomputed()
        gradebook = stored.of(again)
        regrade = Regrade(stored.record, stored.of(stored.record), stored.book)
        regrading.show(regrade.changes(ledger, gradebook))
        say_what_counts_nothing(again, gradebook, stored.book)
        written = [str(path) for path in report.write(gradebook, results)]
        others = pages_of_others(ledger, stored.book, stored.record.name)
        results.remove_reports(others, [row.name for row in gradebook.submissions])
    if args.json:
        output.emit({"written": written})
    else:
        print("\n".join(written))
    return output.exit_code(gradebook)
