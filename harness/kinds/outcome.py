"""What a kind reads of each step, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.causes import Cause
from harness.records import COMMON, Array, Step

Metrics = Mapping[str, Array]
Values = dict[str, Array]


@dataclass(frozen=True)
class Evidence:
    """The statistics of one step.

    Attributes:
        own: those of the program that is decided on; empty where it broke.
        reference: those of the reference in the same trial, where the check compares with them.
        target: the stored distribution, where the check names one.
        error: the cause with which the program broke; only kinds that count errors get such a step.
        wanted: what the kind made of the reference's statistics beforehand
            (:attr:`Kind.wanted <harness.kinds.record.Kind.wanted>`); None where it was not asked.
    """

    own: Mapping[str, Array]
    reference: Mapping[str, Array] | None = None
    target: Mapping[str, Any] | None = None
    step: Step = COMMON
    error: str = ""
    wanted: Any = None


@dataclass(frozen=True)
class Outcome:
    """What a kind makes of the statistics of one check.

    Attributes:
        status: ``MORE`` asks for further steps.
        credit: the share of the points, in [0, 1]; 1 exactly where the status is PASS.
        margin: how far the evidence lies from the limit, in units of the limit: an error of 0.01
            tolerances is 0.01. At most 1 for a program that passes. NaN where the kind has none.
        figures: the numbers behind the decision, finite or as text.
        message: a sentence more precise than that of the cause, from figures of the grader alone;
            empty where there is none.
        wants: with ``MORE``, the steps without which nothing can be decided.
    """

    status: Literal["PASS", "FAIL", "INCONCLUSIVE", "UNGRADABLE", "MORE"]
    cause: Cause = Cause.NONE
    credit: float = 0.0
    margin: float = float("nan")
    figures: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    wants: tuple[Step, ...] = ()


def more(*steps: Step) -> Outcome:
    """The outcome that asks for further steps."""
    return Outcome("MORE", wants=steps)
