"""Programs that are wrong in special cases alone: ``python docs/evidence/special.py``.

All results of a call are spoilt where something holds of its arguments, such as that a number among
them is 0. Who does not notice has no such call, or none whose result counts.
docs/evidence/special.csv has what became of every program (see ways.py); docs/strength.md has the
table. About ten processor seconds a task.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pages import EVIDENCE
from ways import Ways, main

from harness.mutation.keeping import keeps_parts
from harness.mutation.source import Operator, Place

#: What has to hold of one of the arguments ``a``; arrays of whole numbers are left out.
CASES = {
    "a number is 0": "is_array(a) and a.ndim > 0 and bool((a == 0).any())",
    "numbers of a row are equal": "is_array(a) and a.ndim > 0 and a.shape[-1] > 1"
    " and bool((a.sort(dim=-1).values.diff() == 0).any())",
    "rows are equal": "is_array(a) and a.ndim > 1 and 1 < len(a) != len(a.unique(dim=0))",
    "axes are equal": "is_array(a) and a.ndim > 1 and len(a) > 1 and len(set(a.shape)) == 1",
    "one row": "is_array(a) and a.ndim > 0 and len(a) == 1",
    "a parameter is 0": "isinstance(a, float) and a == 0",
    "a parameter is 1": "isinstance(a, float) and a == 1",
}

_SPOILT = """\
@def _spoilt(function):
    def is_array(a):
        return hasattr(a, "detach") and a.is_floating_point()

    def spoilt(found):
        if isinstance(found, (list, tuple)):
            return tuple(map(spoilt, found))
        if is_array(found) or isinstance(found, float):
            return found * 1.01 + 0.01
        return found.roll(1) if hasattr(found, "roll") and found.ndim else found

    def call(*args, **named):
        found = function(*args, **named)
        holds = any({holds} for a in (*args, *named.values()))
        return spoilt(found) if holds else found
    return call
@_spoilt"""


def _where(holds: str, place: Place) -> Iterator[str]:
    if keeps_parts(place):
        yield _SPOILT.format(holds=holds)


SPECIAL = Ways(
    EVIDENCE / "special.csv",
    "wrong_where",
    tuple(Operator(name, partial(_where, holds), "plain") for name, holds in CASES.items()),
)

if __name__ == "__main__":
    main(SPECIAL, "Programs that are wrong in special cases, and who notices.")
