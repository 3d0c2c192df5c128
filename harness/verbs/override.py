"""``override``: give points beside the computed ones, or withdraw them; nothing is run.

The decision is about the record of one assignment and phase. It stands beside the computed points
in every report, survives regrades, and what was withdrawn stays in the list.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import asdict
from datetime import UTC, datetime

from harness import report
from harness.classroom import overrides
from harness.classroom.overrides import Entry
from harness.errors import UsageError
from harness.report.adjustments import sum_text
from harness.report.sanitise import SENTENCE_LIMIT, clean
from harness.results import Results
from harness.verbs import options, output
from harness.verbs.stored import add_choice_of_record, open_record, open_stored


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.results(parser)
    options.key_file(parser)
    add_choice_of_record(parser)
    parser.add_argument("student", metavar="ID", help="the id of the student, or of the submission")
    parser.add_argument("place", metavar="TASK[/CHECK]")
    parser.add_argument("points", nargs="?", metavar="POINTS")
    parser.add_argument("--withdraw", action="store_true", help="let the computed points count")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="students read it")
    parser.add_argument("--by", required=True, metavar="NAME", help="who decided")


def run(args: argparse.Namespace) -> int:
    """Records one decision and writes the reports again; returns the exit code."""
    entry = _entry(args)
    results = Results(args.results)
    with open_stored(results) as ledger:
        stored = open_record(args, ledger)
        rows = {row.name: row for row in stored.gradebook().submissions}
        if entry.student not in rows:
            raise stored.nobody(entry.student, rows)
        prefix = stored.record.name.prefix
        log = overrides.stored(ledger.document(overrides.document_name(prefix)))
        ledger.put_documents(log.with_(entry, rows[entry.student]).documents(prefix))
        gradebook = open_record(args, ledger).gradebook()
        report.write(gradebook, results)
    (row,) = [row for row in gradebook.submissions if row.name == entry.student]
    if args.json:
        output.emit({"override": asdict(entry), "points": row.points, "mark": row.mark})
    else:
        given = "the computed points count" if entry.points is None else f"{entry.points:g} points"
        text = f"{entry.student}, {entry.place}: {given} ({entry.by}: {entry.reason})"
        print(clean(text, SENTENCE_LIMIT))
        print(f"mark of the whole: {sum_text(row)}, of {row.max_points:g}")
    return 0


def _entry(args: argparse.Namespace) -> Entry:
    """The decision that the command line tells.

    Raises:
        UsageError: it says neither or both of points and --withdraw, no number, or no reason or
            name.
    """
    if (args.points is None) is not args.withdraw:
        raise UsageError("give either POINTS or --withdraw")
    points = None if args.points is None else _number(args.points)
    if not args.reason.strip() or not args.by.strip():
        raise UsageError("an override needs a --reason and says who decided it (--by)")
    task, _, check = args.place.partition("/")
    made = datetime.now(UTC).isoformat(timespec="seconds")
    reason, by = args.reason.strip(), args.by.strip()
    return Entry(args.student, task, check, points, reason, by, made)


def _number(text: str) -> float:
    """A number of points.

    Raises:
        UsageError: it is none.
    """
    try:
        points = float(text)
    except ValueError:
        points = math.nan
    if not math.isfinite(points):
        raise UsageError(f"POINTS is {text!r}, which is no number of points; write one such as 2.5")
    return points
