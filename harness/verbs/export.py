"""``export``: marks put into a table of Canvas or Moodle, feedback pages for their upload, and an
autograder that gives marks on Gradescope.

Nothing is run and no mark is changed: what is exported is what gradebook.csv has. The table of the
platform is read and written again elsewhere; in it, only grades change.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.autograders import contents
from harness.classroom.roster import listed
from harness.errors import UsageError
from harness.files import write_bytes
from harness.lms import canvas, feedback, filling, matching, moodle, sheet
from harness.lms.feedback import Pages
from harness.lms.filling import Filled, Wishes
from harness.lms.layout import Layout
from harness.lms.matching import Matches, Mine
from harness.marking.gradebook import Gradebook, SubmissionGrade
from harness.report import gradebook_csv, gradescope
from harness.report.feedback import render
from harness.report.grades_json import dump
from harness.results import Results
from harness.submissions import display, downloads
from harness.submissions.platforms import GRADESCOPE_FOLDER
from harness.verbs import options, output
from harness.verbs.stored import Stored, add_choice_of_record, open_record, open_stored

_WHAT = ("canvas", "moodle", "feedback-zip", "gradescope")
_LONGEST = 40


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


@dataclass(frozen=True)
class _Class:
    """The marks that are exported, and who they are about."""

    stored: Stored
    gradebook: Gradebook

    @property
    def rows(self) -> tuple[SubmissionGrade, ...]:
        return self.gradebook.submissions

    @property
    def mine(self) -> list[Mine]:
        """Everybody who has a mark, with what the roster knows of them."""
        students = self.stored.book.roster.students
        return [
            Mine(
                row.name,
                row.student.get("email", ""),
                students[row.name].submission if row.name in students else "",
            )
            for row in self.rows
        ]


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
    with open_stored(results) as ledger:
        stored = open_record(args, ledger)
        known = _Class(stored, stored.gradebook())
    _require_shown(known, results)
    if args.what == "feedback-zip":
        return _feedback(args, known, results)
    if args.what == "gradescope":
        return _gradescope(args, known)
    layout = _layout(args, known)
    matches = matching.match(known.mine, layout.people, args.match)
    wishes = Wishes(args.points, args.provisional, args.comments)
    filled = filling.fill(layout, known.rows, matches, wishes)
    write_bytes(args.to, filled.content)
    _say(args, known, layout, matches, filled)
    return 1 if matches.missing or filled.left else 0


def _require_shown(known: _Class, results: Results) -> None:
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
            f"`{shlex.join(['report', *name.options])}` says what changed and writes them"
        )


def _layout(args: argparse.Namespace, known: _Class) -> Layout:
    if args.what == "moodle":
        if args.column is not None:
            raise UsageError("--column is for Canvas; Moodle's worksheet is of one assignment")
        return _worksheet(args).layout()
    if args.header or args.comments:
        raise UsageError("--header and --comments are for Moodle's worksheet")
    declared = known.stored.book.assignment
    titles = [declared.title, declared.id] if declared else []
    return canvas.read(sheet.read(args.file, canvas.WHAT)).layout(args.column, titles)


def _worksheet(args: argparse.Namespace) -> moodle.Worksheet:
    return moodle.read(sheet.read(args.file, moodle.WHAT), moodle.read_headers(args.header))


def _say(
    args: argparse.Namespace,
    known: _Class,
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
    _list("not in the table, and not in what was written", matches.missing)
    _list("in the table, and not written", filled.left)
    others = [each.shown for each in matches.others]
    if others:
        print(f"in the table, without a mark here, and left as they were: {'; '.join(others)}")
    header = layout.sheet.header[layout.grade]
    replaced = f", {len(filled.replaced)} of them in place of another" if filled.replaced else ""
    print(
        f"{args.to}: {len(filled.written)} of {len(known.rows)} marks in the column "
        f"{display(header)}{replaced}; {known.stored.record.name}"
    )


def _list(what: str, reasons: Mapping[str, str]) -> None:
    if not reasons:
        return
    print(f"{what}:")
    for name, reason in list(reasons.items())[:_LONGEST]:
        print(f"  {display(name)}: {reason}")
    if len(reasons) > _LONGEST:
        print(f"  and {len(reasons) - _LONGEST} more")


def _gradescope(args: argparse.Namespace, known: _Class) -> int:
    """Writes an autograder that gives every submission of Gradescope's export its mark."""
    for option in ("column", "points", "comments", "match", "header"):
        if getattr(args, option):
            raise UsageError(f"--{option} is about tables; Gradescope takes marks by submission")
    together: dict[str, list[SubmissionGrade]] = {}
    left: dict[str, str] = {}
    for mine, row in zip(known.mine, known.rows, strict=True):
        names = [name for name in (mine.submission, mine.id) if GRADESCOPE_FOLDER.fullmatch(name)]
        if not names:
            left[row.name] = "has no submission on Gradescope, as far as the roster says"
        elif row.provisional and not args.provisional:
            left[row.name] = filling.PROVISIONAL
        else:
            together.setdefault(names[0], []).append(row)
    documents: dict[str, str] = {}
    for name, rows in together.items():
        if len({row.mark for row in rows}) == 1:
            documents[name] = dump(gradescope.document(rows[0], known.gradebook))
        else:
            reason = f"the members of {name} have different marks, and Gradescope takes one"
            left |= dict.fromkeys((row.name for row in rows), reason)
    if not documents:
        raise UsageError(
            "no mark is that of a submission of Gradescope; `import` makes a roster of its export "
            "that says whose submission_… is whose"
        )
    write_bytes(args.to, contents.packed(contents.gradescope_marks(documents)))
    if args.json:
        output.emit(
            {"written": str(args.to), "submissions": sorted(documents), "not_written": left}
        )
    else:
        _list("not in the archive", left)
        print(
            f"{args.to}: marks of {len(documents)} submissions; {known.stored.record.name}. Upload "
            "it as the autograder and regrade all submissions; it holds the marks of the class and "
            "runs nothing that was handed in"
        )
    return 1 if left else 0


def _feedback(args: argparse.Namespace, known: _Class, results: Results) -> int:
    """Writes the archive of pages."""
    for option in ("column", "points", "comments", "provisional"):
        if getattr(args, option):
            raise UsageError(f"--{option} is about grades; feedback-zip has none")
    pages = _pages(known, results)
    missing: dict[str, str]
    if args.file.suffix.lower() == ".csv":
        worksheet = _worksheet(args)
        matches = matching.match(known.mine, worksheet.people, args.match)
        named = {
            feedback.moodle_name(person): pages[name] for name, person in matches.found.items()
        }
        files, missing, platform = feedback.moodle(named), dict(matches.missing), "moodle"
    else:
        if args.match or args.header:
            raise UsageError("--match and --header are for Moodle's worksheet")
        download = downloads.read(args.file)
        owners, missing = _owners(known, list(download.students))
        named = {submission: pages[name] for name, submission in owners.items()}
        platform = download.platform
        if platform == "gradescope":
            raise UsageError("Gradescope takes no feedback files; give a download of another")
        files = feedback.canvas(download, named) if platform == "canvas" else feedback.moodle(named)
    write_bytes(args.to, feedback.archive(files))
    written = len(pages) - len(missing)
    if args.json:
        output.emit({"written": str(args.to), "files": sorted(files), "not_found": missing})
    else:
        _list("not in the archive", missing)
        print(f"{args.to}: the pages of {written} of {len(pages)} for {platform.capitalize()}")
        if platform == "canvas":
            print("Canvas shows a page under the name of a file that the student handed in")
    return 1 if missing else 0


def _owners(known: _Class, submissions: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Whose submission of a download is whose: by id -> its name; and why others have none."""
    there = set(submissions)
    roster = known.stored.book.roster
    members = roster.units
    owners: dict[str, str] = {}
    missing: dict[str, str] = {}
    for each in known.mine:
        unit = roster.unit(each.id)
        candidates = [name for name in (each.submission, each.id) if name in there]
        if len(members.get(unit, [])) > 1:
            missing[each.id] = (
                f"handed in with the group {unit}, whose files have one name; their pages differ "
                "and are in the results folder"
            )
        elif candidates:
            owners[each.id] = candidates[0]
        else:
            missing[each.id] = "has no file in the download"
    return owners, missing


def _pages(known: _Class, results: Results) -> dict[str, Pages]:
    """The pages as they lie in the results folder.

    Raises:
        UsageError: one is not there, or is not that of the marks.
    """
    pages = {}
    reports = results.submissions([row.name for row in known.rows])
    for row in known.rows:
        files = reports[row.name]
        try:
            page = feedback.pages_of(files.feedback, [*files.pictures, *files.examples])
        except OSError:
            page = None
        if page is None or page.page.decode("utf-8", "replace") != render(row, known.gradebook):
            raise UsageError(
                f"{files.feedback} is not the page of the marks that are stored; `report` writes "
                "it again"
            )
        pages[row.name] = page
    return pages


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
