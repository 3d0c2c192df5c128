"""``import``: the roster and the times of a download of Canvas, Moodle or Gradescope.

The download itself stays as it is; ``grade`` reads it. What is written are two tables for
``--roster`` and ``--times``, and what to check in them is said.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.classroom import extensions
from harness.classroom import roster as rosters
from harness.classroom.roster import Roster
from harness.errors import UsageError
from harness.files import csv_text, write_bytes
from harness.lms import (
    attempt_times,
    canvas,
    gradescope_scores,
    import_tables,
    importing,
    moodle,
    roster_file,
    sheet,
)
from harness.lms.gradescope_scores import Score
from harness.lms.importing import Imported
from harness.submissions import downloads
from harness.submissions.downloads import Download
from harness.submissions.platforms import PLATFORMS
from harness.syllabus import read_syllabus
from harness.verbs import options, output

ROSTER, TIMES, EXTENSIONS = "roster.csv", "times.csv", "extensions.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the verb's options."""
    options.common(parser)
    parser.add_argument(
        "words",
        nargs="+",
        metavar="[canvas|moodle|gradescope] PATH",
        help="the downloaded archive, or the folder that it was unpacked to",
    )
    parser.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help=f"gets {ROSTER} and {TIMES}"
    )
    parser.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        help="Canvas's gradebook, Moodle's grading worksheet or Gradescope's scores, as exported: "
        "who is in the course",
    )
    parser.add_argument(
        "--assignment",
        metavar="NAME",
        help=f"what the download is of; with Gradescope's scores {EXTENSIONS} says who has other "
        "dates there",
    )
    parser.add_argument(
        "--submissions",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="what Canvas's API lists of the assignment's submissions (JSON), once a page of its",
    )
    parser.add_argument(
        "--groups",
        type=Path,
        metavar="FILE",
        help="the roster of Canvas's group set, as downloaded: who is in which group",
    )
    parser.add_argument(
        "--zone", metavar="ZONE", help="of the times in Moodle's worksheet, such as Europe/Berlin"
    )
    parser.add_argument("--id", metavar="COLUMN", help="the column whose texts become the ids")
    options.headers(parser)
    parser.add_argument(
        "--roster",
        type=Path,
        metavar="FILE",
        help="a roster whose columns, layout, pseudonyms, names and groups stay",
    )


def run(args: argparse.Namespace) -> int:
    """Writes roster and times; returns the exit code."""
    platform, path = _named(args.words)
    download = downloads.read(path)
    if platform not in (None, download.platform):
        raise UsageError(f"{path} is a download of {download.platform}, not of {platform}")
    _refuse_options(args, download)
    scores = _scores(args, download)
    imported = _imported(args, download, scores)
    known = rosters.read(args.roster, complete=False) if args.roster else Roster()
    rows, notices = import_tables.with_roster(imported, known)
    timed = [each for each in imported.entries if each.at is not None]
    content = import_tables.roster_csv(rows).encode()
    if args.roster:
        content = roster_file.rewritten(args.roster, known, rows)
    files = {ROSTER: content}
    if timed:
        files[TIMES] = import_tables.times_csv(timed).encode()
    later, extended = _extensions(args, imported, scores)
    if later:
        files[EXTENSIONS] = csv_text(extensions.COLUMNS, later).encode()
    written = _write(args.to, files)
    notices = [*imported.notices, *known.notices, *notices, *extended]
    for notice in notices:
        print(f"note: {notice}", file=sys.stderr)
    handed_in = sum(bool(each.submission) for each in imported.entries)
    if args.json:
        output.emit(
            {
                "platform": download.platform,
                "students": len(rows),
                "submissions": handed_in,
                "written": [str(each) for each in written],
                "notices": notices,
            }
        )
        return 0
    print(
        f"{download.platform.capitalize()}: {len(rows)} students, {handed_in} of them handed in; "
        f"{', '.join(map(str, written))}"
    )
    words = ["grade", str(path), "--assignment", args.assignment or "NAME"]
    for name in files:
        words += [f"--{Path(name).stem}", str(args.to / name)]
    print(f"next: {shlex.join(words)}")
    return 0


def _named(words: list[str]) -> tuple[str | None, Path]:
    """The platform, where it is named, and the path."""
    if len(words) == 1:
        return None, Path(words[0])
    if len(words) == 2 and words[0] in PLATFORMS:
        return words[0], Path(words[1])
    raise UsageError(f"give one PATH, and before it {', '.join(PLATFORMS)} or nothing")


def _refuse_options(args: argparse.Namespace, download: Download) -> None:
    """Refuses options of another platform, which would do nothing.

    Raises:
        UsageError: there is one.
    """
    belongs = {
        "--assignment": (args.assignment, ("gradescope",)),
        "--submissions": (args.submissions, ("canvas",)),
        "--groups": (args.groups, ("canvas",)),
        "--zone": (args.zone, ("moodle",)),
        "--header": (args.header, ("moodle",)),
    }
    for option, (given, platforms) in belongs.items():
        if given and download.platform not in platforms:
            raise UsageError(f"{option} is not for a download of {download.platform}")
    if args.assignment and not args.table:
        raise UsageError(
            "--assignment is for the extensions that Gradescope's scores in --table show"
        )
    if args.zone and not args.table:
        raise UsageError("--zone is that of the times in --table")
    if args.groups and not args.table:
        raise UsageError("--groups says who of --table is in which group; give both")
    if args.id and download.platform != "gradescope" and not args.table:
        raise UsageError("--id names a column of --table")


def _scores(args: argparse.Namespace, download: Download) -> tuple[Score, ...]:
    """The rows of Gradescope's table of scores; none where it is not given."""
    if download.platform != "gradescope" or not args.table:
        return ()
    return gradescope_scores.read(args.table)


def _imported(args: argparse.Namespace, download: Download, scores: Sequence[Score]) -> Imported:
    if download.platform == "gradescope":
        imported = importing.of_gradescope(download, args.id)
        return gradescope_scores.with_absent(imported, scores)
    imported = importing.of_download(download)
    if download.platform == "canvas":
        if args.table:
            people = canvas.read(sheet.read(args.table, canvas.WHAT)).people
            if args.groups:
                groups = sheet.read(args.groups, canvas.WHAT_GROUPS)
                people = canvas.with_groups(people, groups)
            imported = importing.of_table(download, people, args.id)
        if args.submissions:
            return attempt_times.with_times(
                imported, attempt_times.read_submissions(args.submissions)
            )
        late = importing.marked_late(download)
        return Imported(imported.entries, (*imported.notices, *late))
    return _of_moodle(args, download) if args.table else imported


def _of_moodle(args: argparse.Namespace, download: Download) -> Imported:
    """What a download and its worksheet tell, with the times where their zone is told."""
    worksheet = moodle.read(sheet.read(args.table, moodle.WHAT), moodle.read_headers(args.header))
    imported = importing.of_table(download, worksheet.people, args.id)
    if not args.zone and not worksheet.has_times:
        return imported
    if not args.zone:
        without = (
            "the times of the worksheet are left out, since they have no zone: with --zone, such "
            "as Europe/Berlin, there is a times.csv"
        )
        return replace(imported, notices=(*imported.notices, without))
    times, notices = worksheet.submitted(args.zone)
    newest = {each.number: times[each.index] for each in worksheet.people if each.index in times}
    timed = attempt_times.with_times(imported, attempt_times.TimesByNumber(newest, {}))
    minutes = "Moodle's worksheet says minutes, not seconds, and of several attempts the last"
    return Imported(timed.entries, (*timed.notices, *notices, minutes))


def _extensions(
    args: argparse.Namespace, imported: Imported, scores: Sequence[Score]
) -> tuple[list[tuple[str, str, str, str, str]], list[str]]:
    """Who has other dates on Gradescope, as rows of a table, and what is to be said of it."""
    if not args.assignment:
        return [], []
    syllabus = read_syllabus(args.tasks, args.reference, args.assignment)
    if syllabus.declared is None:
        raise UsageError(f"--assignment {args.assignment} has no file, and so no due date")
    return gradescope_scores.extended(imported, scores, syllabus.declared)


def _write(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Writes the tables.

    Raises:
        UsageError: something of these names is there, or the folder cannot be made.
    """
    for path in (folder / name for name in (ROSTER, TIMES, EXTENSIONS)):
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} is there already; give another folder, or move it away")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}") from None
    return [write_bytes(folder / name, content) for name, content in files.items()]
