"""Kind ``variance-ratio``: an estimator's variance is below a multiple of a baseline's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.arrays import finite_or_text
from harness.causes import Cause
from harness.errors import MeasurementError
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Companion, Kind, named
from harness.kinds.two_stage import decide_in_two_stages
from harness.spec.checks import VarianceRatioCheck
from harness.statistics import two_stage, variance_ratio

BASELINE = Companion("baseline", "the estimator that {metric} is compared with, on the same draws")


def reduce(check: VarianceRatioCheck, metrics: Metrics) -> Values:
    """Traces of both covariances and the standard error of the log of their ratio."""
    own = named(metrics, check.metric)
    baseline = BASELINE.of(metrics, check.metric)
    try:
        return dict(variance_ratio.summarise_pair(own, baseline))
    except ValueError as error:
        raise MeasurementError(f"{check.metric}: {error}") from error


def decide(check: VarianceRatioCheck, steps: Sequence[Evidence]) -> Outcome:
    """Two-stage paired log-variance z against the limit; too noisy twice fails, too."""
    plan = variance_ratio.RatioPlan(
        check.limit, check.min_detectable, check.nominal_alpha, two_stage.stage_beta(check.beta)
    )
    outcome = decide_in_two_stages(
        steps,
        lambda stored: variance_ratio.bounded_ratio_stage(stored, plan),
        Cause.VARIANCE_RATIO,
    )
    if outcome.status == "MORE":
        return outcome
    own = steps[-1].own
    with np.errstate(all="ignore"):
        ratio = finite_or_text(float(own["trace_x"] / own["trace_y"]))
    message = outcome.message
    if outcome.cause == Cause.VARIANCE_RATIO and isinstance(ratio, float):
        message = f"{Cause.VARIANCE_RATIO.message}: it is {ratio:.3g}, the limit is {check.limit:g}"
    figures = {**outcome.figures, "ratio": ratio, "limit": check.limit}
    return replace(outcome, figures=figures, message=message)


def required_draws(check: VarianceRatioCheck) -> int:
    """The draws of one stage."""
    beta = two_stage.stage_beta(check.beta)
    return variance_ratio.required_n(check.nominal_alpha, beta, check.limit, check.min_detectable)


KIND = Kind(
    name="variance-ratio",
    metric="draws (draws, dimensions)",
    reduce=reduce,
    decide=decide,
    causes=(Cause.VARIANCE_RATIO, Cause.NOT_FINITE),
    companions=(BASELINE,),
    required_draws=required_draws,
)
