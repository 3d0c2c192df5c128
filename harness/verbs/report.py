"""``report``: the report files of the last run, written again."""

from __future__ import annotations

import argparse

from harness import report
from harness.verbs import output
from harness.verbs.grade import exit_code, one_writer, open_ledger
from harness.verbs.stored import regrade


def run(args: argparse.Namespace) -> int:
    with one_writer(args.results), open_ledger(args.results) as ledger:
        stored = regrade(args, ledger)
        written = [str(path) for path in report.write(stored.gradebook, args.results)]
    if args.json:
        output.emit({"written": written})
    else:
        print("\n".join(written))
    return exit_code(stored.gradebook)
