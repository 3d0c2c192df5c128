"""Kind ``distribution``: draws follow a standard law."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.causes import Cause
from harness.errors import MeasurementError
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Companion, Kind, named
from harness.kinds.two_stage import Stored, decide_in_two_stages, draws_of
from harness.spec.checks import DistributionCheck
from harness.statistics import chi_square, distribution, tails, two_stage
from harness.statistics.outcome import StageOutcome


def _categorical(check: DistributionCheck) -> bool:
    return check.law == "categorical"


PROBABILITIES = Companion(
    "probabilities",
    "(dimensions, categories), the probability of each category of each coordinate of {metric}",
    needed_by=_categorical,
)


def reduce(check: DistributionCheck, metrics: Metrics) -> Values:
    """Kolmogorov–Smirnov distances and far draws, or counts of categories."""
    if check.law != "categorical":
        draws = draws_of(metrics, check.metric, check.dimensions)
        return {
            **distribution.summarise_ks(draws, check.law),
            **tails.summarise_tails(draws, check.law),
        }
    indices = named(metrics, check.metric)
    probabilities = PROBABILITIES.of(metrics, check.metric).astype(np.float64)
    shape = (check.dimensions, check.categories or 0)
    if probabilities.shape != shape or indices.shape[1:] != shape[:1]:
        raise MeasurementError(
            f"{check.metric}: shapes do not fit {shape} (dimensions, categories)"
        )
    counts = chi_square.summarise_counts(indices, shape[1])
    return {**counts, "probabilities": probabilities}


def decide(check: DistributionCheck, steps: Sequence[Evidence]) -> Outcome:
    """Two-stage chi-square, or KS and tails at half the level each; Bonferroni over coordinates."""

    def stage(stored: Stored) -> StageOutcome:
        if _categorical(check):
            return chi_square.chi_square_stage(stored, stored["probabilities"], check.nominal_alpha)
        whole = distribution.ks_stage(stored, check.nominal_alpha / 2)
        far = tails.tail_stage(stored, check.nominal_alpha / 2)
        return far if far.rejects and not whole.rejects else whole

    return decide_in_two_stages(steps, stage, Cause.DISTRIBUTION)


def required_draws(check: DistributionCheck) -> int:
    """The draws of one stage."""
    alpha, beta = check.nominal_alpha, two_stage.stage_beta(check.beta)
    if _categorical(check):
        return chi_square.chi_square_required_n(
            alpha, beta, check.min_detectable, check.categories or 0, check.dimensions
        )
    return distribution.ks_required_n(alpha / 2, beta, check.min_detectable, check.dimensions)


KIND = Kind(
    name="distribution",
    metric="draws (draws, dimensions); of a categorical law, the numbers of the categories from 0",
    reduce=reduce,
    decide=decide,
    causes=(Cause.DISTRIBUTION, Cause.NOT_FINITE),
    companions=(PROBABILITIES,),
    reduced_by=("law", "categories"),
    revision=2,
    required_draws=required_draws,
)
