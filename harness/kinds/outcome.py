"""What kinds read and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.errors import MeasurementError
from harness.records import Array

Metrics = Mapping[str, Array]
Values = dict[str, Array]


@dataclass(frozen=True)
class Evidence:
    """The stored statistics of one stage: the program's, the reference's, the stored target."""

    own: Mapping[str, Array]
    reference: Mapping[str, Array] | None = None
    target: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Outcome:
    """A decision on one check.

    Attributes:
        status: ``MORE`` asks for the next stage.
        credit: the share of the points, in [0, 1]; 1 exactly where the status is PASS.
        margin: how far the evidence lies from the limit, in units of the limit: an error of 0.01
            tolerances is 0.01. Below 1 speaks for the program. NaN where the kind has none.
        figures: the numbers behind the decision, finite or as text.
    """

    status: Literal["PASS", "FAIL", "INCONCLUSIVE", "UNGRADABLE", "MORE"]
    cause: str = ""
    credit: float = 0.0
    margin: float = float("nan")
    figures: Mapping[str, Any] = field(default_factory=dict)


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
