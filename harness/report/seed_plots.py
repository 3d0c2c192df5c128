"""Plots of training seeds as elements of an SVG document: results, and learning curves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

#: In pixels of the screen: the plot, the room for labels to its right, a line of text.
_WIDTH, _HEIGHT, _LABELS, _LINE = 360, 160, 130, 16
_MARGIN, _THINNEST = 12, 2
#: Brightness of the reference's band and of what is the student's.
_PALE, _DARK = 60, 255
_RULE = "#555555"

Colour = Callable[[int], str]
#: Where a number is drawn, in pixels from the top.
Height = Callable[[float], float]


def elements(picture: Mapping[str, Any], top: int, colour: Colour) -> tuple[int, int, list[str]]:
    """Width, height and elements of a picture of seeds; learning curves stand below.

    Args:
        top: where it begins, below the title.
        colour: from a brightness of 0 to 255.
    """
    lines = list(_dots(picture["seeds"], top, colour))
    bottom = top + _HEIGHT
    if "training" in picture:
        lines += _curves(picture["training"], bottom + 2 * _LINE, colour)
        bottom += _HEIGHT + 3 * _LINE
    return _MARGIN + _WIDTH + _LABELS, bottom + 4 * _MARGIN, lines


def _dots(seeds: Mapping[str, Any], top: int, colour: Colour) -> Iterator[str]:
    """A dot a seed, from left to right, over threshold and band."""
    values, threshold, low = seeds["values"], float(seeds["threshold"]), float(seeds["low"])
    band = seeds["band"] or []
    height = _scale([*values, threshold, low, *band], top)
    labels = []
    if band:
        upper, lower = height(band[1]), height(band[0])
        tall = max(_THINNEST, lower - upper)
        yield (
            f'<rect x="{_MARGIN}" y="{upper:.1f}" width="{_WIDTH}" height="{tall:.1f}" '
            f'fill="{colour(_PALE)}"/>'
        )
        labels.append((upper + tall / 2, "reference"))
    for value, name, dashes in ((threshold, "wanted", "none"), (low, "no credit", "4 4")):
        yield _rule(height(value), dashes)
        labels.append((height(value), f"{name} {value:g}"))
    yield from _labelled(labels)
    step = _WIDTH / len(values)
    for index, value in enumerate(values):
        yield _dot(_MARGIN + (index + 0.5) * step, height(value), colour)


def _curves(training: Mapping[str, Any], top: int, colour: Colour) -> Iterator[str]:
    """A curve a seed over the reference's band, and a dot where it first was solved."""
    budget, wanted = int(training["budget"]), float(training["wanted"])
    band, curves = training["band"] or [], [curve for curve in training["curves"] if curve]
    numbers = [each for curve in curves for each in curve if each is not None]
    edges = [edge for point in band if point is not None for edge in point]
    height = _scale([0.0, wanted, *numbers, *edges], top)
    labels = [(height(wanted), f"solved: {wanted:g}")]
    yield f'<text x="{_MARGIN}" y="{top - 6}">mean length of episodes during training</text>'
    if edges:
        yield from _area(band, height, colour)
        labels.append((height((edges[-2] + edges[-1]) / 2), "reference"))
    yield _rule(height(wanted), "none")
    yield _rule(height(0.0), "4 4")
    yield from _labelled(labels)
    for curve in curves:
        yield from _line(curve, height, colour)
    for first in training["first_solved"]:
        if first is not None:
            yield _dot(_MARGIN + _WIDTH * first / budget, height(wanted), colour)
    below = f"0 to {budget:,} steps" + (
        "; the middle half of the reference's runs" if edges else ""
    )
    yield f'<text x="{_MARGIN}" y="{top + _HEIGHT + _LINE}">{below}</text>'


def _area(band: Sequence[Any], height: Height, colour: Colour) -> Iterator[str]:
    """What lies between the two edges of a band."""
    for run in _runs(band):
        upper = [(x, height(high)) for x, (_, high) in run]
        lower = [(x, height(low)) for x, (low, _) in run]
        yield f'<polygon points="{_points([*upper, *reversed(lower)])}" fill="{colour(_PALE)}"/>'


def _line(curve: Sequence[Any], height: Height, colour: Colour) -> Iterator[str]:
    for run in _runs(curve):
        yield (
            f'<polyline points="{_points([(x, height(mean)) for x, mean in run])}" fill="none" '
            f'stroke="{colour(_DARK)}" stroke-opacity="0.6"/>'
        )


def _scale(numbers: Sequence[float], top: int) -> Height:
    """The height at which a number is drawn: the largest at the top, the least at the bottom."""
    least, most = min(numbers), max(numbers)
    return lambda number: top + _HEIGHT * (most - number) / ((most - least) or 1.0)


def _runs(points: Sequence[Any]) -> Iterator[list[tuple[float, Any]]]:
    """Pieces without a gap of a curve over shares of the budget, each as (x, point)."""
    step = _WIDTH / max(1, len(points))
    placed = [(_MARGIN + (index + 1) * step, point) for index, point in enumerate(points)]
    for there, run in groupby(placed, key=lambda each: each[1] is not None):
        if there:
            yield list(run)


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _rule(height: float, dashes: str) -> str:
    """A line across the plot."""
    return (
        f'<line x1="{_MARGIN}" y1="{height:.1f}" x2="{_MARGIN + _WIDTH}" y2="{height:.1f}" '
        f'stroke="{_RULE}" stroke-dasharray="{dashes}"/>'
    )


def _dot(x: float, y: float, colour: Colour) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour(_DARK)}"/>'


def _labelled(labels: Sequence[tuple[float, str]]) -> Iterator[str]:
    """Texts to the right of the plot, each at its height; one that would overlap is moved down."""
    height = 0.0
    for wish, text in sorted(labels):
        height = max(wish + 4, height + _LINE)
        yield f'<text x="{_MARGIN + _WIDTH + 6}" y="{height:.1f}">{text}</text>'
