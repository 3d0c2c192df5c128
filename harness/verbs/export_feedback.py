"""``export feedback-zip``: pages of feedback in an archive that Canvas or Moodle takes back."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from harness.errors import UsageError
from harness.files import write_bytes
from harness.lms import feedback, matching
from harness.lms.feedback import Pages
from harness.report.feedback import render
from harness.results import Results
from harness.submissions import downloads
from harness.verbs import output
from harness.verbs.exporting import ClassMarks, list_reasons, worksheet_of


def feedback_zip(args: argparse.Namespace, known: ClassMarks, results: Results) -> int:
    """Writes the archive of pages."""
    for option in ("column", "points", "comments", "provisional"):
        if getattr(args, option):
            raise UsageError(f"--{option} is about grades; feedback-zip has none")
    pages = _pages(known, results)
    missing: dict[str, str]
    if args.file.suffix.lower() == ".csv":
        worksheet = worksheet_of(args)
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
        list_reasons("not in the archive", missing)
        print(f"{args.to}: the pages of {written} of {len(pages)} for {platform.capitalize()}")
        if platform == "canvas":
            print("Canvas shows a page under the name of a file that the student handed in")
    return 1 if missing else 0


def _owners(known: ClassMarks, submissions: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
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


def _pages(known: ClassMarks, results: Results) -> dict[str, Pages]:
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
