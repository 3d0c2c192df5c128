"""Kind ``normalisation``: log-probabilities over a whole sample space sum to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.arrays import finite_or_text
from harness.causes import Cause
from harness.errors import MeasurementError
from harness.kinds.comparison import CAUSES, compare
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Kind, named
from harness.spec.checks import NormalisationCheck
from harness.statistics.exact import Wanted


def reduce(check: NormalisationCheck, metrics: Metrics) -> Values:
    """log Σ exp over the last axis, in nats; computed relative to the maximum."""
    logs = named(metrics, check.metric).astype(np.float64)
    if logs.ndim == 0 or logs.size == 0:
        raise MeasurementError(f"{check.metric} has shape {logs.shape}; wanted (..., outcomes)")
    with np.errstate(all="ignore"):
        largest = logs.max(axis=-1, keepdims=True)
        total = np.exp(logs - largest).sum(axis=-1)
        log_sum = largest[..., 0] + np.log(total)
    return {"log_sum": np.asarray(log_sum)}


def decide(check: NormalisationCheck, steps: Sequence[Evidence]) -> Outcome:
    """PASS where every |log Σ exp| is at most the tolerance."""
    log_sum = steps[0].own["log_sum"]
    outcome = compare(log_sum, Wanted.of(np.zeros(log_sum.shape), check.tolerance))
    worst = np.nan
    if not np.isnan(log_sum).all():
        worst = log_sum.ravel()[int(np.nanargmax(np.abs(log_sum)))]
    message = outcome.message
    if outcome.cause == Cause.WRONG:
        message = (
            f"the probabilities sum to exp({worst:.4g}), where exp(0) within {check.tolerance:g} "
            "in the exponent is wanted"
        )
    figures = {**outcome.figures, "log_sum": finite_or_text(worst)}
    return replace(outcome, figures=figures, message=message)


KIND = Kind(
    name="normalisation",
    metric="log-probabilities (..., outcomes), every outcome of the sample space on the last axis",
    reduce=reduce,
    decide=decide,
    causes=CAUSES,
    has_tolerance=True,
)
