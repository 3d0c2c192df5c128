"""What the tables of learning platforms have in common: a row a person, and a column of grades."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from harness.errors import UsageError
from harness.lms.sheet import Sheet
from harness.submissions import display
from harness.submissions.platforms import Platform

_NUMBER = re.compile(r"\s*[-+]?\d+(?:[.,]\d+)?\s*")
_DECIMAL_COMMA = re.compile(r"\s*\d+,\d+\s*")


@dataclass(frozen=True)
class Person:
    """A row of a platform's table.

    Attributes:
        index: which row of the sheet it is.
        number: the platform's own number: Canvas's user, Moodle's participant of one assignment.
        ids: column -> an id that has to be the same to the letter.
        logins: column -> an address or a login, in which capitals do not matter.
        group: whom it handed in with, as far as the table says.
        alone: whether the table says that it is in no group.
    """

    index: int
    line: int
    name: str
    number: str
    ids: Mapping[str, str] = field(default_factory=dict)
    logins: Mapping[str, str] = field(default_factory=dict)
    email: str = ""
    group: str = ""
    alone: bool = False

    @property
    def shown(self) -> str:
        """The person in a message."""
        return f"{display(self.name) or 'no name'} (line {self.line})"

    def is_called(self, who: str) -> bool:
        """Whether a platform puts this person's name, or group and name, so into a file's name."""
        return slug(who) in {slug(self.name), slug(self.group + self.name)}

    def value(self, column: str) -> str:
        """The id or login in a column; empty where there is none."""
        return self.ids.get(column) or self.logins.get(column, "")


@dataclass(frozen=True)
class Layout:
    """A table and where in it grades stand.

    Attributes:
        grade: the column of the grades.
        worth: what the platform's assignment is worth, by row; None where the table does not say.
        locked: rows whose grade the platform would not take, or must not lose -> why.
        comment: the column of comments; None where there is none.
    """

    platform: Platform
    sheet: Sheet
    people: tuple[Person, ...]
    grade: int
    worth: Mapping[int, float | None]
    locked: Mapping[int, str] = field(default_factory=dict)
    comment: int | None = None
    decimal: str = "."
    notices: tuple[str, ...] = ()


def slug(name: str) -> str:
    """What two spellings of a name have in common: letters and digits, in small letters.

    Canvas leaves everything else out of the names of a download.
    """
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def number(text: str) -> float | None:
    """A number with a point or a comma, as platforms write it; None where it is none."""
    return float(text.strip().replace(",", ".")) if _NUMBER.fullmatch(text) else None


def decimal_mark(texts: Collection[str]) -> str:
    """What stands before the decimals of some cells: a comma if one of them has it."""
    return "," if any(_DECIMAL_COMMA.fullmatch(text) for text in texts) else "."


def columns(sheet: Sheet, what: str, required: Sequence[str]) -> dict[str, int]:
    """The column of every name in the header, in small letters; of several alike the first.

    Raises:
        UsageError: one that is required is missing, or stands there twice.
    """
    names = [name.casefold() for name in sheet.header]
    for name in required:
        count = names.count(name.casefold())
        if count != 1:
            how = f"{count} columns {name}" if count else f"no column {name}"
            raise UsageError(f"{sheet.path}:1: {what} has {how}; found {sheet.header_text}")
    found_at: dict[str, int] = {}
    for index, name in enumerate(names):
        found_at.setdefault(name, index)
    return found_at
