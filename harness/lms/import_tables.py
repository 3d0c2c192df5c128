"""The tables that ``import`` writes of what a download tells: a roster, and a table of times."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime

from harness.classroom.roster import FURTHER, Roster, Student, listed
from harness.errors import UsageError
from harness.files import csv_text
from harness.lms.importing import TOGETHER, Entry, Imported
from harness.lms.roster_file import written_cell
from harness.report.sanitise import as_text
from harness.spec.schedule import moment_text
from harness.submissions.records import display

#: Characters of a pseudonym; those that look like another are left out.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


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
    rows, moved, renamed = [], [], []
    for each in imported.entries:
        before = everybody.get(each.id) or Student(each.id, _drawn(taken))
        group = "" if _is_alone(each, before) else each.group or before.group
        if before.group and group != before.group:
            moved.append(f"{each.id} ({before.group}, there {group or 'in none'})")
        if _differ(before.name, each.name):
            renamed.append(f"{each.id} ({before.name}, there {each.name})")
        submission = "" if each.submission == each.id else each.submission
        now = replace(
            before,
            name=before.name or each.name,
            group=group,
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
    if renamed:
        notices.append(f"called as {known.path} has it, and otherwise there: {listed(renamed)}")
    if moved:
        notices.append(f"in another group than in {known.path}: {listed(moved)}")
    return sorted(rows, key=lambda row: row["id"]), notices


def _is_alone(entry: Entry, before: Student) -> bool:
    """Whether somebody is in no group: as the platform says, or on Gradescope for this time."""
    together = before.group.split(TOGETHER)
    handed_in_alone = bool(entry.submission) and not entry.group
    return entry.alone or (len(together) > 1 and entry.id in together and handed_in_alone)


def _differ(known: str, told: str) -> bool:
    """Whether two names are of other words; their order and commas say nothing."""
    words = [set(re.findall(r"\w+", each.casefold())) for each in (known, told)]
    return bool(words[0] and words[1]) and words[0] != words[1]


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
