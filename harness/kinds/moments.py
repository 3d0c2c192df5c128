"""Kind ``moments``: an exact moment over all outcomes of a law equals the reference's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.errors import MeasurementError
from harness.kinds.comparison import CAUSES, compare, reference_of
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Companion, Kind, named
from harness.spec.checks import MomentsCheck
from harness.statistics.exact import tolerance
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


def decide(check: MomentsCheck, steps: Sequence[Evidence]) -> Outcome:
    """PASS where the moment lies within c·eps·S of the reference's, S the reference's.

    Terms of the program's own never enter S: whoever returns large ones would choose the tolerance
    by which he is judged. An honest estimator with larger terms than the reference's (more
    variance, same mean) has to fit into c; :mod:`verify <harness.proving.verification>` says how
    much of it the variants use.
    """
    evidence = steps[0]
    reference = reference_of(evidence)
    tol = tolerance(reference["scale"], float(np.finfo(np.float64).eps), check.c)
    return compare(evidence.own["value"], reference["value"], tol)


KIND = Kind(
    name="moments",
    metric="outcomes (outcomes, ...), every outcome of the law a row",
    reduce=reduce,
    decide=decide,
    causes=CAUSES,
    companions=(WEIGHT,),
    of_reference=("scale",),
    reduced_by=("statistic",),
    has_tolerance=True,
)
