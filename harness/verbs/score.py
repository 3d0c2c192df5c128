"""``score``: the marks again from stored observations; runs nothing and asks for nothing."""

from __future__ import annotations

import argparse

from harness import report
from harness.verbs.grade import exit_code, one_writer, open_ledger, show
from harness.verbs.stored import regrade


def run(args: argparse.Namespace) -> int:
    with one_writer(args.results), open_ledger(args.results) as ledger:
        stored = regrade(args, ledger)
        report.write(stored.gradebook, args.results)
    show(args, stored.gradebook, 0.0)
    return exit_code(stored.gradebook)
