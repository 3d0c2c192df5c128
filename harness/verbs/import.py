"""``import``: the roster and the times of a download of Canvas, Moodle or Gradescope.

The download itself stays as it is; ``grade`` reads it. What is written are two tables for
``--roster`` and ``--times``, and what to check in them is said.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from harness.classroom import roster as rosters
from harness.classroom.roster import Roster
from harness.errors import UsageError
from harness.files import write_bytes
from harness.lms import canvas, importing, moodle, roster_file, sheet
from harness.lms.importing import Imported
from harness.submissions import downloads
from harness.submissions.downloads import Download
from harness.submissions.platforms import PLATFORMS
from harness.verbs import options, output

ROSTER, TIMES = "roster.csv", "times.csv"


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
        help="Canvas's gradebook or Moodle's grading worksheet, as exported: who is in the course",
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
    imported = _imported(args, download)
    known = rosters.read(args.roster) if args.roster else Roster()
    rows, notices = importing.with_roster(imported, known)
    timed = [each for each in imported.entries if each.at is not None]
    content = importing.roster_csv(rows).encode()
    if args.roster:
        content = roster_file.rewritten(args.roster, known, rows)
    written = _write(args.to, content, importing.times_csv(timed))
    notices = [*imported.notices, *known.notices, *notices]
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
    words = ["grade", str(path), "--assignment", "NAME", "--roster", str(args.to / ROSTER)]
    words += ["--times", str(args.to / TIMES)] if timed else []
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
        "--table": (args.table, ("canvas", "moodle")),
        "--submissions": (args.submissions, ("canvas",)),
        "--groups": (args.groups, ("canvas",)),
        "--zone": (args.zone, ("moodle",)),
        "--header": (args.header, ("moodle",)),
    }
    for option, (given, platforms) in belongs.items():
        if given and download.platform not in platforms:
            raise UsageError(f"{option} is not for a download of {download.platform}")
    if args.zone and not args.table:
        raise UsageError("--zone is that of the times in --table")
    if args.groups and not args.table:
        raise UsageError("--groups says who of --table is in which group; give both")
    if args.id and download.platform != "gradescope" and not args.table:
        raise UsageError("--id names a column of --table")


def _imported(args: argparse.Namespace, download: Download) -> Imported:
    if download.platform == "gradescope":
        return importing.of_gradescope(download, args.id)
    imported = importing.of_download(download)
    if download.platform == "canvas":
        if args.table:
            people = canvas.read(sheet.read(args.table, canvas.WHAT)).people
            if args.groups:
                groups = sheet.read(args.groups, canvas.WHAT_GROUPS)
                people = canvas.with_groups(people, groups)
            imported = importing.of_table(download, people, args.id)
        if args.submissions:
            return importing.with_times(imported, importing.read_submissions(args.submissions))
        late = importing.marked_late(download)
        return Imported(imported.entries, (*imported.notices, *late))
    if not args.table:
        return imported
    worksheet = moodle.read(sheet.read(args.table, moodle.WHAT), moodle.read_headers(args.header))
    imported = importing.of_table(download, worksheet.people, args.id)
    if not args.zone:
        return imported
    times, notices = worksheet.submitted(args.zone)
    newest = {each.number: times[each.index] for each in worksheet.people if each.index in times}
    timed = importing.with_times(imported, importing.Times(newest, {}))
    minutes = "Moodle's worksheet says minutes, not seconds, and of several attempts the last"
    return Imported(timed.entries, (*timed.notices, *notices, minutes))


def _write(folder: Path, roster: bytes, times: str) -> list[Path]:
    """Writes the tables; one without times is not written.

    Raises:
        UsageError: something of these names is there, or the folder cannot be made.
    """
    paths = [folder / ROSTER] + ([folder / TIMES] if times.count("\n") > 1 else [])
    for path in (folder / ROSTER, folder / TIMES):
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} is there already; give another folder, or move it away")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}") from None
    contents = (roster, times.encode())
    return [write_bytes(path, content) for path, content in zip(paths, contents, strict=False)]
