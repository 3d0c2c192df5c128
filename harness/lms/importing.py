"""The roster and the times that a download tells of, with the table that goes with it.

What a download itself says is little: Canvas's and Moodle's names hold a name and a number, and no
time. Ids that last a term, and people who handed nothing in, are in Canvas's gradebook and Moodle's
grading worksheet; times are in the worksheet, in what Canvas's API lists, and in Gradescope's
metadata.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.classroom import gradescope
from harness.classroom.roster import FURTHER, Roster, Student, listed
from harness.errors import UsageError
from harness.files import csv_text, read_given
from harness.lms.layout import Person, slug
from harness.lms.matching import NUMBER
from harness.lms.roster_file import written_cell
from harness.report.sanitise import as_text
from harness.spec.schedule import moment_text
from harness.submissions import display
from harness.submissions.downloads import Download
from harness.submissions.platforms import Named

#: Columns whose ids last a term, the best first.
ID_COLUMNS = {
    "canvas": ("SIS User ID", "SIS Login ID"),
    "moodle": ("ID number", "Email address", "Username"),
    "gradescope": ("sid", "email"),
}
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_LARGEST = 256 * 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """One row of the roster, and when this student handed in.

    Attributes:
        submission: the name of the submission in the download; empty where there is none.
        at: when that was handed in; None where nothing says it.
        earlier: the times of what was handed in before.
        numbered: the platform's own number.
    """

    id: str
    name: str = ""
    group: str = ""
    email: str = ""
    submission: str = ""
    at: datetime | None = None
    earlier: tuple[datetime, ...] = ()
    numbered: str = ""


@dataclass(frozen=True)
class Imported:
    """What a download tells.

    Attributes:
        notices: sentences for whoever grades.
        column: whose texts are the ids, where the platform has several.
    """

    entries: tuple[Entry, ...]
    notices: tuple[str, ...] = ()
    column: str = ""


@dataclass(frozen=True)
class Times:
    """When work was handed in, by the platform's own number: the newest, and all before it."""

    newest: Mapping[str, datetime]
    earlier: Mapping[str, tuple[datetime, ...]]


def of_download(download: Download) -> Imported:
    """What names alone tell: a row for every submission, called as it is."""
    entries = tuple(
        Entry(student, found[0].who, submission=student, numbered=found[0].user)
        for student, found in sorted(download.students.items())
    )
    return Imported(entries)


def of_table(
    download: Download, people: Sequence[Person], id_column: str | None = None
) -> Imported:
    """The people of a platform's table, each with the submission of the same number and name.

    What has the name of a group is that of everybody whom the table has in it: Canvas puts the
    number of one of them behind it, Moodle that of the group.

    Args:
        id_column: whose texts become the ids, where it is named; ``number`` is the platform's own
            number.

    Raises:
        UsageError: no column has ids, two people have one id, or somebody has two submissions.
    """
    column = _id_column(download.platform, people, id_column)
    by_number = {person.number: person for person in people}
    owners: dict[int, list[str]] = {}
    strangers, together = [], 0
    for student, found in sorted(download.students.items()):
        person = by_number.get(found[0].user)
        if person is not None and person.is_called(found[0].who):
            owners.setdefault(person.index, []).append(student)
            continue
        members = _members(download, found[0], people)
        for each in members:
            owners.setdefault(each.index, []).append(student)
        together += bool(members)
        if not members:
            whose = f" (the number is that of {person.shown})" if person is not None else ""
            strangers.append((student, whose))
    entries, without = [], []
    for person in people:
        own = person.number if column == NUMBER else person.value(column)
        if not own:
            without.append(person.shown)
            continue
        names = owners.get(person.index, [])
        if len(names) > 1:
            raise UsageError(
                f"{display(str(download.path))}: {listed(names)} are those of {person.shown}; "
                "give one download at a time"
            )
        submission = names[0] if names else ""
        entries.append(
            Entry(
                own,
                person.name,
                person.group,
                person.email,
                submission,
                numbered=person.number,
            )
        )
    repeated = [name for name, count in Counter(each.id for each in entries).items() if count > 1]
    if repeated:
        raise UsageError(
            f"the column {column} has {display(repeated[0])} in several rows; choose another with "
            "--id"
        )
    notices = [f"the ids are those of the column {column}"]
    if without:
        notices.append(f"left out, since the column {column} is empty: {'; '.join(without)}")
    if strangers:
        notices.append(
            f"in the download, and nobody in the table has their number and name: "
            f"{_strangers(strangers)}. Where one is somebody's, write its name into the column "
            "submission of their row in the roster, and when it came in into the table of times"
        )
        if download.platform == "canvas" and not any(person.group for person in people):
            notices.append(
                "where these are groups, say who is in them with --groups: in Canvas, People, the "
                "group set, Download Course Roster CSV"
            )
    if together:
        notices.append(
            f"{together} submissions are those of groups: grade an assignment with `groups: true`"
        )
    return Imported(tuple(entries), tuple(notices))


def _strangers(found: Sequence[tuple[str, str]]) -> str:
    """Submissions that are nobody's, each with what is known of it; all whose number is known."""
    known = [f"{display(name)}{whose}" for name, whose in found if whose]
    others = [name for name, whose in found if not whose]
    return ", ".join([*known, *([listed(others)] if others else [])])


def _members(download: Download, found: Named, people: Sequence[Person]) -> list[Person]:
    """Whom the table has in the group that a submission has the name of; none without one.

    Raises:
        UsageError: the name could be that of two groups.
    """
    members = [each for each in people if each.group and slug(each.group) == slug(found.who)]
    if download.platform == "canvas":  # the number is that of one of them
        own = {each.group for each in members if each.number == found.user}
        members = [each for each in members if each.group in own]
    groups = {each.group for each in members}
    if len(groups) > 1:
        raise UsageError(
            f"{display(str(download.path))}: {display(found.student)} could be of the groups "
            f"{' and '.join(sorted(map(display, groups)))}; rename one of them"
        )
    return members


def of_gradescope(download: Download, id_column: str | None = None) -> Imported:
    """The people of Gradescope's metadata; those who handed in together are a group.

    Raises:
        UsageError: there is no metadata, somebody has no id, or has two submissions.
    """
    if download.metadata is None:
        raise UsageError(
            f"{display(str(download.path))} has no submission_metadata.yml, which says who "
            "handed in what; export the submissions again"
        )
    place = f"{download.path}, submission_metadata.yml"
    records = gradescope.read(download.metadata, place)
    column = _gradescope_column(records, id_column)
    entries: dict[str, Entry] = {}
    notices = [f"the ids are those of the field {column}", *_without_sid(records, column)]
    together = 0
    for record in records:
        ids = sorted(getattr(each, column) for each in record.submitters)
        if not all(ids) or not ids:
            notices.append(f"{record.folder} has a submitter without {column} and is left out")
            continue
        together += len(ids) > 1
        group = " & ".join(ids) if len(ids) > 1 else ""
        for each in record.submitters:
            own = getattr(each, column)
            if own in entries:
                raise UsageError(
                    f"{place}: {display(own)} handed in {entries[own].submission} and "
                    f"{record.folder}; Gradescope has one active submission a student"
                )
            entries[own] = Entry(
                own,
                each.name,
                group,
                each.email,
                record.folder,
                record.at,
                record.earlier,
            )
    missing = sorted(set(download.folders) - {record.folder for record in records})
    if missing:
        notices.append(f"the metadata says nothing of {listed(missing)}")
    if together:
        notices.append(
            f"{together} submissions have several submitters: grade an assignment with "
            "`groups: true`, since their files are there once"
        )
    return Imported(tuple(entries.values()), tuple(notices), column)


def _without_sid(records: Sequence[gradescope.Record], column: str) -> list[str]:
    """A sentence about whoever is the reason that addresses are the ids; empty where nobody is."""
    if column == ID_COLUMNS["gradescope"][0]:
        return []
    people = [each for record in records for each in record.submitters]
    found = [each.name or each.email for each in people if not each.sid]
    if not found or len(found) == len(people):
        return []
    return [f"without a sid, which others have: {listed(found)}; --id sid leaves them out"]


def _gradescope_column(records: Sequence[gradescope.Record], wanted: str | None) -> str:
    known = ID_COLUMNS["gradescope"]
    if wanted is not None:
        if wanted not in known:
            raise UsageError(f"--id {wanted}: there are {', '.join(known)}")
        return wanted
    people = [each for record in records for each in record.submitters]
    for column in known:
        if people and all(getattr(each, column) for each in people):
            return column
    raise UsageError("some submitters have neither a sid nor an email; choose one with --id")


def _id_column(platform: str, people: Sequence[Person], wanted: str | None) -> str:
    there = {name for each in people for name in (*each.ids, *each.logins) if each.value(name)}
    if wanted is not None:
        if wanted != NUMBER and wanted not in there:
            raise UsageError(f"--id {wanted}: there are {', '.join([*sorted(there), NUMBER])}")
        return wanted
    for column in ID_COLUMNS[platform]:
        if column in there:
            return column
    named = ", ".join(ID_COLUMNS[platform])
    raise UsageError(
        f"the table has no column with ids that last a term ({named}); export it with them, or "
        "take the platform's own numbers with --id number"
    )


def marked_late(download: Download) -> list[str]:
    """A sentence about what Canvas's names say of lateness; empty where they say nothing."""
    late = sorted(student for student, each in download.students.items() if each[0].late)
    if not late:
        return []
    return [
        f"Canvas marked these LATE, which its names say without a time: {listed(late)}; when work "
        "came in says --submissions, or a table of times"
    ]


# ------------------------------------------------------------------ times


def read_submissions(paths: Sequence[Path]) -> Times:
    """Times from what Canvas's API lists of an assignment's submissions, as JSON.

    That is ``GET /api/v1/courses/…/assignments/…/submissions``, a file for every page of it; with
    ``include[]=submission_history`` it has earlier attempts too.

    Raises:
        UsageError: it is nothing of the kind, or says two things about one student.
    """
    newest: dict[str, datetime] = {}
    earlier: dict[str, tuple[datetime, ...]] = {}
    for path in paths:
        for user, times in _listed(path):
            if user in newest:
                raise UsageError(
                    f"{path}: user {user} stands twice; give the pages of one list of one "
                    "assignment"
                )
            newest[user] = times[-1]
            earlier[user] = times[:-1]
    return Times(newest, earlier)


def _listed(path: Path) -> Iterator[tuple[str, tuple[datetime, ...]]]:
    """The user of every submission of a list, and the times of all attempts in order."""
    try:
        found = json.loads(read_given(path, _LARGEST).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON: {error}") from None
    try:
        for record in found:
            user = str(int(record["user_id"]))
            if record["submitted_at"]:
                place = f"{path}, user {user}"
                newest = gradescope.moment(str(record["submitted_at"]), place)
                yield user, (*_history(record, newest, place), newest)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{path} is not what Canvas's API lists of submissions: {type(error).__name__} at "
            f"{error}; make a table of times with the columns id and time"
        ) from None


def _history(record: Mapping[str, Any], newest: datetime, place: str) -> tuple[datetime, ...]:
    times = {
        gradescope.moment(str(each["submitted_at"]), place)
        for each in record.get("submission_history") or ()
        if each.get("submitted_at")
    }
    return tuple(sorted(times - {newest}))


def with_times(imported: Imported, times: Times) -> Imported:
    """The entries with their times, and who has none that handed something in."""
    entries = [
        replace(
            each,
            at=times.newest.get(each.numbered),
            earlier=times.earlier.get(each.numbered, ()),
        )
        for each in imported.entries
    ]
    timed = {each.submission for each in entries if each.at is not None}
    unknown = [each.id for each in entries if each.submission and each.submission not in timed]
    notices = [f"nothing says when these were handed in: {listed(unknown)}"] if unknown else []
    return Imported(tuple(entries), (*imported.notices, *notices))


# ------------------------------------------------------------------ files


def with_roster(imported: Imported, known: Roster) -> tuple[list[dict[str, str]], list[str]]:
    """The rows of a roster: what is known stays, and so do absent people; groups may be new.

    New pseudonyms are drawn, since a digest of an id would tell it to whoever tries all ids.

    Raises:
        UsageError: ids of the roster lack leading zeros, so that people would stand in it twice.
    """
    added = [each for each in imported.entries if each.id not in known.students]
    here = {each.id for each in imported.entries}
    _require_zeros(known, sorted(known.students.keys() - here), [each.id for each in added])
    taken = set(known.pseudonyms.values())
    everybody = {
        name: student if student.pseudonym else replace(student, pseudonym=_drawn(taken))
        for name, student in known.students.items()
    }
    rows, moved = [], []
    for each in imported.entries:
        before = everybody.get(each.id) or Student(each.id, _drawn(taken))
        if before.group and each.group not in ("", before.group):
            moved.append(each.id)
        submission = "" if each.submission == each.id else each.submission
        now = replace(
            before,
            name=before.name or each.name,
            group=each.group or before.group,
            email=before.email or each.email,
            submission=submission,
        )
        rows.append(asdict(now))
    kept = [student for name, student in everybody.items() if name not in here]
    rows += [asdict(replace(each, submission="")) for each in kept]
    notices = []
    if added and known.path is not None:
        called = {each.name: each.id for each in known.students.values() if each.name}
        alike = [
            f"{display(each.id)} is called {display(each.name)}, as {display(called[each.name])} is"
            for each in added
            if each.name in called
        ]
        also = f" ({'; '.join(alike)}: is that one person?)" if alike else ""
        ids = listed([each.id for each in added])
        notices.append(f"not in {known.path}, and added: {ids}{also}")
    if kept:
        named = listed([each.id for each in kept])
        notices.append(f"kept from {known.path}, and not in what was imported: {named}")
    if moved:
        notices.append(f"in another group than in {known.path}: {listed(moved)}")
    return sorted(rows, key=lambda row: row["id"]), notices


def _require_zeros(known: Roster, missing: Sequence[str], added: Sequence[str]) -> None:
    """Refuses a roster whose ids lost their leading zeros: everybody would stand in it twice.

    Raises:
        UsageError: some did.
    """
    whole = {name.lstrip("0"): name for name in added}
    lost = [(name, whole[name.lstrip("0")]) for name in missing if name.lstrip("0") in whole]
    if lost:
        cut, full = lost[0]
        count = "1 id lacks" if len(lost) == 1 else f"{len(lost)} ids lack"
        raise UsageError(
            f"{known.path}: {count} leading zeros, such as {display(cut)}, which is "
            f"{display(full)} in what is imported: a spreadsheet took them for "
            "numbers. Write them as they were, in a column that is formatted as text, or take "
            "other ids with --id"
        )


def _drawn(taken: set[str]) -> str:
    while True:
        drawn = "P-" + "".join(secrets.choice(_ALPHABET) for _ in range(5))
        if drawn not in taken:
            taken.add(drawn)
            return drawn


def roster_csv(rows: Iterable[Mapping[str, str]]) -> str:
    """A roster as CSV; no spreadsheet takes its texts for numbers, dates or formulas."""
    columns = ("id", "pseudonym", *FURTHER)
    return csv_text(columns, ([written_cell(name, row[name]) for name in columns] for row in rows))


def times_csv(entries: Iterable[Entry]) -> str:
    """A table of times, earlier attempts first; of those who handed in together one row each time.

    A group's work lies in one folder, so it has one row, under the first of its members.
    """
    rows = []
    seen = set()
    for each in sorted(entries, key=lambda entry: entry.id):
        if each.at is None or not each.submission or each.submission in seen:
            continue
        seen.add(each.submission)
        rows += [[as_text(each.id), _moment(at), ""] for at in sorted(each.earlier)]
        rows.append([as_text(each.id), _moment(each.at), as_text(each.submission)])
    return csv_text(("id", "time", "submission"), rows)


def _moment(at: datetime) -> str:
    """A time with everything that was known of it."""
    text = moment_text(at)
    if not at.microsecond:
        return text
    day, _, zone = text.partition(" ")
    zone = zone.rpartition(" ")[2]
    return f"{day} {at:%H:%M:%S}.{at.microsecond:06d} {zone}"
