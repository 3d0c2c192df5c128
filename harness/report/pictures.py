"""Pictures as SVG files beside feedback.md: of failed checks, and of what a program draws.

Of checks only visible ones have one; it shows the public example, or what training seeds came to.
Those of a task show what its program made of the public instance. Equal marks give equal bytes: a
picture holds numbers and texts of ours, and nothing that a program could write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from harness.arrays import decode_array
from harness.files import write_text
from harness.marking.gradebook import SubmissionGrade
from harness.records import Verdict
from harness.report import drawing, seed_plots
from harness.report.sanitise import SENTENCE_LIMIT, clean, markdown
from harness.results import SubmissionReports

_WIDEST, _LARGEST_CELL, _SMALLEST_CELL = 240, 28, 3
_MARGIN, _TITLE, _LINE = 12, 16, 18
#: Zero and the largest, as red, green and blue; what is wrong is framed.
_LIGHT, _DARK, _WRONG = (247, 251, 255), (8, 48, 107), "#d7191c"


def of(verdict: Verdict) -> Mapping[str, Any] | None:
    """The picture of a verdict, as numbers; None where there is none."""
    drawn = (verdict.example or {}).get("picture")
    return drawn if isinstance(drawn, Mapping) else None


def link(picture: Mapping[str, Any]) -> str:
    """The link to it in Markdown, with its alternative text."""
    return f"![{markdown(alt(picture))}]({file_of(picture)})"


def file_of(picture: Mapping[str, Any]) -> str:
    """The name of its file."""
    return Path(str(picture["file"])).name


def alt(picture: Mapping[str, Any]) -> str:
    """What it shows, in words."""
    return clean(str(picture["alt"]), SENTENCE_LIMIT)


def svg(picture: Mapping[str, Any]) -> str:
    """The picture as an SVG document."""
    if drawing.is_drawn(picture):
        width, height, body = drawing.elements(picture, 2 * _LINE, _colour)
    elif "seeds" in picture:
        width, height, body = seed_plots.elements(picture, 2 * _LINE, _colour)
    else:
        width, height, body = _panels(picture["panels"])
    title = clean(str(picture["title"]), SENTENCE_LIMIT)
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label={quoteattr(alt(picture))} '
        f'font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(alt(picture))}</desc>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_MARGIN}" y="{_TITLE}" font-size="13">{escape(title)}</text>',
    ]
    return "\n".join([*head, *body, "</svg>"]) + "\n"


def _panels(records: Sequence[Mapping[str, Any]]) -> tuple[int, int, list[str]]:
    """Maps beside each other: width, height and elements."""
    panels = [
        (str(panel["title"]), decode_array(panel["cells"]), decode_array(panel["wrong"]))
        for panel in records
    ]
    high = max(len(cells) * _side(cells.shape) for _, cells, _ in panels)
    lines = []
    for index, (name, cells, wrong) in enumerate(panels):
        left, top = _MARGIN + index * (_WIDEST + _MARGIN), 2 * _LINE + _MARGIN
        lines.append(f'<text x="{left}" y="{top - 6}">{escape(clean(name, SENTENCE_LIMIT))}</text>')
        lines += _cells(cells.tolist(), wrong.tolist(), (left, top), _side(cells.shape))
    return _MARGIN + len(panels) * (_WIDEST + _MARGIN), 2 * _LINE + high + 2 * _MARGIN, lines


def _side(shape: Sequence[int]) -> int:
    """Width and height of a cell of a map of this shape."""
    return max(_SMALLEST_CELL, min(_LARGEST_CELL, _WIDEST // max(shape)))


def _cells(
    cells: list[list[int]], wrong: list[list[bool]], corner: tuple[int, int], side: int
) -> Iterator[str]:
    """A square for every cell; what is wrong comes last, so that its frame is not covered."""
    left, top = corner
    places = [(row, column) for row in range(len(cells)) for column in range(len(cells[0]))]
    for row, column in sorted(places, key=lambda place: bool(wrong[place[0]][place[1]])):
        frame = (
            f'stroke="{_WRONG}" stroke-width="2"'
            if wrong[row][column]
            else 'stroke="#c6c6c6" stroke-width="0.5"'
        )
        yield (
            f'<rect x="{left + column * side}" y="{top + row * side}" width="{side}" '
            f'height="{side}" fill="{_colour(cells[row][column])}" {frame}/>'
        )


@cache
def _colour(level: int) -> str:
    """Between light and dark in whole numbers, the same on every machine."""
    parts = [low + (high - low) * level // 255 for low, high in zip(_LIGHT, _DARK, strict=True)]
    return "#" + "".join(f"{part:02x}" for part in parts)


def write(row: SubmissionGrade, files: SubmissionReports) -> list[Path]:
    """Write the pictures of one submission; those of former runs go.

    Returns:
        The paths that were written.

    Raises:
        OSError: a file cannot be written or removed.
    """
    written = [
        write_text(files.folder / file_of(picture), svg(picture))
        for task in row.tasks
        for picture in (*filter(None, map(of, task.verdicts)), *task.pictures)
    ]
    for former in set(files.pictures) - set(written):
        former.unlink(missing_ok=True)
    return written
