"""Moodle's offline grading worksheet, as *Download grading worksheet* writes it.

::

    Identifier,Full name,ID number,Email address,Status,Grade,Maximum grade,Grade can be changed,
    Last modified (submission),Last modified (grade),Feedback comments
    Participant 123,Jane Doe,00123,jane@example.org,Submitted for grading,,10.00,Yes,
    "Monday, 19 October 2026, 11:50 PM",-,

Moodle finds the rows by ``Identifier``, takes ``Grade`` and the comments, and compares ``Last
modified (grade)``; it drops a grade without a word that is above the maximum. Which other columns
there are depends on the site, and their names on the language of whoever exported it: these are
told with ``--header Grade=Bewertung``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.errors import UsageError
from harness.lms.layout import Layout, Person, columns, decimal_mark, number
from harness.lms.sheet import Sheet
from harness.spec.schedule import read_moment
from harness.submissions import display

WHAT = "a grading worksheet of Moodle"
_REQUIRED = ("Identifier", "Grade")
_IDS = ("ID number",)
_EMAIL = "Email address"
_LOGINS = (_EMAIL, "Username")
_MAXIMUM = "Maximum grade"
_CHANGEABLE = "Grade can be changed"
_COMMENT = "Feedback comments"
_SUBMITTED = "Last modified (submission)"
_MODIFIED = "Last modified (grade)"
_SCALE = "Scale"
#: The columns that are asked for by name.
KNOWN = (
    *_REQUIRED,
    "Full name",
    *_IDS,
    *_LOGINS,
    "Status",
    "Group",
    _MAXIMUM,
    _CHANGEABLE,
    _COMMENT,
    _SUBMITTED,
    _MODIFIED,
)
_PARTICIPANT = re.compile(r"(?P<word>\D*)(?P<number>\d+)")
_NO_TIME = ("", "-")
_NO_GROUP = (
    *("Not a member of any group", "Member of more than one group"),
    *("Nicht Mitglied einer Gruppe", "Mitglied in mehreren Gruppen"),
)
_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            *("january januar", "february februar", "march märz", "april", "may mai", "june juni"),
            *("july juli", "august", "september", "october oktober", "november"),
            "december dezember",
        ),
        1,
    )
    for name in names.split()
}
_DATE = re.compile(
    r"(?:\w+, )?(?:(?P<day>\d{1,2})\.? (?P<month>\w+)"
    r"|(?P<month_first>\w+) (?P<day_second>\d{1,2}),)"
    r" (?P<year>\d{4}), (?P<hour>\d{1,2}):(?P<minute>\d{2})(?: (?P<half>[AP]M))?"
)


@dataclass(frozen=True)
class Worksheet:
    """The table, understood.

    Attributes:
        at: the columns that are known, by their English names.
    """

    sheet: Sheet
    people: tuple[Person, ...]
    at: Mapping[str, int]

    def layout(self) -> Layout:
        """The table with its grades.

        Raises:
            UsageError: it has no grades that are numbers, or lacks what Moodle asks for.
        """
        if _MODIFIED not in self.at:
            raise UsageError(_missing(self.sheet, _MODIFIED))
        if _MAXIMUM not in self.at and _SCALE.casefold() in map(str.casefold, self.sheet.header):
            raise UsageError(
                f"{self.sheet.path}: the assignment is graded by a scale in Moodle, not by points"
            )
        worth = {each.index: number(self._cell(each, _MAXIMUM)) for each in self.people}
        # Moodle writes yes and no in the language of the user; no other words are known here
        locked = {
            each.index: "Moodle says that the grade cannot be changed"
            for each in self.people
            if self._cell(each, _CHANGEABLE).strip().casefold() in ("no", "nein")
        }
        texts = [self._cell(each, name) for each in self.people for name in (_MAXIMUM, "Grade")]
        return Layout(
            "moodle",
            self.sheet,
            self.people,
            self.at["Grade"],
            worth,
            locked,
            self.at.get(_COMMENT),
            decimal_mark(texts),
            self.sheet.notices,
        )

    @property
    def has_times(self) -> bool:
        """Whether it says when work was handed in."""
        return _SUBMITTED in self.at

    def submitted(self, zone: str) -> tuple[dict[int, datetime], list[str]]:
        """When each person's work was last changed, by row, and what is to be said of it.

        Moodle writes minutes, not seconds, and no zone: the time is that of the clock of whoever
        downloaded the worksheet.

        Raises:
            UsageError: a time cannot be read, or is not one of the zone.
        """
        if _SUBMITTED not in self.at:
            raise UsageError(_missing(self.sheet, _SUBMITTED))
        times, drafts = {}, []
        for each in self.people:
            text = self._cell(each, _SUBMITTED).strip()
            if text in _NO_TIME:
                continue
            times[each.index] = _moment(text, zone, f"{self.sheet.path}:{each.line}")
            if self._cell(each, "Status").strip().casefold().startswith("draft"):
                drafts.append(each.shown)
        notices = []
        if drafts:
            notices.append(f"drafts in Moodle, which were not handed in: {'; '.join(drafts)}")
        return times, notices

    def _cell(self, person: Person, name: str) -> str:
        column = self.at.get(name)
        return "" if column is None else self.sheet.rows[person.index].cells[column]


def read(sheet: Sheet, headers: Mapping[str, str] | None = None) -> Worksheet:
    """Moodle's worksheet.

    Args:
        headers: English name of a column -> its name in this file, where they differ.

    Raises:
        UsageError: a column is missing, or two rows have one identifier.
    """
    called = {name: (headers or {}).get(name, name) for name in KNOWN}
    columns_by_name = columns(sheet, WHAT, [])
    for name in _REQUIRED:
        if called[name].casefold() not in columns_by_name:
            raise UsageError(_missing(sheet, called[name]))
    unknown = [name for name in headers or {} if called[name].casefold() not in columns_by_name]
    if unknown:
        raise UsageError(_missing(sheet, called[unknown[0]]))
    columns(sheet, WHAT, [here for here in called.values() if here.casefold() in columns_by_name])
    at = {
        name: columns_by_name[here.casefold()]
        for name, here in called.items()
        if here.casefold() in columns_by_name
    }
    people: list[Person] = []
    seen: dict[str, int] = {}
    for index, row in enumerate(sheet.rows):
        if index == 0 or row.is_empty:
            continue
        cells = {name: row.cells[column].strip() for name, column in at.items()}
        own = _PARTICIPANT.fullmatch(cells["Identifier"])
        if own is None:
            raise UsageError(
                f"{sheet.path}:{row.line}: {display(cells['Identifier'])!r} is no identifier of "
                "Moodle, such as Participant 123; download the worksheet again"
            )
        line = seen.setdefault(own["number"], row.line)
        if line != row.line:
            raise UsageError(
                f"{sheet.path}:{row.line}: {cells['Identifier']} stands in line {line} too"
            )
        people.append(
            Person(
                index,
                row.line,
                cells.get("Full name", own["word"].strip()),  # without names when marking is blind
                own["number"],
                {name: cells[name] for name in _IDS if name in cells},
                {name: cells[name] for name in _LOGINS if name in cells},
                cells.get(_EMAIL, ""),
                group := _group(cells.get("Group", "")),
                alone="Group" in cells and not group,
            )
        )
    if not people:
        raise UsageError(f"{sheet.path}: {WHAT} has a row for every student; there is none")
    return Worksheet(sheet, tuple(people), at)


def _group(text: str) -> str:
    """The group of a cell; Moodle writes there, too, why somebody cannot hand in."""
    return "" if text.startswith(_NO_GROUP) else text


def read_headers(words: Sequence[str]) -> dict[str, str]:
    """The names of columns from words such as ``Grade=Bewertung``.

    Raises:
        UsageError: a word is none, or names no column that is asked for.
    """
    headers = {}
    for word in words:
        name, _, here = word.partition("=")
        known = next((each for each in KNOWN if each.casefold() == name.strip().casefold()), None)
        if known is None or not here.strip():
            raise UsageError(
                f"--header {word}: write the English name, = and the name in the file, such as "
                f"Grade=Bewertung; there are {', '.join(KNOWN)}"
            )
        headers[known] = here.strip()
    return headers


def _missing(sheet: Sheet, name: str) -> str:
    return (
        f"{sheet.path}:1: {WHAT} has no column {name}; found {sheet.header_text}. If the names are "
        "in another language, tell them, such as --header Grade=Bewertung"
    )


def _moment(text: str, zone: str, place: str) -> datetime:
    match = _DATE.fullmatch(" ".join(text.split()))
    month = _MONTHS.get((match["month"] or match["month_first"]).casefold()) if match else None
    if match is None or month is None:
        raise UsageError(
            f"{place}: {display(text)!r} is no time as Moodle writes it in English or German, such "
            "as Monday, 19 October 2026, 11:50 PM; make a table of times with the columns id and "
            "time"
        )
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % 12 + (12 if match["half"] == "PM" else 0)
    day = int(match["day"] or match["day_second"])
    written = f"{match['year']}-{month:02d}-{day:02d} {hour:02d}:{match['minute']} {zone}"
    try:
        return read_moment(written)
    except ValueError as error:
        raise UsageError(f"{place}: {error}") from None
