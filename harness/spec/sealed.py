"""The hints of a task's mistakes, sealed: what a handout holds in place of answers.json.

What a mistake answers on the public example, together with its hint, lies in a box that those very
answers open. Whoever has a program that makes the mistake opens it by running the program; whoever
reads the file alone sees neither a hint nor an answer.

The answers of a mistake are compared with a tolerance, which digests know nothing of. So every
entry is replaced by the cell of a grid that it lies in, coarse enough that its tolerance seldom
crosses a border; where it does, both cells are tried. The cells together give the key of the box.
Inside are the entries as they are, with their tolerances: once a box is open, the comparison is
that of :mod:`harness.spec.answers`, so a handout gives the hints that the course gives.

What a determined reader can learn all the same is in docs/handout.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import math
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
from pydantic import ValidationError

from harness.records import Array
from harness.spec.answers import Kept
from harness.spec.checks import Model

#: The file of a task in a handout.
FILE = "hints.json"

#: A cell is so many tolerances wide: its border lies within a tolerance of one entry in 128.
_WIDTH = 256.0
#: Of so many ways to choose among neighbouring cells none is tried: it would take too long.
_MOST_KEYS = 64
#: What trying one key costs: about 3 ms, so that trying many is dear.
_ROUNDS = 10_000
_TAG_BYTES = 16
#: Boxes are filled up to a multiple of it, so that their size does not tell the hint.
_BLOCK_BYTES = 1024


class Places(Model):
    """Which entries of an array are compared, and the width of the cells that they lie in.

    Attributes:
        shape: that of the whole array.
        at: the places of the entries in the flattened array.
        widths: powers of two, so that they tell the tolerance and no digit of the entry; 0 where
            the entry itself is its cell.
    """

    shape: tuple[int, ...]
    at: tuple[int, ...]
    widths: tuple[float, ...]

    @classmethod
    def of(cls, kept: Kept) -> Places:
        """The places of stored entries."""
        widths = tuple(_width(each) for each in kept.tolerances)
        return cls(shape=kept.shape, at=kept.at, widths=widths)


class Contents(Model):
    """What lies in a box.

    Attributes:
        hint: that of the mistake.
        checks: the checks on which the mistake differs from the reference.
        statistics: what it answers on the check that the box belongs to.
    """

    hint: str
    checks: tuple[str, ...]
    statistics: dict[str, Kept]


class Box(Model):
    """What one mistake answers on one check, with its hint, sealed.

    Attributes:
        salt, data: in base64.
    """

    check: str
    places: dict[str, Places]
    salt: str
    data: str

    def opened(self, statistics: Mapping[str, Array]) -> Contents | None:
        """What lies in it, if a program with these statistics opens it; else None."""
        if any(
            name not in statistics or statistics[name].shape != places.shape
            for name, places in self.places.items()
        ):
            return None
        salt, data = base64.b64decode(self.salt), base64.b64decode(self.data)
        for cells in _choices(self.places, statistics):
            text = _unlocked(_key(cells, salt), data)
            if text is not None:
                contents = Contents.model_validate_json(text)
                kept = contents.statistics.items()
                same = all(each.matches(statistics[name]) for name, each in kept)
                return contents if same else None
        return None


class SealedHints(Model):
    """The sealed hints of one task.

    Attributes:
        measurements: measurement -> a digest of all that its answers depend on.
        boxes: in an order that says nothing.
    """

    measurements: dict[str, str]
    boxes: tuple[Box, ...]

    def opened(self, check: str, statistics: Mapping[str, Array]) -> list[Contents]:
        """What lies in those boxes of a check that a program with these statistics opens."""
        boxes = (box.opened(statistics) for box in self.boxes if box.check == check)
        return [contents for contents in boxes if contents is not None]


def seal(check: str, contents: Contents) -> Box:
    """Puts the hint of a mistake into a box that its answers on one check open."""
    places = {name: Places.of(kept) for name, kept in sorted(contents.statistics.items())}
    cells = [
        _cell(float(value), width)
        for name, each in places.items()
        for value, width in zip(contents.statistics[name].values, each.widths, strict=True)
    ]
    salt = secrets.token_bytes(16)
    data = _locked(_key(cells, salt), contents.model_dump_json().encode())
    return Box(check=check, places=places, salt=_text(salt), data=_text(data))


def read(path: Path) -> SealedHints | None:
    """The sealed hints in a file; None if there are none, or not as this version writes them."""
    try:
        return SealedHints.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


# ---------------------------------------------------------------------- cells

Cell: TypeAlias = str


def _width(tolerance: float) -> float:
    """The width of the cells of an entry: a power of two, at least ``_WIDTH`` tolerances."""
    return 2.0 ** math.ceil(math.log2(tolerance * _WIDTH)) if tolerance > 0 else 0.0


def _cell(value: float, width: float) -> Cell:
    """The cell of a number; zero lies in the middle of its cell, not on a border."""
    if not math.isfinite(value):
        return str(value)
    if width <= 0:
        return (value + 0.0).hex()
    quotient = value / width
    return str(round(quotient)) if math.isfinite(quotient) else str(quotient)


def _cells(value: float, width: float) -> tuple[Cell, ...]:
    """The cells of all numbers within a tolerance of a number, which are one or two."""
    reach = width / _WIDTH if math.isfinite(value) else 0.0
    return tuple(dict.fromkeys(_cell(value + shift, width) for shift in (0.0, -reach, reach)))


def _choices(
    places: Mapping[str, Places], statistics: Mapping[str, Array]
) -> Iterator[tuple[Cell, ...]]:
    """Every way to choose a cell for each entry; none where there are too many."""
    options: list[tuple[Cell, ...]] = []
    for name in sorted(places):
        values = statistics[name].astype(np.float64).ravel()[list(places[name].at)]
        options += map(_cells, map(float, values), places[name].widths)
    if math.prod(map(len, options)) <= _MOST_KEYS:
        yield from itertools.product(*options)


# ---------------------------------------------------------------------- boxes


def _key(cells: list[Cell] | tuple[Cell, ...], salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", "\n".join(cells).encode(), salt, _ROUNDS)


def _stream(key: bytes, length: int) -> bytes:
    return hashlib.shake_256(b"contents" + key).digest(length)


def _tag(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")[:_TAG_BYTES]


def _locked(key: bytes, text: bytes) -> bytes:
    """A text, filled up with spaces, in a form that only its key turns back."""
    padded = text + b" " * (-len(text) % _BLOCK_BYTES)
    return _tag(key, padded) + _mixed(padded, _stream(key, len(padded)))


def _unlocked(key: bytes, data: bytes) -> bytes | None:
    """The text that was locked with this key; None if it was another one."""
    tag, mixed = data[:_TAG_BYTES], data[_TAG_BYTES:]
    padded = _mixed(mixed, _stream(key, len(mixed)))
    return padded.rstrip(b" ") if hmac.compare_digest(tag, _tag(key, padded)) else None


def _mixed(text: bytes, stream: bytes) -> bytes:
    return (np.frombuffer(text, np.uint8) ^ np.frombuffer(stream, np.uint8)).tobytes()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
