"""Programs that keep results by part of their arguments: ``python docs/evidence/kept.py``.

``verify --mutate`` has some of these ways. docs/evidence/kept.csv has what became of every program
(see ways.py); docs/strength.md has the table. About ten processor seconds a task.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pages import EVIDENCE
from ways import Ways, main

from harness.mutation.keeping import keeps_parts, kept_by, kept_without_one
from harness.mutation.source import Operator, Place

#: What is kept by: the shapes of the arguments and this part of every array.
PARTS = {
    "shapes": "a[:0]",
    "first rows": "a[:1]",
    "last rows": "a[-1:]",
    "first columns": "a[..., :1]",
    "first numbers": "a.flatten()[:1]",
    "last numbers": "a.flatten()[-1:]",
    "sums": "float(round(float(a.sum()), 6))",
}
ALL_BUT_ONE = "all arguments but one"
CALL_BEFORE = "all arguments but one, of the call before"


def _by_part(part: str, place: Place) -> Iterator[str]:
    if keeps_parts(place):
        yield kept_by(part)


def _without_one(call_before: bool, place: Place) -> Iterator[str]:
    if keeps_parts(place):
        yield from kept_without_one(place, call_before=call_before)


KEPT = Ways(
    EVIDENCE / "kept.csv",
    "kept_by",
    (
        *(Operator(name, partial(_by_part, part), "state") for name, part in PARTS.items()),
        Operator(ALL_BUT_ONE, partial(_without_one, False), "state"),
        Operator(CALL_BEFORE, partial(_without_one, True), "state"),
    ),
)

if __name__ == "__main__":
    main(KEPT, "Programs that keep results, and who notices.")
