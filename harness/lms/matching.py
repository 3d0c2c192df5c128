"""Which row of a platform's table is whose: by ids that are the same, never by a likeness.

Somebody is found where exactly one row of the table has

- the platform's own number and the name that it put into the name of the submission
  (``doejane_12345``), or
- the id, the login or the address that the roster has.

Where these lead to several rows, or to none, or two students lead to one row, nobody is found, and
whoever exports is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import UsageError
from harness.lms.layout import Person

_DOWNLOADED = re.compile(r"(?P<who>.+)_(?P<number>\d+)", re.DOTALL)
#: The platform's own number, as the option that chooses a column calls it.
NUMBER = "number"


@dataclass(frozen=True)
class Mine:
    """Somebody who has a mark.

    Attributes:
        id: the name of the row in the gradebook.
        submission: the name of the submission in the download, where the roster says one.
    """

    id: str
    email: str = ""
    submission: str = ""


@dataclass(frozen=True)
class Matches:
    """Who was found where.

    Attributes:
        found: id -> the row of the table.
        missing: id -> why there is none, in a few words.
        others: the rows that are nobody's.
    """

    found: Mapping[str, Person]
    missing: Mapping[str, str]
    others: tuple[Person, ...]


class _Index:
    """The rows of a table by what they can be found by."""

    def __init__(self, people: Sequence[Person]) -> None:
        self.people = people
        self.ids = list(dict.fromkeys(name for each in people for name in each.ids))
        self.logins = list(dict.fromkeys(name for each in people for name in each.logins))
        self._rows: dict[tuple[str, str], list[Person]] = {}
        for person in people:
            for key in _keys(person):
                self._rows.setdefault(key, []).append(person)

    def at(self, column: str, text: str) -> list[Person]:
        """The rows that have a text in a column; capitals do not matter in logins."""
        key = text.casefold() if column in self.logins else text
        return self._rows.get((column, key), []) if text else []

    def of(self, mine: Mine) -> tuple[list[Person], str]:
        """The rows that somebody leads to, and why a likely one is not among them."""
        hits: list[Person] = []
        reason = ""
        for name in (mine.id, mine.submission):
            parts = _DOWNLOADED.fullmatch(name)
            if parts is None:
                continue
            for person in self.at(NUMBER, parts["number"]):
                if person.is_called(parts["who"]):
                    hits.append(person)
                else:
                    reason = f"number {person.number} is {person.shown}, a different name"
        for column in self.ids:
            hits += self.at(column, mine.id)
        for column in self.logins:
            hits += self.at(column, mine.id) + self.at(column, mine.email)
        return hits, reason


def match(mine: Sequence[Mine], people: Sequence[Person], column: str | None = None) -> Matches:
    """Finds the rows of some students.

    Args:
        column: the one column whose ids are those of the students, where it is named;
            ``number`` is the platform's own number.

    Raises:
        UsageError: the table has no such column.
    """
    index = _Index(people)
    known = [*index.ids, *index.logins, NUMBER]
    if column is not None and column not in known:
        raise UsageError(f"--match {column}: there are {', '.join(known)}")
    found: dict[str, Person] = {}
    missing: dict[str, str] = {}
    for each in mine:
        rows, reason = index.of(each) if column is None else (index.at(column, each.id), "")
        hits = list({row.index: row for row in rows}.values())
        if len(hits) == 1:
            found[each.id] = hits[0]
        elif hits:
            listed = " and ".join(hit.shown for hit in hits)
            missing[each.id] = f"could be {listed}"
        else:
            missing[each.id] = reason or _zeros(each.id, people)
    owners: dict[int, list[str]] = {}
    for name, person in found.items():
        owners.setdefault(person.index, []).append(name)
    for names in owners.values():
        if len(names) > 1:
            for name in names:
                missing[name] = f"shares the row of {found.pop(name).shown} with another"
    taken = {person.index for person in found.values()}
    others = tuple(person for person in people if person.index not in taken)
    return Matches(found, dict(sorted(missing.items())), others)


def _keys(person: Person) -> Iterator[tuple[str, str]]:
    """What a row can be found by: a column, and a text in it."""
    yield NUMBER, person.number
    yield from ((name, text) for name, text in person.ids.items() if text)
    yield from ((name, text.casefold()) for name, text in person.logins.items() if text)


def _zeros(name: str, people: Sequence[Person]) -> str:
    """Why nobody was found: zeros that a spreadsheet took, or nothing better."""
    short = name.lstrip("0")
    for person in people:
        for text in person.ids.values():
            if short and text.lstrip("0") == short:
                return f"is not there; a spreadsheet may have taken zeros from {name} or {text}"
    return "is not there"
