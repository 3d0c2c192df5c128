"""Kind ``independence``: draws and their columns are independent, at every lag and in magnitude."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.causes import Cause
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Kind
from harness.kinds.two_stage import Stored, decide_in_two_stages, draws_of
from harness.spec.checks import IndependenceCheck
from harness.statistics import dependence, independence, two_stage
from harness.statistics.outcome import StageOutcome


def reduce(check: IndependenceCheck, metrics: Metrics) -> Values:
    """Pairwise correlations of the columns, and the largest one at any lag."""
    draws = draws_of(metrics, check.metric, check.dimensions)
    return {
        **independence.summarise_correlations(draws),
        **dependence.summarise_dependence(draws),
    }


def decide(check: IndependenceCheck, steps: Sequence[Evidence]) -> Outcome:
    """Two stages; each shares its level between neighbours' correlations and all lags' ranks."""
    share = check.nominal_alpha / 2

    def stage(stored: Stored) -> StageOutcome:
        neighbours = independence.correlation_stage(stored, share)
        everywhere = dependence.dependence_stage(stored, share)
        return everywhere if everywhere.rejects and not neighbours.rejects else neighbours

    def where(stored: Stored) -> str:
        neighbours = independence.correlation_stage(stored, share)
        if not neighbours.rejects:
            return _largest_at_a_lag(stored)
        left, right = independence.pair_of(neighbours.coordinate, check.dimensions)
        return f"between coordinate {left} and coordinate {right} of a draw"

    return decide_in_two_stages(steps, stage, Cause.DEPENDENT, where)


def _largest_at_a_lag(stored: Stored) -> str:
    """Between which coordinates of which draws the largest correlation of ranks is."""
    of_magnitudes = int(np.asarray(stored["lagged"]).argmax())
    left, right, lag = (int(number) for number in np.asarray(stored["lags"])[of_magnitudes])
    first, second = f"coordinate {left}", f"coordinate {right}"
    if of_magnitudes:
        first, second = f"the magnitude of {first}", f"that of {second}"
    if lag == 0:
        return f"between {first} and {second} of a draw"
    return f"between {first} of a draw and {second} of the draw {lag} later"


def required_draws(check: IndependenceCheck) -> int:
    """The draws of one stage; either half of the test finds what is declared."""
    pairs = check.dimensions * (check.dimensions - 1) // 2
    beta, share = two_stage.stage_beta(check.beta), check.nominal_alpha / 2
    return max(
        independence.correlation_required_n(share, beta, check.min_detectable, pairs),
        dependence.dependence_required_n(share, beta, check.min_detectable, check.dimensions),
    )


KIND = Kind(
    name="independence",
    metric="draws (draws, dimensions)",
    reduce=reduce,
    decide=decide,
    causes=(Cause.DEPENDENT, Cause.NOT_FINITE),
    revision=2,
    required_draws=required_draws,
)
