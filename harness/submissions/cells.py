"""Modules that were made of a notebook's cells: how their lines are told as lines of cells.

A module of a notebook begins with :data:`HEAD`, and every cell in it with a comment of its own, so
that whoever has the module's text can find a line again in the notebook.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

HEAD = "# made from the cells of a notebook"
#: The line above a cell: its number among the code cells, from 1, and the notebook's name.
ABOVE = "# -- code cell {cell} of {notebook}"
_ABOVE = re.compile(rb"# -- (code cell \d+ of .+)")
#: The ways in which messages name a line of a file.
_LINE = re.compile(
    r"line (?P<line1>\d+) of (?P<file1>\w+\.py)"
    r"|(?P<file2>\w+\.py)(?:, line |:)(?P<line2>\d+)"
)


def is_made(content: bytes) -> bool:
    """Whether a module was made from a notebook."""
    return content.startswith(HEAD.encode())


def in_cells(message: str, contents: Mapping[str, bytes]) -> str:
    """A message in which lines of modules made from notebooks are lines of their cells.

    Args:
        message: a sentence about a program, which may name lines of its files.
        contents: file name -> content of the program's files.
    """
    if _LINE.search(message) is None or not any(map(is_made, contents.values())):
        return message

    def told(match: re.Match[str]) -> str:
        name = match["file1"] or match["file2"]
        line = int(match["line1"] or match["line2"])
        content = contents.get(name, b"")
        return (_in_cell(content, line) if is_made(content) else "") or match[0]

    return _LINE.sub(told, message)


def _in_cell(content: bytes, line: int) -> str:
    """A line of a module, from 1, in its cell; empty where it is in none."""
    above = content.split(b"\n")[:line]
    for distance, text in enumerate(reversed(above)):
        if match := _ABOVE.fullmatch(text):
            return f"line {distance} of {match[1].decode('utf-8', 'replace')}" if distance else ""
    return ""
