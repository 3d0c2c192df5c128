"""Who handed in what, as a download tells it together with the table that goes with it.

What a download itself says is little: Canvas's and Moodle's names hold a name and a number, and no
time. Ids that last a term, and people who handed nothing in, are in Canvas's gradebook and Moodle's
grading worksheet; times are in Gradescope's metadata, or added by :mod:`harness.lms.attempt_times`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.classroom import gradescope
from harness.classroom.roster import listed
from harness.errors import UsageError
from harness.lms.layout import Person, slug
from harness.lms.matching import NUMBER
from harness.submissions import display
from harness.submissions.downloads import Download
from harness.submissions.platforms import Named

#: Columns whose ids last a term, the best first.
ID_COLUMNS = {
    "canvas": ("SIS User ID", "SIS Login ID"),
    "moodle": ("ID number", "Email address", "Username"),
    "gradescope": ("sid", "email"),
}


#: Between the ids of those who handed in together on Gradescope, in the name of their group.
TOGETHER = " & "


@dataclass(frozen=True)
class Entry:
    """One row of the roster, and when this student handed in.

    Attributes:
        submission: the name of the submission in the download; empty where there is none.
        at: when that was handed in; None where nothing says it.
        earlier: the times of what was handed in before.
        numbered: the platform's own number.
        alone: whether the platform says that nobody hands in together with them.
    """

    id: str
    name: str = ""
    group: str = ""
    email: str = ""
    submission: str = ""
    at: datetime | None = None
    earlier: tuple[datetime, ...] = ()
    numbered: str = ""
    alone: bool = False


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


def of_download(download: Download) -> Imported:
    """What names alone tell: a row for every submission, called as it is."""
    entries = tuple(
        Entry(student, parts[0].who, submission=student, numbered=parts[0].user)
        for student, parts in sorted(download.students.items())
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
    ownership = _ownership(download, people)
    entries, without = [], []
    for person in people:
        own = person.number if column == NUMBER else person.value(column)
        if not own:
            without.append(person.shown)
            continue
        names = ownership.submissions.get(person.index, [])
        if len(names) > 1:
            raise UsageError(
                f"{display(str(download.path))}: {listed(names)} are those of {person.shown}; "
                "give one download at a time"
            )
        submission = names[0] if names else ""
        entries.append(
            Entry(
                *(own, person.name, person.group, person.email, submission),
                numbered=person.number,
                alone=person.alone,
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
    return Imported(tuple(entries), (*notices, *_notices(ownership, download, people)))


@dataclass(frozen=True)
class _Ownership:
    """Whose submission is whose in a download of Canvas or Moodle.

    Attributes:
        submissions: the index of a person in the table -> the names of their submissions.
        strangers: submissions of nobody in the table, each with what its number tells.
        together: how many submissions are those of a group.
    """

    submissions: dict[int, list[str]]
    strangers: list[tuple[str, str]]
    together: int


def _ownership(download: Download, people: Sequence[Person]) -> _Ownership:
    """Matches submissions with people, by number and name or by the name of a group.

    Raises:
        UsageError: a name could be that of two groups.
    """
    by_number = {person.number: person for person in people}
    submissions: dict[int, list[str]] = {}
    strangers, together = [], 0
    for student, parts in sorted(download.students.items()):
        person = by_number.get(parts[0].user)
        if person is not None and person.is_called(parts[0].who):
            submissions.setdefault(person.index, []).append(student)
            continue
        members = _members(download, parts[0], people)
        for each in members:
            submissions.setdefault(each.index, []).append(student)
        together += bool(members)
        if not members:
            whose = f" (the number is that of {person.shown})" if person is not None else ""
            strangers.append((student, whose))
    return _Ownership(submissions, strangers, together)


def _notices(ownership: _Ownership, download: Download, people: Sequence[Person]) -> list[str]:
    """What whoever grades should know of submissions of nobody, or of several people."""
    notices = []
    if ownership.strangers:
        notices.append(
            f"in the download, and nobody in the table has their number and name: "
            f"{_strangers(ownership.strangers)}. Where one is somebody's, write its name into the "
            "column submission of their row in the roster, and when it came in into the table of "
            "times"
        )
        if download.platform == "canvas" and not any(person.group for person in people):
            notices.append(
                "where these are groups, say who is in them with --groups: in Canvas, People, the "
                "group set, Download Course Roster CSV"
            )
    if ownership.together:
        notices.append(
            f"{ownership.together} submissions are those of groups: grade an assignment with "
            "`groups: true`"
        )
    return notices


def _strangers(nobodys: Sequence[tuple[str, str]]) -> str:
    """Submissions that are nobody's, each with what is known of it; all whose number is known."""
    known = [f"{display(name)}{whose}" for name, whose in nobodys if whose]
    others = [name for name, whose in nobodys if not whose]
    return ", ".join([*known, *([listed(others)] if others else [])])


def _members(download: Download, named: Named, people: Sequence[Person]) -> list[Person]:
    """Whom the table has in the group that a submission has the name of; none without one.

    Raises:
        UsageError: the name could be that of two groups.
    """
    members = [each for each in people if each.group and slug(each.group) == slug(named.who)]
    if download.platform == "canvas":  # the number is that of one member
        own = {each.group for each in members if each.number == named.user}
        members = [each for each in members if each.group in own]
    groups = {each.group for each in members}
    if len(groups) > 1:
        raise UsageError(
            f"{display(str(download.path))}: {display(named.student)} could be of the groups "
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
        group = TOGETHER.join(ids) if len(ids) > 1 else ""
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
    without = [each.name or each.email for each in people if not each.sid]
    if not without or len(without) == len(people):
        return []
    return [f"without a sid, which others have: {listed(without)}; --id sid leaves them out"]


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
