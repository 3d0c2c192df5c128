"""Kind ``exact``: every entry equals the reference's, up to rounding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.kinds.comparison import (
    CAUSES,
    SCALE,
    compare_with_reference,
    condition_scale,
    within_rounding,
)
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Kind, named
from harness.records import Array
from harness.spec.checks import ExactCheck
from harness.statistics.exact import Wanted


def reduce(check: ExactCheck, metrics: Metrics) -> Values:
    """The values and their condition scales S, whole."""
    return {
        "value": named(metrics, check.metric),
        "scale": condition_scale(metrics, check.metric),
    }


def wanted(check: ExactCheck, reference: Mapping[str, Array]) -> Wanted:
    """The reference's values within c·eps·S, S the reference's."""
    return within_rounding(reference, "value", check.precision, check.c)


def decide(check: ExactCheck, steps: Sequence[Evidence]) -> Outcome:
    """PASS where every entry lies within the tolerance of the reference's."""
    del check
    return compare_with_reference(steps[0].own["value"], steps[0])


KIND = Kind(
    name="exact",
    metric="the numbers that are compared, at least one; the reference's without NaN",
    reduce=reduce,
    decide=decide,
    causes=CAUSES,
    companions=(SCALE,),
    wanted=wanted,
    of_reference=("scale",),
    has_tolerance=True,
)
