"""What kinds read and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.errors import MeasurementError
from harness.records import COMMON, Array, Step

Metrics = Mapping[str, Array]
Values = dict[str, Array]


@dataclass(frozen=True)
class Evidence:
    """The stored statistics of one step: the program's, the reference's, the stored target.

    Attributes:
        error: the program's error where there are no statistics; kinds that count errors see it.
    """

    own: Mapping[str, Array]
    reference: Mapping[str, Array] | None = None
    target: Mapping[str, Any] | None = None
    step: Step = COMMON
    error: str = ""


@dataclass(frozen=True)
class Outcome:
    """A decision on one check.

    Attributes:
        status: ``MORE`` asks for further steps.
        credit: the share of the points, in [0, 1]; 1 exactly where the status is PASS.
        margin: how far the evidence lies from the limit, in units of the limit: an error of 0.01
            tolerances is 0.01. Below 1 speaks for the program. NaN where the kind has none.
        figures: the numbers behind the decision, finite or as text.
        message: what to say of it, from figures of ours alone; a fixed sentence where empty.
        wants: with ``MORE``, the steps that are needed whatever they will say.
    """

    status: Literal["PASS", "FAIL", "INCONCLUSIVE", "UNGRADABLE", "MORE"]
    cause: str = ""
    credit: float = 0.0
    margin: float = float("nan")
    figures: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    wants: tuple[Step, ...] = ()


def metric(metrics: Metrics, name: str) -> Array:
    """A metric that a measurement must have returned.

    Raises:
        MeasurementError: it did not.
    """
    try:
        return metrics[name]
    except KeyError:
        raise MeasurementError(
            f"the measurement returned {sorted(metrics)}, a check needs {name!r}"
        ) from None
