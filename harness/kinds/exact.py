"""Kind ``exact``: every entry equals the reference's, up to rounding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.kinds.comparison import CAUSES, SCALE, compare, condition_scale, reference_of
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Kind, named
from harness.spec.checks import ExactCheck
from harness.statistics.exact import tolerance


def reduce(check: ExactCheck, metrics: Metrics) -> Values:
    """The values and their condition scales S, whole."""
    return {
        "value": named(metrics, check.metric),
        "scale": condition_scale(metrics, check.metric),
    }


def decide(check: ExactCheck, steps: Sequence[Evidence]) -> Outcome:
    """PASS where every entry lies within c·eps·S of the reference's, S the reference's."""
    reference = reference_of(steps[0])
    tol = tolerance(reference["scale"], float(np.finfo(check.precision).eps), check.c)
    return compare(steps[0].own["value"], reference["value"], tol)


KIND = Kind(
    name="exact",
    metric="the numbers that are compared, at least one; the reference's without NaN",
    reduce=reduce,
    decide=decide,
    causes=CAUSES,
    companions=(SCALE,),
    of_reference=("scale",),
    has_tolerance=True,
)
