"""A roster with what an import found, written as the roster that it was made from.

The course's own columns, the order of columns and rows, separators, quotes, byte-order mark and
encoding stay; cells in which nothing changed stay to the byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.classroom import table
from harness.classroom.roster import FURTHER, WHAT, Roster
from harness.lms import sheet
from harness.lms.sheet import Row, Sheet
from harness.report.sanitise import NAME_LIMIT, as_text, cell, clean


def written_cell(column: str, text: str) -> str:
    """A text of a roster's column that no spreadsheet takes for a number, date or formula."""
    return as_text(text) if column in ("id", "submission") else cell(clean(text, NAME_LIMIT))


def rewritten(path: Path, known: Roster, students: Sequence[Mapping[str, str]]) -> bytes:
    """The content of a roster's file with other texts for some students, and with new ones.

    Args:
        path: the file.
        known: the roster in it.
        students: what the roster is to say, a mapping of all its columns for every student; who is
            in the file and not among them stays as they are.

    Raises:
        UsageError: a text cannot be written in the encoding of the file.
    """
    layout = _Layout.of(sheet.read(path, WHAT, typed=True), known, students)
    wanted = {each["id"]: each for each in students}
    lines = [layout.header]
    for row in layout.sheet.rows[1:]:
        own = layout.id_of(row)
        lines.append(layout.changed(row, known, wanted[own]) if own in wanted else list(row.raw))
    ends = [row.end for row in layout.sheet.rows]
    new = [layout.added(each) for each in students if each["id"] not in known.students]
    usual = ends[0] or "\n"
    if new:
        ends = [*(end or usual for end in ends), *(usual for _ in new)]
    joined = map(layout.sheet.delimiter.join, [*lines, *new])
    return layout.sheet.encoded("".join(line + end for line, end in zip(joined, ends, strict=True)))


@dataclass(frozen=True)
class _Layout:
    """Where the columns of a roster's file are.

    Attributes:
        at: column -> where it is; those that the file lacks and that are needed come last.
        width: how many cells its longest row has.
        guarded: whether ids that look like numbers get an apostrophe.
        quoted: the columns whose cells are all in quotes.
    """

    sheet: Sheet
    at: Mapping[str, int]
    width: int
    guarded: bool
    quoted: frozenset[str]

    @classmethod
    def of(cls, source: Sheet, known: Roster, students: Sequence[Mapping[str, str]]) -> _Layout:
        names = [name.lower() for name in source.header]
        width = max(len(row.raw) for row in source.rows)
        at = {name: names.index(name) for name in ("id", "pseudonym", *FURTHER) if name in names}
        for name in ("pseudonym", *FURTHER):
            if name not in at and any(each[name] for each in students):
                at[name] = max(width, *(place + 1 for place in at.values()))
        quoted = {name for name, place in at.items() if _all_quoted(source.rows, place)}
        ids = [row.cells[at["id"]].strip() for row in source.rows[1:] if len(row.raw) > at["id"]]
        bare = any(as_text(text) != text for text in ids if not text.startswith("'"))
        guarded = not bare or any(text.startswith("'") for text in ids)
        return cls(source, at, width, guarded, frozenset(quoted))

    @property
    def header(self) -> list[str]:
        """The header, with the columns that the file lacks."""
        raw = list(self.sheet.rows[0].raw)
        for name, place in self.at.items():
            if place >= self.width:
                raw += [""] * (place - len(raw))
                raw.append(self.sheet.raw(name, quoted=name in self.quoted))
        return raw

    def id_of(self, row: Row) -> str:
        """Whom a row is about; empty for an empty row."""
        place = self.at["id"]
        return table.unguarded(row.cells[place].strip()) if len(row.raw) > place else ""

    def changed(self, row: Row, known: Roster, student: Mapping[str, str]) -> list[str]:
        """A row of the file; cells of which the roster said the same before stay as they are."""
        before = vars(known.students[student["id"]])
        raw = list(row.raw)
        for name in ("pseudonym", *FURTHER):
            if student[name] != before[name]:
                self._put(raw, name, student[name])
        return raw

    def added(self, student: Mapping[str, str]) -> list[str]:
        """A row for somebody whom the file lacks."""
        raw = [""] * len(self.header)
        for name in self.at:
            self._put(raw, name, student[name])
        return raw

    def _put(self, raw: list[str], name: str, text: str) -> None:
        place = self.at[name]
        raw += [""] * (place + 1 - len(raw))
        plain = name == "id" and not self.guarded
        shown = text if plain else written_cell(name, text)
        raw[place] = self.sheet.raw(shown, quoted=name in self.quoted)


def _all_quoted(rows: Sequence[Row], place: int) -> bool:
    """Whether the cells of a column that hold something are in quotes; of a new one the header."""
    column = [row.raw[place] for row in rows[1:] if len(row.raw) > place and row.raw[place].strip()]
    return all(raw.startswith('"') for raw in column or rows[0].raw)
