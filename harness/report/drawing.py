"""Images and points of a task's pictures as elements of an SVG document.

All places and colours are made from whole numbers, so equal pictures give equal bytes everywhere.
Pixels of one colour in one row of an image are one stroke: a page of images stays below 100 KB.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from harness.arrays import decode_array
from harness.records import Array
from harness.report.sanitise import NAME_LIMIT, clean

#: Width and height in pixels of the screen: of all images of a picture, of a plot, of texts.
_WIDEST, _PLOT, _LABEL, _LINE, _MARGIN = 560, 240, 112, 18, 12
_LARGEST_PIXEL, _GAP = 12, 3
#: Shades between white and black that are told apart; a tenth of the bytes of all 256.
_SHADE = 17
_ODD, _FRAME = "#d7191c", "#c6c6c6"
#: The marks of groups of points: colour, shape of the ends of a stroke, width.
_MARKS = (("#08306b", "round", 4), ("#e6550d", "square", 4), ("#31a354", "round", 6))
_BESIDE = "reference"

Colour = Callable[[int], str]


def is_drawn(picture: Mapping[str, Any]) -> bool:
    """Whether a picture is of images or points, and not of a check's cells or seeds."""
    return "images" in picture or "groups" in picture


def elements(picture: Mapping[str, Any], top: int, colour: Colour) -> tuple[int, int, list[str]]:
    """Width, height and elements of a picture; the reference's stands below or beside.

    Args:
        top: where it begins, below the title.
        colour: from a brightness of 0 to 255.
    """
    beside = picture.get("beside")
    if "groups" in picture:
        return _plots(picture, beside, top)
    width, height, lines = _grid(picture, picture, top, colour)
    if beside is not None:
        lines.append(_text(_MARGIN, height + _LINE, f"{_BESIDE}:"))
        _, height, more = _grid(picture, beside, height + _LINE + 6, colour)
        lines += more
    return width, height, lines


def _grid(
    caption: Mapping[str, Any], arrays: Mapping[str, Any], top: int, colour: Colour
) -> tuple[int, int, list[str]]:
    """Rows and columns of images with their names."""
    rows, columns, h, w = arrays["images"]["shape"]
    strokes = _strokes(json.dumps(arrays["images"]), json.dumps(arrays.get("odd")), colour)
    side = max(1, min(_LARGEST_PIXEL, (_WIDEST // columns - _GAP) // w))
    left, lines = _MARGIN + _LABEL, []
    if caption["columns"]:
        top += _LINE
        for column, name in enumerate(caption["columns"]):
            lines.append(_text(left + column * (w * side + _GAP), top - 5, name))
    high = max(h * side + _GAP, _LINE)
    for row, name in enumerate(caption["rows"]):
        y = top + row * high
        lines.append(_text(_MARGIN, y + min(h * side // 2 + 4, h * side), name))
        for column in range(columns):
            x = left + column * (w * side + _GAP)
            lines.append(f'<g transform="translate({x} {y}) scale({side})">')
            lines += strokes[row][column]
            lines.append("</g>")
            lines.append(
                f'<rect x="{x}" y="{y}" width="{w * side}" height="{h * side}" fill="none" '
                f'stroke="{_FRAME}"/>'
            )
    width = left + columns * (w * side + _GAP) + _MARGIN
    return max(width, _WIDEST), top + rows * high + _MARGIN, lines


@lru_cache(maxsize=128)
def _strokes(images: str, odd: str, colour: Colour) -> list[list[list[str]]]:
    """The elements of every image by row and column, kept: the reference's are drawn for many.

    Args:
        images: the record of an encoded array as JSON, brightness ``[rows columns h w]``.
        odd: likewise which pixels have none; ``null`` where all have one.
    """
    levels = decode_array(json.loads(images))
    marked = json.loads(odd)
    wrong = np.zeros(levels.shape, bool) if marked is None else decode_array(marked)
    shades = ["" if level < _SHADE else colour(level // _SHADE * _SHADE) for level in range(256)]
    return [
        [list(_image(*image, shades)) for image in zip(*row, strict=True)]
        for row in zip(levels, wrong, strict=True)
    ]


def _image(levels: Array, odd: Array, shades: Sequence[str]) -> Iterator[str]:
    """The pixels of one image, one path a colour; what is white needs none.

    Args:
        levels: brightness from 0 to 255, ``[h w]``.
        odd: which of them are none, of the same shape.
        shades: the colour of each of the 256 levels; empty for white.
    """
    paths: dict[str, list[str]] = defaultdict(list)
    for y, (row, bad) in enumerate(zip(levels.tolist(), odd.tolist(), strict=True)):
        x = 0
        for colour, pixels in groupby(
            _ODD if b else shades[v] for v, b in zip(row, bad, strict=True)
        ):
            end = x + sum(1 for _ in pixels)
            if colour:
                paths[colour].append(f"M{x} {y}h{end - x}v1h{x - end}z")
            x = end
    for fill, parts in sorted(paths.items()):
        yield f'<path fill="{fill}" shape-rendering="crispEdges" d="{"".join(parts)}"/>'


def _plots(
    picture: Mapping[str, Any], beside: Mapping[str, Any] | None, top: int
) -> tuple[int, int, list[str]]:
    """Plots beside each other, with the names of the groups above."""
    lines, left = [], _MARGIN
    for number, name in enumerate(picture["groups"]):
        lines.append(_mark(f"M{left + 5} {top + 9}h0", number))
        lines.append(_text(left + 14, top + 13, name))
        left += 30 + 7 * len(name)
    top += _LINE
    plots = [("", picture)]
    if beside is not None:
        plots, top = [("came back", picture), (_BESIDE, beside)], top + _LINE
    for place, (title, arrays) in enumerate(plots):
        x = _MARGIN + place * (_PLOT + 2 * _MARGIN)
        if title:
            lines.append(_text(x, top - 4, title))
        lines += _plot(picture, arrays, (x, top))
    width = 2 * _MARGIN + len(plots) * (_PLOT + 2 * _MARGIN)
    return max(width, _WIDEST), top + _PLOT + 2 * _LINE, lines


def _plot(
    caption: Mapping[str, Any], arrays: Mapping[str, Any], corner: tuple[int, int]
) -> Iterator[str]:
    (x, y), (across, up) = corner, caption["axes"]
    yield (
        f'<rect x="{x}" y="{y}" width="{_PLOT}" height="{_PLOT}" fill="none" stroke="{_FRAME}"/>'
    )
    for number in range(len(caption["groups"])):
        places = decode_array(arrays[f"points {number + 1}"]).tolist()
        strokes = [
            f"M{x + _PLOT * right // 1000} {y + _PLOT - _PLOT * high // 1000}h0"
            for right, high in places
        ]
        if strokes:
            yield _mark("".join(strokes), number)
    ends = f"{across[0]} from {across[1]:g} to {across[2]:g}, {up[0]} from {up[1]:g} to {up[2]:g}"
    yield _text(x, y + _PLOT + 15, ends)


def _mark(strokes: str, number: int) -> str:
    colour, shape, width = _MARKS[number % len(_MARKS)]
    return (
        f'<path d="{strokes}" fill="none" stroke="{colour}" stroke-width="{width}" '
        f'stroke-linecap="{shape}" stroke-opacity="0.6"/>'
    )


def _text(x: int, y: int, text: str) -> str:
    return f'<text x="{x}" y="{y}">{escape(clean(text, NAME_LIMIT))}</text>'
