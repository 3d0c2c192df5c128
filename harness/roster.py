"""The roster: which submissions are expected, and under which names they are shown."""

from __future__ import annotations

import csv
import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import UsageError
from harness.submissions import display

_LISTED = 10


@dataclass(frozen=True)
class Roster:
    """Name of a submission -> the pseudonym that it is shown under; empty where none was given.

    Attributes:
        path: the file, for messages; None without a roster.
    """

    path: Path | None = None
    pseudonyms: Mapping[str, str] = field(default_factory=dict)

    def shown(self, name: str) -> str | None:
        """What a submission is shown as; None where there is no roster.

        One that is not in the roster gets a name that tells nobody who it is.
        """
        if self.path is None or name in self.pseudonyms:
            return self.pseudonyms.get(name)
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        return f"not in the roster ({digest[:8]})"

    def absent(self, names: Iterable[str]) -> list[str]:
        """The entries of the roster that no submission has the name of."""
        return sorted(self.pseudonyms.keys() - set(names))

    def strangers(self, names: Iterable[str]) -> list[str]:
        """A sentence about the submissions that the roster lacks; empty where there are none."""
        given = set(names)
        found = sorted(given - self.pseudonyms.keys()) if self.path is not None else []
        if not found:
            return []
        zeros = _zeros(found, self.absent(given))
        return [f"not in {self.path}, and shown without their names: {_list(found)}{zeros}"]

    def missing(self, names: Iterable[str]) -> list[str]:
        """A sentence about those in the roster without a submission; empty where all have one."""
        found = self.absent(names)
        return [f"in {self.path}, and without a submission: {_list(found)}"] if found else []


def read(path: Path) -> Roster:
    """A roster from a CSV file with the columns ``id`` and ``pseudonym`` (others are ignored).

    Columns may be separated by commas, semicolons or tabs, whichever the first line holds; empty
    rows are passed over.

    Raises:
        UsageError: the file cannot be read, a column is missing, a row lacks a value, or an id or
            a pseudonym stands in it twice.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: the roster cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path}: the roster is not UTF-8 text (byte {error.start}); save it as CSV UTF-8"
        ) from error
    lines = text.splitlines()
    head = lines[0] if lines else ""
    delimiter = max(",;\t", key=head.count)
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UsageError(f"{path}: the roster cannot be read: {error}") from error
    columns = [column.strip().lower() for column in rows[0]] if rows else []
    for column in ("id", "pseudonym"):
        if columns.count(column) != 1:
            raise UsageError(
                f"{path}:1: a roster has one column {column}, found {', '.join(columns) or 'none'};"
                " begin with the line id,pseudonym"
            )
    return Roster(path, _pseudonyms(path, rows, columns.index("id"), columns.index("pseudonym")))


def _pseudonyms(path: Path, rows: list[list[str]], id_at: int, shown_at: int) -> dict[str, str]:
    names: dict[str, str] = {}
    for line, row in enumerate(rows[1:], start=2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) <= max(id_at, shown_at) or not cells[id_at] or not cells[shown_at]:
            raise UsageError(f"{path}:{line}: a row needs id and pseudonym, found {row}")
        identity, shown = cells[id_at], unicodedata.normalize("NFC", cells[shown_at])
        if identity in names:
            raise UsageError(f"{path}:{line}: {identity} stands twice in the roster")
        if shown in names.values():
            raise UsageError(f"{path}:{line}: the pseudonym {shown} stands twice in the roster")
        names[identity] = shown
    return names


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(display(name) for name in names[:_LISTED]) + more


def _zeros(strangers: list[str], absent: list[str]) -> str:
    """A hint, where the names differ in leading zeros alone."""
    for name in strangers:
        for listed in absent:
            if name != listed and name.lstrip("0") == listed.lstrip("0"):
                return f" (a spreadsheet took {listed} for a number: is it {name}?)"
    return ""
