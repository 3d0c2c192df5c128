"""Kinds without noise: their error rate is zero and their tolerance is rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness.errors import MeasurementError
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values, metric
from harness.records import Array, finite_or_text
from harness.spec.checks import (
    BoundsCheck,
    CausalityCheck,
    ExactCheck,
    IdentityCheck,
    MomentsCheck,
    NormalisationCheck,
    PropertyCheck,
)
from harness.statistics.exact import tolerance, worst_ratio
from harness.statistics.moments import weighted_moments


def reduce_exact(check: ExactCheck, metrics: Metrics) -> Values:
    """The values and their condition scales S, whole."""
    return {
        "value": metric(metrics, check.metric),
        "scale": _scale(metrics, check.metric),
    }


def decide_exact(check: ExactCheck, stages: Sequence[Evidence]) -> Outcome:
    """PASS where every entry lies within C·eps·S of the reference's."""
    evidence = stages[0]
    reference = _reference(evidence)
    tol = tolerance(reference["scale"], float(np.finfo(check.precision).eps), check.c)
    return _compared(evidence.own["value"], reference["value"], tol)


def reduce_identity(check: IdentityCheck, metrics: Metrics) -> Values:
    """The residuals and their scales, whole."""
    return {"residual": metric(metrics, check.metric), "scale": _scale(metrics, check.metric)}


def decide_identity(check: IdentityCheck, stages: Sequence[Evidence]) -> Outcome:
    """PASS where every residual is zero within C·eps·S."""
    own = stages[0].own
    tol = tolerance(own["scale"], float(np.finfo(check.precision).eps), check.c)
    return _compared(own["residual"], np.zeros(own["residual"].shape), tol)


def reduce_property(check: PropertyCheck, metrics: Metrics) -> Values:
    """The truth values, whole."""
    value = metric(metrics, check.metric)
    if value.dtype != np.bool_:
        raise MeasurementError(f"a property is boolean; {check.metric} is {value.dtype}")
    return {"holds": value}


def decide_property(check: PropertyCheck, stages: Sequence[Evidence]) -> Outcome:
    """PASS where it holds everywhere; an empty property is an error of ours."""
    holds = stages[0].own["holds"]
    if holds.size == 0:
        raise ValueError(f"{check.metric} has no entry")
    broken = int(holds.size - np.count_nonzero(holds))
    figures: dict[str, Any] = {"broken": broken, "of": int(holds.size)}
    if broken:
        figures["index"] = [int(i) for i in np.argwhere(~holds)[0]]
        return Outcome("FAIL", "wrong", 0.0, float("inf"), figures)
    return Outcome("PASS", "", 1.0, 0.0, figures)


def reduce_normalisation(check: NormalisationCheck, metrics: Metrics) -> Values:
    """log Σ exp of the last axis, in nats; computed about the maximum."""
    logs = metric(metrics, check.metric).astype(np.float64)
    if logs.ndim == 0 or logs.size == 0:
        raise MeasurementError(f"{check.metric} has shape {logs.shape}; wanted (..., outcomes)")
    with np.errstate(all="ignore"):
        top = logs.max(axis=-1, keepdims=True)
        total = np.exp(logs - top).sum(axis=-1)
        log_sum = top[..., 0] + np.log(total)
    return {"log_sum": np.asarray(log_sum)}


def decide_normalisation(check: NormalisationCheck, stages: Sequence[Evidence]) -> Outcome:
    """PASS where every |log Σ exp| is at most the tolerance."""
    log_sum = stages[0].own["log_sum"]
    outcome = _compared(log_sum, np.zeros(log_sum.shape), np.asarray(check.tolerance))
    worst = log_sum.ravel()[int(np.nanargmax(np.abs(log_sum)))] if _any_number(log_sum) else np.nan
    return replace(outcome, figures={**outcome.figures, "log_sum": finite_or_text(worst)})


def reduce_bounds(check: BoundsCheck, metrics: Metrics) -> Values:
    """The differences, whole."""
    difference = metric(metrics, check.metric).astype(np.float64)
    if difference.size == 0:
        raise MeasurementError(f"{check.metric} has no entry")
    return {"difference": difference}


def decide_bounds(check: BoundsCheck, stages: Sequence[Evidence]) -> Outcome:
    """PASS where every difference is finite and inside; the margin is its share of the bound."""
    difference = stages[0].own["difference"]
    bound = np.where(difference > 0, _or_any(check.upper), _or_any(check.lower))
    outcome = _compared(difference, np.zeros(difference.shape), np.abs(bound))
    figures = {**outcome.figures, "lower": check.lower, "upper": check.upper}
    message = ""
    if outcome.cause == "wrong":
        limits = {"at least": check.lower, "at most": check.upper}
        asked = " and ".join(f"{word} {x:g}" for word, x in limits.items() if x is not None)
        message = f"a difference of {figures['got']:.3g} from the ideal, where {asked} is allowed"
    return replace(outcome, figures=figures, message=message)


def reduce_causality(check: CausalityCheck, metrics: Metrics) -> Values:
    """Two numbers of each side: the largest forbidden influence, the promised ones missing."""
    influence = metric(metrics, check.metric).astype(np.float64)
    allowed = metric(metrics, f"{check.metric}__allowed").astype(bool)
    required = metric(metrics, f"{check.metric}__required").astype(bool)
    scale = metric(metrics, f"{check.metric}__scale")
    if influence.shape != allowed.shape or influence.shape != required.shape:
        raise MeasurementError(
            f"{check.metric} has shape {influence.shape}, its masks {allowed.shape} and "
            f"{required.shape}; wanted one shape"
        )
    if (required & ~allowed).any() or allowed.all() or not required.any():
        raise MeasurementError(f"{check.metric}: the masks leave one side of the check empty")
    forbidden = influence[~allowed]
    return {
        "forbidden": np.asarray(np.max(forbidden)),  # NaN wins
        "missing": np.asarray(np.count_nonzero(~(influence[required] > 0)), dtype=np.int64),
        "required": np.asarray(np.count_nonzero(required), dtype=np.int64),
        "scale": np.asarray(np.max(scale), dtype=np.float64),
    }


def decide_causality(check: CausalityCheck, stages: Sequence[Evidence]) -> Outcome:
    """PASS where nothing leaks and nothing promised is missing."""
    own = stages[0].own
    forbidden, scale = float(own["forbidden"]), float(own["scale"])
    missing = int(own["missing"])
    figures = {
        "forbidden_influence": finite_or_text(forbidden),
        "missing_influences": missing,
        "required_influences": int(own["required"]),
    }
    if not (np.isfinite(forbidden) and np.isfinite(scale)):
        return Outcome("FAIL", "not-finite", 0.0, float("inf"), figures)
    margin = 0.0
    if forbidden > 0:
        margin = forbidden / (check.tolerance * scale) if scale > 0 else float("inf")
    if not margin <= 1:
        return Outcome("FAIL", "leak", 0.0, margin, figures)
    if missing:
        return Outcome("FAIL", "blind", 0.0, float("inf"), figures)
    return Outcome("PASS", "", 1.0, margin, figures)


def reduce_moments(check: MomentsCheck, metrics: Metrics) -> Values:
    """The exact moment over the outcomes' weights, and its scale."""
    outcomes = metric(metrics, check.metric).astype(np.float64)
    weights = metric(metrics, f"{check.metric}__weight")
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


def decide_moments(check: MomentsCheck, stages: Sequence[Evidence]) -> Outcome:
    """PASS where the moment lies within C·eps·S of the reference's, S the larger of both.

    An honest estimator may have larger terms than the reference (more variance, same mean), so
    its own rounding counts too; it is bounded by its own variance, which another check grades.
    """
    evidence = stages[0]
    reference = _reference(evidence)
    scale = np.maximum(reference["scale"], evidence.own["scale"])
    tol = tolerance(scale, float(np.finfo(np.float64).eps), check.c)
    return _compared(evidence.own["value"], reference["value"], tol)


def _scale(metrics: Metrics, name: str) -> Array:
    scale = metric(metrics, f"{name}__scale").astype(np.float64)
    if not (np.isfinite(scale).all() and (scale >= 0).all()):
        raise MeasurementError(f"{name}__scale is not finite and >= 0")
    value = metric(metrics, name)
    return np.broadcast_to(scale, value.shape).copy()


def _reference(evidence: Evidence) -> Any:
    if evidence.reference is None:
        raise ValueError("a comparison with the reference without its observation")
    return evidence.reference


def _or_any(bound: float | None) -> float:
    """A bound that is left out holds every finite number."""
    return float(np.finfo(np.float64).max) if bound is None else bound


def _any_number(array: Array) -> bool:
    return bool((~np.isnan(array)).any())


def _compared(value: Array, target: Array, tol: Array) -> Outcome:
    worst = worst_ratio(value, target, tol)
    index = worst.index
    seen, wanted = value[index], target[index]
    figures = {
        "worst": finite_or_text(worst.ratio),
        "index": list(index),
        "got": finite_or_text(float(seen)),
        "wanted": finite_or_text(float(wanted)),
    }
    if worst.within:
        return Outcome("PASS", "", 1.0, worst.ratio, figures)
    cause = "wrong" if np.isfinite(seen) or not np.isfinite(wanted) else "not-finite"
    return Outcome("FAIL", cause, 0.0, worst.ratio, figures)
