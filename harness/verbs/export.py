"""``export``: marks put into a table of Canvas or Moodle, feedback pages for their upload, and an
autograder that gives marks on Gradescope.

Nothing is run and no mark is changed: what is exported is what gradebook.csv has. The table of the
platform is read and written again elsewhere; in it, only grades change.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from harness.classroom.roster import listed
from harness.errors import UsageError
from harness.files import write_bytes
from harness.lms import canvas, filling, matching, sheet
from harness.lms.filling import Filled, Wishes
from harness.lms.layout import Layout
from harness.lms.matching import Matches
from harness.report import gradebook_csv
from harness.results import Results
from harness.submissions import display
from harness.verbs import options, output
from harness.verbs.export_feedback import feedback_zip
from harness.verbs.export_gradescope import gradescope_marks
from harness.verbs.exporting import ClassMarks, list_reasons, worksheet_of
from harness.verbs.stored import add_choice_of_record, open_record, open_stored

_WHAT = ("canvas", "moodle", "feedback-zip", "gradescope")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    options.results(parser)
    options.key_file(parser)
    add_choice_of_record(parser)
    parser.add_argument("what", choices=_WHAT)
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="Canvas's gradebook or Moodle's grading worksheet; for feedback-zip the download of "
        "the submissions (Canvas), or it or the worksheet (Moodle); for gradescope none",
    )
    parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="what is written")
    parser.add_argument(
        "--column", metavar="NAME", help="the assignment in Canvas's gradebook, or its number"
    )
    parser.add_argument(
        "--match", metavar="COLUMN", help="the one column that has our ids; else all are looked at"
    )
    parser.add_argument(
        "--points",
        choices=("as-is", "scaled"),
        help="where the platform's assignment is worth something else than ours",
    )
    parser.add_argument(
        "--provisional", action="store_true", help="write marks, too, that lack a check"
    )
    parser.add_argument(
        "--comments", action="store_true", help="say in empty comments how the mark adds up"
    )
    options.headers(parser)


def run(args: argparse.Namespace) -> int:
    """Writes one file; returns the exit code: 1 where somebody's mark or page is not in it."""
    if (args.file is None) != (args.what == "gradescope"):
        raise UsageError(
            "export gradescope reads no file: give --to alone"
            if args.file
            else f"export {args.what} needs a FILE of the platform, which gets the marks"
        )
    if args.file is not None and _same(args.file, args.to):
        raise UsageError(f"{args.to} is what is read; write to another file")
    results = Results(args.results)
    with open_stored(results, reads=True) as ledger:
        stored = open_record(args, ledger)
        known = ClassMarks(stored, stored.gradebook())
    _require_shown(known, results)
    if args.what == "feedback-zip":
        return feedback_zip(args, known, results)
    if args.what == "gradescope":
        return gradescope_marks(args, known)
    layout = _layout(args, known)
    matches = matching.match(known.mine, layout.people, args.match)
    wishes = Wishes(args.points, args.provisional, args.comments)
    filled = filling.fill(layout, known.rows, matches, wishes)
    write_bytes(args.to, filled.content)
    _say(args, known, layout, matches, filled)
    return 1 if matches.missing or filled.left else 0


def _require_shown(known: ClassMarks, results: Results) -> None:
    """Only marks that gradebook.csv shows are exported, so that none has changed unseen.

    Raises:
        UsageError: it shows others, or is not there.
    """
    try:
        shown = results.gradebook.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        shown = ""
    if shown != gradebook_csv.render(known.gradebook):
        name = known.stored.record.name
        raise UsageError(
            f"{results.gradebook} does not have the marks of {name} as they are now: another "
            f"record is shown, or marks have changed since; "
            f"`{shlex.join(['report', *name.options])}` says what changed and writes them; other "
            "marks are chosen with --assignment and --phase"
        )


def _layout(args: argparse.Namespace, known: ClassMarks) -> Layout:
    if args.what == "moodle":
        if args.column is not None:
            raise UsageError("--column is for Canvas; Moodle's worksheet is of one assignment")
        return worksheet_of(args).layout()
    if args.header or args.comments:
        raise UsageError("--header and --comments are for Moodle's worksheet")
    declared = known.stored.book.assignment
    titles = [declared.title, declared.id] if declared else []
    return canvas.read(sheet.read(args.file, canvas.WHAT)).layout(args.column, titles)


def _say(
    args: argparse.Namespace,
    known: ClassMarks,
    layout: Layout,
    matches: Matches,
    filled: Filled,
) -> None:
    """Says what was written, and lists everybody whose grade the file does not have."""
    if args.json:
        output.emit(
            {
                "written": str(args.to),
                "grades": dict(filled.written),
                "replaced": dict(filled.replaced),
                "not_found": dict(matches.missing),
                "not_written": dict(filled.left),
                "without_mark": [each.shown for each in matches.others],
                "notices": list(layout.notices),
            }
        )
        return
    for notice in layout.notices:
        print(f"note: {notice}", file=sys.stderr)
    stale = [row.name for row in known.rows if row.stale]
    if stale:
        print(f"note: marks that are stale: {listed(stale)}", file=sys.stderr)
    list_reasons("not in the table, and not in what was written", matches.missing)
    list_reasons("in the table, and not written", filled.left)
    others = [each.shown for each in matches.others]
    if others:
        print(f"in the table, without a mark here, and left as they were: {'; '.join(others)}")
    header = layout.sheet.header[layout.grade]
    replaced = f", {len(filled.replaced)} of them in place of another" if filled.replaced else ""
    print(
        f"{args.to}: {len(filled.written)} of {len(known.rows)} marks in the column "
        f"{display(header)}{replaced}; {known.stored.record.name}"
    )


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
