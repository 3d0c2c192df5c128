"""Kinds for programs that own their randomness: they fail on two independent rejections only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from harness.statistics.outcome import MeanOutcome, StageOutcome

Stored = Mapping[str, Array]


def reduce_unbiased(check: UnbiasedCheck, metrics: Metrics) -> Values:
    """Moments of the draws, and the expected mean and the honest spread of each coordinate."""
    samples = _samples(metrics, check.metric, check.dimensions)
    expected = _vector(metrics, f"{check.metric}__expected", check.dimensions)
    scale = _vector(metrics, f"{check.metric}__scale", check.dimensions)
    return {**unbiased.summarise(samples), "expected": expected, "scale": scale}


@dataclass(frozen=True)
class _MeanStage:
    """One stage on a mean: it rejects for a bias, or for noise that would hide one."""

    outcome: MeanOutcome
    noise: float

    @property
    def rejects(self) -> bool:
        return self.outcome.rejects or self.noise > 1


def _mean_stage(check: UnbiasedCheck, stored: Stored) -> _MeanStage:
    """The stage, and the bias it could find in units of the one that it must find."""
    outcome = unbiased.max_t_stage(stored, stored["expected"], stored["scale"], check.stage_alpha)
    achieved = unbiased.achieved_mdb(stored, check.stage_alpha, two_stage.stage_beta(check.beta))
    wanted = check.min_detectable * stored["scale"]
    none = np.where(achieved > 0, np.inf, 0.0)
    noise = np.divide(achieved, wanted, out=none, where=wanted > 0)
    return _MeanStage(outcome, float(noise.max()))


def decide_unbiased(check: UnbiasedCheck, stages: Sequence[Evidence]) -> Outcome:
    """Two-stage max-t on the mean; too noisy to find ``min_detectable``, twice, fails as well."""
    found = [_mean_stage(check, stage.own) for stage in stages]
    said = two_stage.combine(found[0], found[1] if len(found) > 1 else None)
    last = found[-1].outcome
    figures = {**_figures(last, len(found)), "noise": finite_or_text(found[-1].noise)}
    margin = max(_margin(last), found[-1].noise)
    if said != "fail":
        return _undecided(said, margin, figures)
    if last.reason == "nonfinite":
        return Outcome("FAIL", "not-finite", 0.0, margin, figures)
    biased = all(stage.outcome.rejects for stage in found)
    return Outcome("FAIL", "biased" if biased else "variance", 0.0, margin, figures)


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
    figures = _figures(worst, len(outcomes))
    if said != "fail":
        return _undecided(said, _margin(worst), figures)
    word = "not-finite" if worst.reason == "nonfinite" else cause
    return Outcome("FAIL", word, 0.0, _margin(worst), figures)


def _undecided(said: str, margin: float, figures: dict[str, Any]) -> Outcome:
    if said == "need-second":
        return Outcome("MORE", "", 0.0, margin, figures)
    return Outcome("PASS", "", 1.0, margin, figures)


def _margin(outcome: StageOutcome) -> float:
    return outcome.statistic / outcome.critical if outcome.critical > 0 else float("nan")


def _figures(outcome: StageOutcome, stages: int) -> dict[str, Any]:
    return {
        "statistic": finite_or_text(outcome.statistic),
        "critical": finite_or_text(outcome.critical),
        "p_value": outcome.p_value,
        "coordinate": outcome.coordinate,
        "stages": stages,
    }


def _samples(metrics: Metrics, name: str, dimensions: int) -> Array:
    samples = metric(metrics, name)
    if samples.ndim != 2 or samples.shape[1] != dimensions:
        raise MeasurementError(
            f"{name} has shape {samples.shape}; the spec says (draws, {dimensions})"
        )
    return samples


def _vector(metrics: Metrics, name: str, dimensions: int) -> Array:
    return np.broadcast_to(metric(metrics, name).astype(np.float64), (dimensions,)).copy()
