"""Tables that spreadsheets wrote: separators, byte-order marks and encodings as they come."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from harness.errors import UsageError

_LARGEST = 64 << 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LINE_END = re.compile("\r\n|\r|\n")
#: What a spreadsheet writes in place of a long number.
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+")
#: Columns whose cells are names, and never rounded numbers.
_NAMES = ("id", "submission")
#: What is wrong with most tables that cannot be read, and what to do about it.
OPEN_QUOTE = "a quote that is not closed, or stands inside a cell"
CLOSE = "close it, or double it where it belongs to the text"
#: A cell in quotes, in which a quote is doubled.
QUOTED = re.compile('"(?:[^"]++|"")*+"')


@dataclass(frozen=True)
class Row:
    """One row: its line in the file, and its cells by their columns; none of them is missing."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """The rows of a CSV file that hold anything.

    Attributes:
        columns: their names in small letters; others than those asked for are kept.
        notices: what whoever gave the file should know, a sentence each.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notices: tuple[str, ...] = ()


def read(
    path: Path,
    what: str,
    required: tuple[str, ...],
    head: str,
    further: tuple[str, ...] = (),
    remedies: Mapping[str, str] = MappingProxyType({}),
) -> Table:
    """A table with a header, separated by commas, semicolons or tabs, whichever it has most of.

    A file that is not UTF-8 is read as Windows-1252, as Excel writes it in Western Europe, and a
    notice shows what that made of it.

    Args:
        what: what the file is, for messages: ``the roster``.
        required: columns that must be there once and be filled in every row.
        head: the header to begin with, for messages.
        further: columns that are read where they are there.
        remedies: where the values of a column come from, for messages.

    Raises:
        UsageError: the file cannot be read, a column or a value that is required is missing, a
            column that is read stands in it twice, or an id is what a spreadsheet made of a number.
    """
    text, notices = _text(path, what)
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter_of(text), strict=True)
    numbered: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for record in reader:
            numbered.append((reader.line_num, record))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise UsageError(f"{path}:{begins}: {what} cannot be read: {_slip(error)}") from error
    columns = tuple(cell.strip().lower() for cell in numbered[0][1]) if numbered else ()
    if columns and re.fullmatch("sep=.?", columns[0]):
        raise UsageError(
            f"{path}:1: the line sep=… is for spreadsheets alone; remove it, separators are seen"
        )
    for column in further:
        if columns.count(column) > 1:
            raise UsageError(
                f"{path}:1: {what} has {columns.count(column)} columns {column}, and nothing "
                "says which is meant; give the others another name"
            )
    for column in required:
        if columns.count(column) != 1:
            raise UsageError(
                f"{path}:1: {what} has one column {column}, found {', '.join(columns) or 'none'};"
                f" begin with the line {head}"
            )
    rows = []
    for line, row in numbered[1:]:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        padded = cells + [""] * (len(columns) - len(cells))
        found = Row(line, dict(zip(columns, padded, strict=False)))
        lacking = [column for column in required if not found.cells[column]]
        if lacking:
            remedy = "".join(f" ({remedies[column]})" for column in lacking if column in remedies)
            raise UsageError(
                f"{path}:{line}: a row needs {' and '.join(required)}, found {row}; fill in "
                f"{' and '.join(lacking)}{remedy}, or remove the row"
            )
        for column in _NAMES:
            if _ROUNDED.fullmatch(found.cells.get(column, "")):
                raise UsageError(
                    f"{path}:{line}: {found.cells[column]} is what a spreadsheet makes of a long "
                    f"number, which is lost by now; export it again, with the column {column} as "
                    "text"
                )
        rows.append(found)
    return Table(path, columns, tuple(rows), notices)


def _slip(error: csv.Error) -> str:
    """What is wrong with a row that is not read, and what to do about it."""
    said = str(error)
    if said.startswith("field larger"):
        said = f"a cell has more than {csv.field_size_limit():,} characters"
        return f"{said}, mostly behind a quote that is not closed: {CLOSE}"
    if "unexpected end" in said or "expected after" in said:
        return f"{OPEN_QUOTE}; {CLOSE}"
    return f"{said}; save it anew as CSV UTF-8"


def delimiter_of(text: str) -> str:
    """The comma, semicolon or tab that the first line has most of outside of quotes."""
    header = QUOTED.sub("", LINE_END.split(text, maxsplit=1)[0])
    return max(",;\t", key=header.count)


def unguarded(text: str) -> str:
    """An id without the apostrophe that the tables of a results folder put before some of them.

    It keeps a spreadsheet from making a number, a date or a formula of ``00123`` or ``MAR1``; so an
    id that is copied from gradebook.csv is the id.
    """
    return text.removeprefix("'")


def read_content(path: Path, what: str) -> bytes:
    """The content of a table.

    Raises:
        UsageError: it cannot be read, or is larger than any table.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: {what} cannot be read: {error.strerror}") from error
    if len(content) > _LARGEST:
        raise UsageError(f"{path}: {what} is larger than {_LARGEST >> 20} MiB; is it that file?")
    return content


def decoded(content: bytes, place: str, no_text: str, no_utf8: str) -> tuple[str, str]:
    """The text of a table, and its encoding: utf-8 or cp1252.

    Args:
        place: the file and what it is, for messages.
        no_text, no_utf8: what to do where it is no text, or text of another encoding.

    Raises:
        UsageError: it is either.
    """
    if content.startswith(_UTF16) or b"\0" in content:
        raise UsageError(f"{place} is UTF-16 or no text; {no_text}")
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        try:
            return content.decode("cp1252"), "cp1252"
        except UnicodeDecodeError:
            raise UsageError(
                f"{place} is not UTF-8 text (byte {error.start}); {no_utf8}"
            ) from error


def _text(path: Path, what: str) -> tuple[str, tuple[str, ...]]:
    """The text of a file, and a notice where it is not UTF-8."""
    content, remedy = read_content(path, what), "save it as CSV UTF-8"
    text, encoding = decoded(content, f"{path}: {what}", remedy, remedy)
    if encoding == "utf-8":
        return text.removeprefix("\ufeff"), ()
    odd = next(line for line in text.splitlines() if not line.isascii())
    return text, (
        f"{path} is not UTF-8 and was read as Windows-1252 (cp1252); see that this is right: "
        f"{odd!r}; if not, save it as CSV UTF-8",
    )
