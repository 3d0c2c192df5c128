"""What a task's show.py draws of a program, as the arrays that an observation keeps.

``show(student, rng)`` runs like a measurement, under the public key, and returns pictures as
dicts. Each has a ``title`` and an ``alt``, which says in words what it shows, and either

- ``images``: brightness ``[rows columns h w]`` from 0 to 1, one being dark, with the names of its
  ``rows`` and, if it has them, of its ``columns``; or
- ``points``: name -> places ``[n 2]``, with the axes ``across`` and ``up``, each a name and the two
  numbers at its ends.

Pictures are no part of a mark. Whatever numbers a program gives, something is drawn: numbers that
are not finite, and those beyond the ends of a scale, are counted in the alternative text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.collect.proxy import ProgramProxy
from harness.collect.task_code import module_of
from harness.errors import MeasurementError
from harness.records import SHOW, Array, canonical
from harness.spec.load import LoadedTask

#: Pictures of a task; pixels or points of one picture; letters of a text.
MOST_PICTURES, MOST_CELLS, MOST_POINTS, MOST_LETTERS = 6, 20_000, 3_000, 400
_IMAGES = {"title", "alt", "images", "rows"}
_POINTS = {"title", "alt", "points", "across", "up"}
#: Levels of brightness, and places along an axis: whole numbers, the same on every machine.
_LEVELS, _PLACES = 255, 1000
#: How far beyond its scale a number counts as rounding.
_ROUNDING = 1e-6


def drawn(
    task: LoadedTask, student: ProgramProxy, rng: np.random.Generator
) -> dict[str, dict[str, Array]]:
    """The pictures of a program, by their number from 1: ``caption`` and arrays.

    Raises:
        ProgramError: the program did not deliver.
        MeasurementError: show.py returned something else than pictures.
    """
    module = module_of(task, SHOW, task.show or b"")
    with np.errstate(all="ignore"):  # a program may return anything
        pictures = module.show(student, rng)
    if not isinstance(pictures, list) or not 0 < len(pictures) <= MOST_PICTURES:
        raise MeasurementError(
            f"{SHOW}: show returned no list of pictures",
            f"return 1 to {MOST_PICTURES} dicts in a list",
        )
    return {str(number): _reduced(picture) for number, picture in enumerate(pictures, 1)}


def _reduced(picture: Any) -> dict[str, Array]:
    keys = set(picture) if isinstance(picture, dict) else set()
    if _IMAGES <= keys <= {*_IMAGES, "columns"}:
        caption, arrays = _images(picture)
    elif keys == _POINTS:
        caption, arrays = _points(picture)
    else:
        raise _wrong(f"a picture has the entries {sorted(map(str, keys))}")
    for name in ("title", "alt"):
        text = picture[name]
        if not isinstance(text, str) or not 0 < len(text) <= MOST_LETTERS:
            raise _wrong(f"a picture's {name} is no text of at most {MOST_LETTERS} letters")
    alt = " ".join([picture["alt"], *caption.pop("remarks")])
    text = canonical({**caption, "title": picture["title"], "alt": alt})
    return {"caption": np.frombuffer(text.encode(), np.uint8), **arrays}


def _images(picture: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Array]]:
    values = np.asarray(picture["images"], dtype=np.float64)
    rows, columns = list(picture["rows"]), list(picture.get("columns", ()))
    if values.ndim != 4 or not 0 < values.size <= MOST_CELLS:
        raise _wrong(f"images of shape {values.shape}, not [rows columns h w] or over {MOST_CELLS}")
    named = len(columns) in (0, values.shape[1]) and all(map(_is_name, (*rows, *columns)))
    if len(rows) != values.shape[0] or not named:
        raise _wrong(f"{len(rows)} rows and {len(columns)} columns have names")
    odd = ~np.isfinite(values)
    outside = ~odd & ((values < -_ROUNDING) | (values > 1 + _ROUNDING))
    levels = np.rint(np.clip(np.where(odd, 0.0, values), 0.0, 1.0) * _LEVELS).astype(np.uint8)
    remarks = [
        *_counted(odd, "pixels", "not finite: they are drawn red"),
        *_counted(outside, "pixels", "beyond 0 to 1: they are drawn as the nearer end"),
    ]
    arrays = {"images": levels} | ({"odd": odd} if odd.any() else {})
    return {"rows": rows, "columns": columns, "remarks": remarks}, arrays


def _points(picture: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Array]]:
    axes = [_axis(picture[name]) for name in ("across", "up")]
    groups = picture["points"]
    if not isinstance(groups, dict) or not groups or not all(map(_is_name, groups)):
        raise _wrong("points have no names")
    remarks, arrays, count = list[str](), dict[str, Array](), 0
    for number, (name, places) in enumerate(groups.items(), 1):
        at = np.asarray(places, dtype=np.float64)
        count += len(at) if at.ndim else 0
        if at.ndim != 2 or at.shape[1] != 2 or count > MOST_POINTS:
            raise _wrong(f"points {name} of shape {at.shape}, not [n 2] or over {MOST_POINTS}")
        shares = np.stack([(at[:, i] - axes[i][1]) / (axes[i][2] - axes[i][1]) for i in (0, 1)], 1)
        odd = ~np.isfinite(shares).all(axis=1)
        outside = ~odd & ((shares < 0) | (shares > 1)).any(axis=1)
        remarks += _counted(odd, f'points of "{name}"', "not finite: they are left out")
        remarks += _counted(outside, f'points of "{name}"', "beyond the edge: they are left out")
        kept = shares[~odd & ~outside]
        arrays[f"points {number}"] = np.rint(kept * _PLACES).astype(np.int16)
    return {"groups": list(groups), "axes": axes, "remarks": remarks}, arrays


def _axis(axis: Any) -> list[Any]:
    match axis:
        case (str(name), int() | float() as low, int() | float() as high):
            if _is_name(name) and math.isfinite(low) and math.isfinite(high) and low < high:
                return [name, low, high]
    raise _wrong(f"{axis!r} is no axis: a name and its two ends")


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) <= 40


def _counted(which: Array, things: str, what: str) -> Sequence[str]:
    count = int(which.sum())
    return [f"{count} of {which.size} {things} are {what}."] if count else []


def _wrong(message: str) -> MeasurementError:
    return MeasurementError(f"{SHOW}: {message}", "see docs/authoring.md, Pictures")
