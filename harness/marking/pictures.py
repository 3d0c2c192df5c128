"""What is drawn of a failed check, as numbers: masks and influences beside those wanted.

Everything comes from the observations of the public example, the program's and the reference's, so
a picture is the same whenever it is made again. :mod:`harness.report.pictures` draws it.

- A check of the kind ``causality``: the calls of the example in which single inputs are moved, and
  by how much every output moves with each of them.
- A check of the kind ``exact`` whose wanted result is a matrix of zeros and ones: that matrix.
- A check of the kind ``seed-success``: what each training seed that decided it came to, beside the
  threshold and the reference's stored runs, and their learning curves where the check has them
  shown. These are seeds that are marked; their numbers stand in the check's message as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from harness import stored_runs
from harness.arrays import encode_array
from harness.marking import training_curves
from harness.marking.closeness import wrong_entries
from harness.marking.snippet import array_of
from harness.records import Array, Observation
from harness.spec.checks import CausalityCheck, CheckBase, ExactCheck, SeedSuccessCheck
from harness.spec.load import LoadedTask

#: Rows and columns of a map that can still be read.
_LEAST_SIDE, _EASY_SIDE, _MOST_SIDE = 2, 32, 64
#: An influence below this share of the largest one is rounding.
_NOTHING = 1e-9
#: The share of the reference's runs that its band holds.
_BAND = 0.9
#: The levels of brightness that a cell is drawn with.
_DARKEST = 255


@dataclass(frozen=True)
class _Maps:
    """Two maps of one shape: what came back, what was wanted, and where they differ.

    Attributes:
        image: height and width of the image that rows and columns are the pixels of; None where
            they are none.
    """

    title: str
    axes: str
    own: Array
    wanted: Array
    wrong: Array
    image: tuple[int, int] | None = None

    @property
    def unreadable(self) -> tuple[bool, int]:
        """Orders the maps of one check: the largest that is still easy to read comes first."""
        side = max(self.own.shape)
        return side > _EASY_SIDE, -side


def picture(
    check: CheckBase, own: Observation, reference: Observation, *, file: str
) -> dict[str, Any] | None:
    """The picture of a failed check; None where nothing of it can be drawn.

    Args:
        own, reference: what the program and the reference did on the public example.
        file: how the picture's file is called.

    Returns:
        ``file``, ``title``, ``alt`` (what it shows, in words) and ``panels``: each a title, its
        cells from 0 to 255 and which of them are wrong, encoded.
    """
    maps: Iterator[_Maps]
    if isinstance(check, CausalityCheck):
        maps = _influences(own.transcript, reference.transcript)
    elif isinstance(check, ExactCheck):
        maps = _masks(own.transcript, reference.transcript)
    else:
        return None
    chosen = min(maps, key=lambda each: each.unreadable, default=None)
    return None if chosen is None else _described(chosen, file)


def of_seeds(
    task: LoadedTask, check: SeedSuccessCheck, figures: Mapping[str, Any], *, file: str
) -> dict[str, Any] | None:
    """The picture of the training seeds behind a decision; None where there were none.

    Args:
        figures: the evidence of its verdict.
        file: how the picture's file is called.

    Returns:
        ``file``, ``title``, ``alt`` and ``seeds``: their ``values``, ``threshold`` and ``low`` of
        the check, and ``band``, between which nine tenths of the reference's runs lie (None where
        none are at hand). ``training`` where the check has learning curves shown
        (:mod:`harness.marking.training_curves`).
    """
    values = [float(value) for value in figures.get("values", ())]
    if not values:
        return None
    band, runs = _reference_band(task, check.id)
    side = "at least" if check.better == "higher" else "at most"
    shown = ", ".join(f"{value:.4g}" for value in values)
    alt = f"Training seeds 1 to {len(values)} came to {shown}; wanted is {side} "
    alt += f"{check.threshold:g}."
    if band is not None:
        alt += f" {_BAND:.0%} of {runs} reference runs lie from {band[0]:.4g} to {band[1]:.4g}."
    seeds = {"values": values, "threshold": check.threshold, "low": check.low, "band": band}
    title, curves = check.title or check.id, training_curves.drawn(task, check, figures)
    if curves is None:
        return {"file": file, "title": title, "alt": alt, "seeds": seeds}
    alt += f" Learning curves: {training_curves.sentence(task, check, figures)}"
    return {"file": file, "title": title, "alt": alt, "seeds": seeds, "training": curves}


@lru_cache(maxsize=256)
def _reference_band(task: LoadedTask, check_id: str) -> tuple[list[float] | None, int]:
    """Between which values most of the reference's stored runs lie, and how many runs there are."""
    check = task.spec.check(check_id)
    assert isinstance(check, SeedSuccessCheck)
    stored = [each for each in stored_runs.read(task, check.target) if each.role == "reference"]
    runs = stored[0].of(check) if stored and check.metric in stored[0].values else []
    if not runs:
        return None, 0
    margin = (1 - _BAND) / 2
    return [float(edge) for edge in np.quantile(runs, (margin, 1 - margin))], len(runs)


def _described(maps: _Maps, file: str) -> dict[str, Any]:
    rows, columns = maps.own.shape
    where = np.argwhere(maps.wrong)
    first = ", ".join(f"row {row + 1} column {column + 1}" for row, column in where[:3])
    more = f" and {len(where) - 3} more" if len(where) > 3 else ""
    alt = (
        f"{maps.title}, {maps.axes}: {rows} x {columns} cells as they came back beside those that "
        f"were wanted. {len(where)} {'differs' if len(where) == 1 else 'differ'}: {first}{more}."
    )
    panels = [
        {"title": title, "cells": encode_array(_levels(cells)), "wrong": encode_array(wrong)}
        for title, cells, wrong in (
            ("came back", maps.own, maps.wrong),
            ("wanted", maps.wanted, np.zeros_like(maps.wrong)),
            *_field(maps),
        )
    ]
    return {"file": file, "title": maps.title, "alt": alt, "panels": panels}


def _field(maps: _Maps) -> Iterator[tuple[str, Array, Array]]:
    """What moves the output with the most differences, as an image of the inputs."""
    if maps.image is None:
        return
    output = int(np.argmax(maps.wrong.sum(axis=0)))
    row, column = divmod(output, maps.image[1])
    wrong = maps.wrong[:, output].reshape(maps.image)
    title = f"for row {row + 1}, column {column + 1}"
    yield f"{title}: came back", maps.own[:, output].reshape(maps.image), wrong
    yield f"{title}: wanted", maps.wanted[:, output].reshape(maps.image), np.zeros_like(wrong)


def _levels(cells: Array) -> Array:
    """Absolute values as brightness: 0 for zero, 255 for the largest and for what is not finite."""
    sizes = np.abs(cells.astype(np.float64))
    finite = sizes[np.isfinite(sizes)]
    largest = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    shares = np.where(np.isfinite(sizes), sizes / largest, 1.0)
    # at least 48 of 255, so that the smallest value still differs from zero
    return np.where(sizes == 0, 0, np.clip(np.rint(shares * _DARKEST), 48, _DARKEST)).astype(
        np.uint8
    )


def _is_map(array: Array | None) -> bool:
    return (
        array is not None
        and array.ndim == 2
        and all(_LEAST_SIDE <= side <= _MOST_SIDE for side in array.shape)
    )


# masks


def _masks(own: Sequence[Any], reference: Sequence[Any]) -> Iterator[_Maps]:
    """The results that were wanted as matrices of zeros and ones, and came back otherwise."""
    for call, trusted in zip(own, reference, strict=False):
        for value, right in zip(call["results"], trusted["results"], strict=False):
            got, wanted = array_of(value), array_of(right)
            if wanted is None or not _is_map(wanted) or not np.isin(wanted, (0, 1)).all():
                continue
            if got is None or got.shape != wanted.shape or not wanted.any():
                continue
            wrong = wrong_entries(got, wanted)
            if wrong.any():
                given = ", ".join(
                    f"{label}={each}" for label, each in call["args"] if isinstance(each, int)
                )
                yield _Maps(f"{call['call']}({given})", "dark is one", got, wanted, wrong)


# influences


def _influences(own: Sequence[Any], reference: Sequence[Any]) -> Iterator[_Maps]:
    """Influences of single inputs that the reference has and the program lacks, or the reverse."""
    for (name, image, mine), (_, _, right) in zip(_moves(own), _moves(reference), strict=False):
        if mine.shape != right.shape or not _is_map(mine):
            continue
        field = image if mine.shape[0] == mine.shape[1] else None
        wrong = _there(mine) != _there(right)
        if wrong.any():
            axes = "an input a row, an output a column, in the order of the pixels"
            yield _Maps(f"What moves the outputs of {name}", axes, mine, right, wrong, field)


def _there(influence: Array) -> Array:
    finite = influence[np.isfinite(influence)]
    largest = float(finite.max()) if finite.size else 0.0
    there: Array = ~(influence <= _NOTHING * largest)
    return there


def _moves(
    transcript: Sequence[Any],
) -> Iterator[tuple[str, tuple[int, int] | None, Array]]:
    """Every experiment with single inputs: what was called, on images of which height and width,
    and the influences [input output].

    Its inputs are moved one at a time: in the rows of one call, or from call to call.
    """
    calls = [
        ((entry["call"], _image(images)), inputs, outputs)
        for entry in transcript
        if (images := _first_array(entry["args"])) is not None
        and (inputs := _rows(images)) is not None
        and (outputs := _rows(array_of(entry["results"][0]) if entry["results"] else None))
        is not None
        and len(inputs) == len(outputs)
    ]
    for what, inputs, outputs in calls:
        if (influence := _within(inputs, outputs)) is not None:
            yield *what, influence
    for what in dict.fromkeys(what for what, _, _ in calls):
        if (influence := _across([each[1:] for each in calls if each[0] == what])) is not None:
            yield *what, influence


def _image(images: Array) -> tuple[int, int] | None:
    """Height and width of images with one channel, ``[n 1 h w]``; None for anything else."""
    if images.ndim == 4 and images.shape[1] == 1:
        return int(images.shape[2]), int(images.shape[3])
    return None


def _first_array(arguments: Sequence[Any]) -> Array | None:
    arrays = (array_of(value) for _, value in arguments)
    return next((array for array in arrays if array is not None), None)


def _rows(array: Array | None) -> Array | None:
    """An array as one row for each entry of its first axis; None where it has no other axes."""
    if array is None or array.ndim < 2 or array.dtype.kind not in "fiub":
        return None
    return array.reshape(len(array), -1).astype(np.float64)


def _within(inputs: Array, outputs: Array) -> Array | None:
    """Influences from one call: each row but one has one input moved, each input in one row."""
    count = inputs.shape[1]
    if len(inputs) != count + 1:
        return None
    moved = inputs != np.median(inputs, axis=0)
    if not (moved.sum(axis=0) == 1).all() or moved.sum(axis=1).max() != 1:
        return None
    (base,) = np.flatnonzero(~moved.any(axis=1))
    influence = np.empty((count, outputs.shape[1]))
    rows, columns = np.nonzero(moved)
    with np.errstate(all="ignore"):
        influence[columns] = np.abs(outputs[rows] - outputs[base])
    return influence


def _across(calls: Sequence[tuple[Array, Array]]) -> Array | None:
    """Influences from several calls: the first as it is, each later one with one input moved."""
    inputs, outputs = calls[0]
    count = inputs.shape[1]
    influence = np.full((count, outputs.shape[1]), -1.0)
    for x, y in calls[1:]:
        if x.shape != inputs.shape or y.shape != outputs.shape:
            return None
        columns = np.flatnonzero((x != inputs).any(axis=0))
        if len(columns) != 1:
            return None
        with np.errstate(all="ignore"):
            influence[columns[0]] = np.abs(y - outputs).max(axis=0)
    return influence if len(calls) > 1 and not (influence == -1).any() else None
