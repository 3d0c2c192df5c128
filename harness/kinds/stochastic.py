"""Kinds for programs that own their randomness: they fail on two independent rejections only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.errors import MeasurementError
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values, metric
from harness.records import Array, finite_or_text
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
    two_stage,
    unbiased,
    variance_ratio,
)
from harness.statistics.outcome import StageOutcome

Stored = Mapping[str, Array]


def reduce_unbiased(check: UnbiasedCheck, metrics: Metrics) -> Values:
    """Moments of the draws, and the expected mean and the honest spread of each coordinate."""
    samples = _samples(metrics, check.metric, check.dimensions)
    expected = _vector(metrics, f"{check.metric}__expected", check.dimensions)
    scale = _vector(metrics, f"{check.metric}__scale", check.dimensions)
    return {**unbiased.summarise(samples), "expected": expected, "scale": scale}


def decide_unbiased(check: UnbiasedCheck, stages: Sequence[Evidence]) -> Outcome:
    """Two-stage max-t on the mean; too noisy to find ``min_detectable`` is a failure of its own."""
    own = stages[-1].own
    achieved = unbiased.achieved_mdb(own, check.stage_alpha, two_stage.stage_beta(check.beta))
    wanted = check.min_detectable * own["scale"]
    found = _two_stages(
        stages,
        lambda stored: unbiased.max_t_stage(
            stored, stored["expected"], stored["scale"], check.stage_alpha
        ),
        "biased",
    )
    figures = {**found.figures, "achieved_mdb": finite_or_text(float((achieved / wanted).max()))}
    if found.status == "PASS" and not (achieved <= wanted).all():
        return Outcome("FAIL", "variance", 0.0, float((achieved / wanted).max()), figures)
    return Outcome(found.status, found.cause, found.credit, found.margin, figures)


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


def decide_distribution(check: DistributionCheck, stages: Sequence[Evidence]) -> Outcome:
    """Two-stage KS or chi-square, Bonferroni over the coordinates."""
    if check.law != "categorical":
        return _two_stages(
            stages, lambda stored: distribution.ks_stage(stored, check.stage_alpha), "distribution"
        )
    return _two_stages(
        stages,
        lambda stored: chi_square.chi_square_stage(
            stored, stored["probabilities"], check.stage_alpha
        ),
        "distribution",
    )


def reduce_independence(check: IndependenceCheck, metrics: Metrics) -> Values:
    """Pairwise correlations of the columns."""
    return dict(
        independence.summarise_correlations(_samples(metrics, check.metric, check.dimensions))
    )


def decide_independence(check: IndependenceCheck, stages: Sequence[Evidence]) -> Outcome:
    """Two-stage largest correlation, Bonferroni over the pairs."""
    return _two_stages(
        stages,
        lambda stored: independence.correlation_stage(stored, check.stage_alpha),
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


def decide_variance_ratio(check: VarianceRatioCheck, stages: Sequence[Evidence]) -> Outcome:
    """Two-stage paired log-variance z against the limit."""
    found = _two_stages(
        stages,
        lambda stored: variance_ratio.ratio_stage(stored, check.limit, check.stage_alpha),
        "variance-ratio",
    )
    own = stages[-1].own
    with np.errstate(all="ignore"):
        ratio = finite_or_text(float(own["trace_x"] / own["trace_y"]))
    figures = {**found.figures, "ratio": ratio, "limit": check.limit}
    return Outcome(found.status, found.cause, found.credit, found.margin, figures)


def _two_stages(
    stages: Sequence[Evidence], test: Callable[[Stored], StageOutcome], cause: str
) -> Outcome:
    """PASS unless both stages reject; the second is asked for only after the first."""
    outcomes = [test(stage.own) for stage in stages]
    said = two_stage.combine(outcomes[0], outcomes[1] if len(outcomes) > 1 else None)
    worst = outcomes[-1]
    margin = worst.statistic / worst.critical if worst.critical > 0 else float("nan")
    figures: dict[str, Any] = {
        "statistic": finite_or_text(worst.statistic),
        "critical": finite_or_text(worst.critical),
        "p_value": worst.p_value,
        "coordinate": worst.coordinate,
        "stages": len(outcomes),
    }
    if said == "need-second":
        return Outcome("MORE", "", 0.0, margin, figures)
    if said == "pass":
        return Outcome("PASS", "", 1.0, margin, figures)
    word = "not-finite" if worst.reason == "nonfinite" else cause
    return Outcome("FAIL", word, 0.0, margin, figures)


def _samples(metrics: Metrics, name: str, dimensions: int) -> Array:
    samples = metric(metrics, name)
    if samples.ndim != 2 or samples.shape[1] != dimensions:
        raise MeasurementError(
            f"{name} has shape {samples.shape}; the spec says (draws, {dimensions})"
        )
    return samples


def _vector(metrics: Metrics, name: str, dimensions: int) -> Array:
    return np.broadcast_to(metric(metrics, name).astype(np.float64), (dimensions,)).copy()
