"""Programs that are wrong in special cases alone: ``python docs/evidence/special.py``.

All results of a call are spoilt, or their gradients alone, where something holds of its arguments,
such as that a number among them is 0. Who does not notice has no such call, or none whose result
counts. docs/evidence/special.csv has what became of every program (see ways.py); docs/strength.md
has the table. Half a minute to two minutes of processor time a task.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pages import EVIDENCE
from ways import Ways, main

from harness.mutation.keeping import keeps_parts
from harness.mutation.source import Operator, Place

_WHOLE = 'hasattr(a, "detach") and not a.is_floating_point()'
#: What has to hold of one of the arguments ``a``.
CASES = {
    "a number is 0": "is_array(a) and a.ndim > 0 and bool((a == 0).any())",
    "a number is 1": "is_array(a) and a.ndim > 0 and bool((a == 1).any())",
    "a number is infinite": "is_array(a) and bool(a.isinf().any())",
    "a number is below 1e-6": "is_array(a) and bool(((a != 0) & (a.abs() < 1e-6)).any())",
    "a number is above 20": "is_array(a) and bool((a.abs() > 20).any())",
    "a number without axes is 0": "is_array(a) and a.ndim == 0 and bool(a == 0)",
    "a number without axes is 1": "is_array(a) and a.ndim == 0 and bool(a == 1)",
    "numbers of a row are equal": "is_array(a) and a.ndim > 0 and a.shape[-1] > 1"
    " and bool((a.sort(dim=-1).values.diff() == 0).any())",
    "a row ascends": "is_array(a) and a.ndim > 0 and a.shape[-1] > 2"
    " and bool((a.diff(dim=-1) >= 0).all(-1).any())",
    "a row is 0": "is_array(a) and a.ndim > 0 and bool((a == 0).all(-1).any())",
    "a row is negative": "is_array(a) and a.ndim > 0 and a.shape[-1] > 1"
    " and bool((a < 0).all(-1).any())",
    "a row is positive": "is_array(a) and a.ndim > 0 and a.shape[-1] > 1"
    " and bool((a > 0).all(-1).any())",
    "rows are equal": "is_array(a) and a.ndim > 1 and 1 < len(a) != len(a.unique(dim=0))",
    "all numbers are 0": "is_array(a) and a.ndim > 0 and bool((a == 0).all())",
    "all numbers are negative": "is_array(a) and a.ndim > 0 and a.numel() > 1"
    " and bool((a < 0).all())",
    "a parameter is 0": "isinstance(a, float) and a == 0",
    "a parameter is 1": "isinstance(a, float) and a == 1",
    "a whole parameter is 0": "type(a) is int and a == 0",
    "a whole parameter is 1": "type(a) is int and a == 1",
    "all whole numbers are equal": f"{_WHOLE} and a.numel() > 1"
    " and bool((a == a.flatten()[0]).all())",
    "whole numbers of a row are equal": f"{_WHOLE} and a.ndim > 0 and a.shape[-1] > 1"
    " and bool((a == a[..., :1]).all(-1).any())",
    "all whole numbers differ": f"{_WHOLE} and a.numel() > 2 and a.unique().numel() == a.numel()",
    "the first whole number is 0": f"{_WHOLE} and a.ndim == 1 and len(a) > 1 and a[0] == 0",
    "the first whole number is the largest": f"{_WHOLE} and a.ndim == 1 and len(a) > 1"
    " and bool(a.float().argmax() == 0)",
    "all is true": f"{_WHOLE} and a.numel() > 1 and set(a.unique().tolist()) == {{1}}",
}
#: The same of its shape.
SHAPES = {
    "one row": "is_array(a) and a.ndim > 0 and len(a) == 1",
    "one number": "is_array(a) and a.ndim > 0 and a.numel() == 1",
    "one column": "is_array(a) and a.ndim > 1 and a.shape[-1] == 1 and a.numel() > 1",
    "many rows": "is_array(a) and a.ndim > 0 and len(a) > 8",
    "an odd last axis": "is_array(a) and a.ndim > 0 and a.shape[-1] % 2 == 1 and a.shape[-1] > 1",
    "an even last axis": "is_array(a) and a.ndim > 0 and a.shape[-1] % 2 == 0",
    "axes are equal": "is_array(a) and a.ndim > 1 and len(a) > 1 and len(set(a.shape)) == 1",
    "two of several axes are equal": "is_array(a) and a.ndim > 2"
    " and len(set(a.shape)) == a.ndim - 1",
    "more rows than anything else": "is_array(a) and a.ndim > 1 and len(a) > max(a.shape[1:]) > 1",
    "fewer rows than anything else": "is_array(a) and a.ndim > 1 and 1 < len(a) < min(a.shape[1:])",
    "memory is not contiguous": "is_array(a) and not a.is_contiguous()",
    "no gradient is asked for": "is_array(a) and not a.requires_grad",
}
#: Where gradients alone are spoilt.
SLOPES = (
    *("a number is 0", "a number is 1", "a number is below 1e-6", "a number is above 20"),
    *("numbers of a row are equal", "a row is 0", "rows are equal", "a parameter is 0"),
    *("a parameter is 1", "one row", "many rows", "an odd last axis", "axes are equal"),
    *("more rows than anything else", "fewer rows than anything else"),
)

_SPOILT = """\
@def _spoilt(function):
    def is_array(a):
        return hasattr(a, "detach") and a.is_floating_point()

    def spoilt(found):
        if isinstance(found, (list, tuple)):
            return tuple(map(spoilt, found))
        {spoilt}

    def call(*args, **named):
        found = function(*args, **named)
        holds = any({holds} for a in (*args, *named.values()))
        return spoilt(found) if holds else found
    return call
@_spoilt"""


#: How a result is spoilt: its numbers, or gradients through it alone.
_NUMBERS = """\
if is_array(found) or isinstance(found, float):
            return found * 1.01 + 0.01
        return found.roll(1) if hasattr(found, "roll") and found.ndim else found"""
_SLOPES = """\
if is_array(found) and found.requires_grad:
            return found + 0.01 * (found - found.detach())
        return found"""


def _where(holds: str, spoilt: str, place: Place) -> Iterator[str]:
    if keeps_parts(place):
        yield _SPOILT.format(holds=holds, spoilt=spoilt)


ALL = CASES | SHAPES
SPECIAL = Ways(
    EVIDENCE / "special.csv",
    "wrong_where",
    (
        *(Operator(name, partial(_where, holds, _NUMBERS), "plain") for name, holds in ALL.items()),
        *(
            Operator(f"gradient where {name}", partial(_where, ALL[name], _SLOPES), "plain")
            for name in SLOPES
        ),
    ),
)

if __name__ == "__main__":
    main(SPECIAL, "Programs that are wrong in special cases, and who notices.")
