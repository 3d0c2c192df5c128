"""Kind ``bounds``: a difference from the ideal lies within declared bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.causes import Cause
from harness.errors import MeasurementError
from harness.kinds.comparison import CAUSES, compare
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Kind, named
from harness.spec.checks import BoundsCheck
from harness.statistics.exact import Wanted


def reduce(check: BoundsCheck, metrics: Metrics) -> Values:
    """The differences, whole."""
    difference = named(metrics, check.metric).astype(np.float64)
    if difference.size == 0:
        raise MeasurementError(f"{check.metric} has no entry")
    return {"difference": difference}


def decide(check: BoundsCheck, steps: Sequence[Evidence]) -> Outcome:
    """PASS where every difference is finite and inside; the margin is its share of the bound."""
    difference = steps[0].own["difference"]
    bound = np.where(difference > 0, _or_largest(check.upper), _or_largest(check.lower))
    outcome = compare(difference, Wanted.of(np.zeros(difference.shape), np.abs(bound)))
    figures = {**outcome.figures, "lower": check.lower, "upper": check.upper}
    message = outcome.message
    if outcome.cause == Cause.WRONG:
        limits = {"at least": check.lower, "at most": check.upper}
        allowed = " and ".join(f"{word} {x:g}" for word, x in limits.items() if x is not None)
        message = f"a difference of {figures['got']:.3g} from the ideal, where {allowed} is allowed"
    return replace(outcome, figures=figures, message=message)


def _or_largest(bound: float | None) -> float:
    """A bound; where it is left out, the largest number, which no finite difference exceeds."""
    return float(np.finfo(np.float64).max) if bound is None else bound


KIND = Kind(
    name="bounds",
    metric="differences from the ideal, at least one",
    reduce=reduce,
    decide=decide,
    causes=CAUSES,
    has_tolerance=True,
)
