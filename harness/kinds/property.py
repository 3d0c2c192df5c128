"""Kind ``property``: something holds in every entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.causes import Cause
from harness.errors import MeasurementError
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Kind, named
from harness.spec.checks import PropertyCheck


def reduce(check: PropertyCheck, metrics: Metrics) -> Values:
    """The truth values, whole."""
    value = named(metrics, check.metric)
    if value.dtype != np.bool_:
        raise MeasurementError(f"a property is boolean; {check.metric} is {value.dtype}")
    return {"holds": value}


def decide(check: PropertyCheck, steps: Sequence[Evidence]) -> Outcome:
    """PASS where it holds everywhere.

    Raises:
        ValueError: there is no entry, so that nothing was tested.
    """
    holds = steps[0].own["holds"]
    if holds.size == 0:
        raise ValueError(f"{check.metric} has no entry")
    broken = int(holds.size - np.count_nonzero(holds))
    figures: dict[str, Any] = {"broken": broken, "of": int(holds.size)}
    if broken:
        figures["index"] = [int(i) for i in np.argwhere(~holds)[0]]
        message = (
            f"{broken} of {holds.size} conditions {'does' if broken == 1 else 'do'} not hold, "
            f"the first is number {int(np.flatnonzero(~holds)[0]) + 1}"
        )
        return Outcome("FAIL", Cause.WRONG, 0.0, float("inf"), figures, message)
    return Outcome("PASS", Cause.NONE, 1.0, 0.0, figures)


KIND = Kind(
    name="property",
    metric="booleans, true where the property holds, at least one",
    reduce=reduce,
    decide=decide,
    causes=(Cause.WRONG,),
)
