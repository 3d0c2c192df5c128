"""Kind ``independence``: the columns of the draws are uncorrelated."""

from __future__ import annotations

from collections.abc import Sequence

from harness.causes import Cause
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Kind
from harness.kinds.two_stage import decide_in_two_stages, draws_of
from harness.spec.checks import IndependenceCheck
from harness.statistics import independence, two_stage


def reduce(check: IndependenceCheck, metrics: Metrics) -> Values:
    """Pairwise correlations of the columns."""
    draws = draws_of(metrics, check.metric, check.dimensions)
    return dict(independence.summarise_correlations(draws))


def decide(check: IndependenceCheck, steps: Sequence[Evidence]) -> Outcome:
    """Two-stage largest correlation, Bonferroni over the pairs."""
    return decide_in_two_stages(
        steps,
        lambda stored: independence.correlation_stage(stored, check.nominal_alpha),
        Cause.DEPENDENT,
    )


def required_draws(check: IndependenceCheck) -> int:
    """The draws of one stage."""
    pairs = check.dimensions * (check.dimensions - 1) // 2
    beta = two_stage.stage_beta(check.beta)
    return independence.correlation_required_n(
        check.nominal_alpha, beta, check.min_detectable, pairs
    )


KIND = Kind(
    name="independence",
    metric="draws (draws, dimensions)",
    reduce=reduce,
    decide=decide,
    causes=(Cause.DEPENDENT, Cause.NOT_FINITE),
    required_draws=required_draws,
)
