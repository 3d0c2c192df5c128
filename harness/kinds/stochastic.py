"""Kinds for programs that own their randomness: they fail on two independent rejections only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.errors import MeasurementError
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values, metric
from harness.records import COMMON, OWN, Array, Step, finite_or_text
from harness.spec.checks import (
    DistributionCheck,
    IndependenceCheck,
    UnbiasedCheck,
    VarianceRatioCheck,
)
from harness.statistics import (
    chi_square,
    distribution,
    independence,
    looks,
    two_stage,
    unbiased,
    variance_ratio,
)
from harness.statistics.outcome import MeanOutcome, StageOutcome
from harness.statistics.variance_ratio import RatioOutcome

Stored = Mapping[str, Array]


def reduce_unbiased(check: UnbiasedCheck, metrics: Metrics) -> Values:
    """Moments of the draws, and the expected mean and the honest spread of each coordinate."""
    samples = _samples(metrics, check.metric, check.dimensions)
    expected = _vector(metrics, f"{check.metric}__expected", check.dimensions)
    scale = _vector(metrics, f"{check.metric}__scale", check.dimensions)
    return {**unbiased.summarise(samples), "expected": expected, "scale": scale}


def decide_unbiased(check: UnbiasedCheck, steps: Sequence[Evidence]) -> Outcome:
    """Two stages of looks at the mean; biased twice fails, and so does too noisy twice."""
    plan = looks.Plan(
        check.min_detectable, check.nominal_alpha, two_stage.stage_beta(check.beta), check.looks
    )
    found: list[looks.StageSoFar] = []
    for stage in (COMMON.stage, OWN.stage):
        own = [item.own for item in steps if item.step.stage == stage]
        if not own:
            return _more(stage, 0)
        seen = looks.stage(own, own[0]["expected"], own[0]["scale"], plan)
        if seen.said == "open":
            return _more(stage, seen.looks)
        if not seen.rejects:
            return Outcome("PASS", "", 1.0, seen.widest, _mean_figures(seen, steps))
        found.append(seen)
    last = found[-1]
    biased = all(seen.said == "rejects" for seen in found)
    cause = "biased" if biased else "variance"
    if last.outcome.reason == "nonfinite":
        cause = "not-finite"
    margin = max(_margin(last.outcome), last.widest)
    return Outcome("FAIL", cause, 0.0, margin, _mean_figures(last, steps))


def _more(stage: int, replicate: int) -> Outcome:
    return Outcome("MORE", wants=(Step(stage, replicate),))


def _mean_figures(stage: looks.StageSoFar, steps: Sequence[Evidence]) -> dict[str, Any]:
    return {
        **_figures(stage.outcome, steps),
        "looks": stage.looks,
        "widest": finite_or_text(stage.widest),
    }


def reduce_distribution(check: DistributionCheck, metrics: Metrics) -> Values:
    """Kolmogorov–Smirnov distances, or counts of categories with their probabilities."""
    if check.law != "categorical":
        samples = _samples(metrics, check.metric, check.dimensions)
        return dict(distribution.summarise_ks(samples, check.law))
    probabilities = metric(metrics, f"{check.metric}__probabilities").astype(np.float64)
    indices = metric(metrics, check.metric)
    wanted = (check.dimensions, check.categories or 0)
    if probabilities.shape != wanted or indices.shape[1:] != wanted[:1]:
        raise MeasurementError(
            f"{check.metric}: shapes do not fit {wanted} (dimensions, categories)"
        )
    counts = chi_square.summarise_counts(indices, wanted[1])
    return {**counts, "probabilities": probabilities}


def decide_distribution(check: DistributionCheck, steps: Sequence[Evidence]) -> Outcome:
    """Two-stage KS or chi-square, Bonferroni over the coordinates."""
    if check.law != "categorical":
        return _two_stages(
            steps, lambda stored: distribution.ks_stage(stored, check.nominal_alpha), "distribution"
        )
    return _two_stages(
        steps,
        lambda stored: chi_square.chi_square_stage(
            stored, stored["probabilities"], check.nominal_alpha
        ),
        "distribution",
    )


def reduce_independence(check: IndependenceCheck, metrics: Metrics) -> Values:
    """Pairwise correlations of the columns."""
    return dict(
        independence.summarise_correlations(_samples(metrics, check.metric, check.dimensions))
    )


def decide_independence(check: IndependenceCheck, steps: Sequence[Evidence]) -> Outcome:
    """Two-stage largest correlation, Bonferroni over the pairs."""
    return _two_stages(
        steps,
        lambda stored: independence.correlation_stage(stored, check.nominal_alpha),
        "dependent",
    )


def reduce_variance_ratio(check: VarianceRatioCheck, metrics: Metrics) -> Values:
    """Traces of both covariances and the standard error of the log of their ratio."""
    own = metric(metrics, check.metric)
    baseline = metric(metrics, f"{check.metric}__baseline")
    try:
        return dict(variance_ratio.summarise_pair(own, baseline))
    except ValueError as error:
        raise MeasurementError(f"{check.metric}: {error}") from error


def decide_variance_ratio(check: VarianceRatioCheck, steps: Sequence[Evidence]) -> Outcome:
    """Two-stage paired log-variance z against the limit."""
    found = _two_stages(
        steps,
        lambda stored: variance_ratio.ratio_stage(stored, check.limit, check.nominal_alpha),
        "variance-ratio",
    )
    if found.status == "MORE":
        return found
    own = steps[-1].own
    with np.errstate(all="ignore"):
        ratio = finite_or_text(float(own["trace_x"] / own["trace_y"]))
    figures = {**found.figures, "ratio": ratio, "limit": check.limit}
    return Outcome(found.status, found.cause, found.credit, found.margin, figures)


def _two_stages(
    steps: Sequence[Evidence], test: Callable[[Stored], StageOutcome], cause: str
) -> Outcome:
    """PASS unless both stages reject; the second is asked for only after the first."""
    outcomes = [test(step.own) for step in steps]
    said = two_stage.combine(outcomes[0], outcomes[1] if len(outcomes) > 1 else None)
    if said == "need-second":
        return _more(OWN.stage, 0)
    worst = outcomes[-1]
    figures = _figures(worst, steps)
    if said == "pass":
        return Outcome("PASS", "", 1.0, _margin(worst), figures)
    word = "not-finite" if worst.reason == "nonfinite" else cause
    return Outcome("FAIL", word, 0.0, _margin(worst), figures)


def _margin(outcome: StageOutcome) -> float:
    return outcome.statistic / outcome.critical if outcome.critical > 0 else float("nan")


def _figures(outcome: StageOutcome, steps: Sequence[Evidence]) -> dict[str, Any]:
    return {
        "statistic": finite_or_text(outcome.statistic),
        "critical": finite_or_text(outcome.critical),
        "p_value": outcome.p_value,
        "coordinate": outcome.coordinate,
        "stages": len({item.step.stage for item in steps}),
        **(_skewness(outcome) if isinstance(outcome, MeanOutcome | RatioOutcome) else {}),
    }


def _skewness(outcome: MeanOutcome | RatioOutcome) -> dict[str, Any]:
    """Whether the draws are enough for their skewness, so that the level is kept."""
    return {"skew_ok": outcome.skew_ok, "draws_for_skew": outcome.skew_guard_n}


def _samples(metrics: Metrics, name: str, dimensions: int) -> Array:
    samples = metric(metrics, name)
    if samples.ndim != 2 or samples.shape[1] != dimensions:
        raise MeasurementError(
            f"{name} has shape {samples.shape}; the spec says (draws, {dimensions})"
        )
    return samples


def _vector(metrics: Metrics, name: str, dimensions: int) -> Array:
    return np.broadcast_to(metric(metrics, name).astype(np.float64), (dimensions,)).copy()
