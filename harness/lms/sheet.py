"""A table as a learning platform exported it: what is not changed stays as it was, to the byte.

A platform finds its students and columns by texts that it wrote itself, so nothing is trimmed,
quoted anew or guarded against spreadsheets.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.classroom import table
from harness.errors import UsageError
from harness.submissions import display

_LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True)
class Row:
    """A record of a table.

    Attributes:
        line: where it begins, from 1.
        raw: its cells as the file has them, quotes included.
        end: what ends it; empty for a last line without an end.
    """

    line: int
    raw: tuple[str, ...]
    end: str

    @cached_property
    def cells(self) -> tuple[str, ...]:
        """The texts of the cells."""
        return tuple(_text(raw) for raw in self.raw)

    @property
    def is_empty(self) -> bool:
        """Whether no cell holds anything."""
        return not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True)
class Sheet:
    """A whole table; the first row is its header.

    Attributes:
        encoding: how it is decoded and encoded again.
        bom: the byte-order mark at its start, or nothing.
        notices: what whoever gave the file should know, a sentence each.
    """

    path: Path
    rows: tuple[Row, ...]
    delimiter: str
    encoding: str = "utf-8"
    bom: bytes = b""
    notices: tuple[str, ...] = ()

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns, without spaces around them."""
        return tuple(cell.strip() for cell in self.rows[0].cells)

    @property
    def header_text(self) -> str:
        """The names of the columns as messages show them."""
        return ", ".join(display(each) or "(empty)" for each in self.header)

    def with_cells(self, changes: Mapping[tuple[int, int], str]) -> bytes:
        """The content of the file with other texts in some cells, by row and column.

        Raises:
            UsageError: a text cannot be written in the encoding of the file.
        """
        lines = []
        for index, row in enumerate(self.rows):
            cells = [
                self.raw(changes[index, column]) if (index, column) in changes else raw
                for column, raw in enumerate(row.raw)
            ]
            lines.append(self.delimiter.join(cells) + row.end)
        return self.encoded("".join(lines))

    def encoded(self, text: str) -> bytes:
        """A text in the encoding of the file, behind its byte-order mark.

        Raises:
            UsageError: the encoding lacks a character.
        """
        try:
            return self.bom + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise UsageError(
                f"{self.path} is {self.encoding}, which has no {error.object[error.start]!r}; save "
                "it as CSV UTF-8"
            ) from None

    def raw(self, text: str, *, quoted: bool = False) -> str:
        """A text as a cell of the file; in quotes where it needs them or they are wanted."""
        if not quoted and text == text.strip() and not re.search(rf'[{self.delimiter}"\r\n]', text):
            return text
        doubled = text.replace('"', '""')
        return f'"{doubled}"'


def read(path: Path, what: str, *, typed: bool = False) -> Sheet:
    """A table separated by commas, semicolons or tabs, whichever its header has most of.

    Args:
        what: what the file is, for messages: ``Canvas's gradebook``.
        typed: whether people may have written it: rows of any length and quotes inside a cell are
            taken as they are.

    Raises:
        UsageError: it cannot be read, is no table, or a row has another number of cells than the
            header.
    """
    text, encoding, bom, notices = _decoded(path, what)
    delimiter = table.delimiter_of(text)
    rows = _rows(text, delimiter, path, what, typed=typed)
    while rows and rows[-1].raw == ("",) and not rows[-1].end:
        rows.pop()  # what follows the end of the last line
    if not rows or rows[0].is_empty:
        raise UsageError(f"{path}:1: {what} begins with the names of its columns; there are none")
    width = len(rows[0].raw)
    for row in rows:
        if len(row.raw) != width and not row.is_empty and not typed:
            raise UsageError(
                f"{path}:{row.line}: {what} has {width} columns, and this row {len(row.raw)} cells;"
                " export it again"
            )
    return Sheet(path, tuple(rows), delimiter, encoding, bom, notices)


def _decoded(path: Path, what: str) -> tuple[str, str, bytes, tuple[str, ...]]:
    """The text of a file, its encoding, its byte-order mark, and a notice where it is no UTF-8."""
    content = table.read_content(path, what)
    if len(content) > _LARGEST:
        raise UsageError(f"{path} is larger than {_LARGEST // 2**20} MiB; is it the right file?")
    bom = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    text, encoding = table.decoded(
        content.removeprefix(bom), f"{path}: {what}", "export it as CSV", "export it again"
    )
    if encoding == "utf-8":
        return text, encoding, bom, ()
    notice = (
        f"{path} is not UTF-8, as a table that a spreadsheet has saved; it was read as Windows-1252"
    )
    return text, encoding, bom, (notice,)


def _rows(text: str, delimiter: str, path: Path, what: str, *, typed: bool) -> list[Row]:
    unquoted = rf'[^{delimiter}"\r\n]'
    rest = rf"[^{delimiter}\r\n]*+" if typed else rf"{unquoted}*+"
    plain = re.compile(rf"(?:{unquoted}{rest})?+")
    rows: list[Row] = []
    cells: list[str] = []
    at, line, first = 0, 1, 1
    while True:
        match = table.QUOTED.match(text, at) or plain.match(text, at)
        assert match is not None  # the second pattern matches an empty text too
        cells.append(match[0])
        line += len(table.LINE_END.findall(match[0]))
        at = match.end()
        if text.startswith(delimiter, at):
            at += 1
            continue
        end = table.LINE_END.match(text, at)
        if end is None and at < len(text):
            raise UsageError(
                f"{path}:{line}: {what} cannot be read: {table.OPEN_QUOTE}; export it again, or "
                f"{table.CLOSE}"
            )
        rows.append(Row(first, tuple(cells), end[0] if end else ""))
        if end is None:
            return rows
        at, line, cells = end.end(), line + 1, []
        first = line


def _text(raw: str) -> str:
    return raw[1:-1].replace('""', '"') if raw.startswith('"') else raw
