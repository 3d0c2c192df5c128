"""Kind ``moments``: an exact moment over all outcomes of a law equals the reference's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.errors import MeasurementError
from harness.kinds.comparison import CAUSES, compare_with_reference, within_rounding
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Companion, Kind, named
from harness.records import Array
from harness.spec.checks import MomentsCheck
from harness.statistics.exact import Wanted
from harness.statistics.moments import weighted_moments

WEIGHT = Companion("weight", "the probability of each row of {metric}, with sum 1")


def reduce(check: MomentsCheck, metrics: Metrics) -> Values:
    """The exact moment under the outcomes' weights, and its condition scale S."""
    outcomes = named(metrics, check.metric).astype(np.float64)
    weights = WEIGHT.of(metrics, check.metric)
    try:
        moments = weighted_moments(outcomes, weights)
    except ValueError as error:
        raise MeasurementError(f"{check.metric}: {error}") from error
    match check.statistic:
        case "mean":
            value, scale = moments.mean, moments.mean_scale
        case "variance":
            value, scale = moments.variance, moments.variance_scale
        case "trace-variance":
            value = np.asarray(moments.trace_variance)
            scale = np.asarray(moments.trace_variance_scale)
    return {"value": np.asarray(value), "scale": np.asarray(scale)}


def wanted(check: MomentsCheck, reference: Mapping[str, Array]) -> Wanted:
    """The reference's moment within c·eps·S, S the reference's.

    Terms of the program's own never enter S: whoever returns large ones would choose the tolerance
    by which he is judged. An honest estimator with larger terms than the reference's (more
    variance, same mean) has to fit into c; :mod:`verify <harness.proving.verification>` says how
    much of it the variants use.
    """
    return within_rounding(reference, "value", "float64", check.c)


def decide(check: MomentsCheck, steps: Sequence[Evidence]) -> Outcome:
    """PASS where the moment lies within the tolerance of the reference's."""
    del check
    return compare_with_reference(steps[0].own["value"], steps[0])


KIND = Kind(
    name="moments",
    metric="outcomes (outcomes, ...), every outcome of the law a row",
    reduce=reduce,
    decide=decide,
    causes=CAUSES,
    companions=(WEIGHT,),
    wanted=wanted,
    of_reference=("scale",),
    reduced_by=("statistic",),
    has_tolerance=True,
)
