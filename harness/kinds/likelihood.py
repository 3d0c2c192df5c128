"""Committed likelihoods: each image's negative log-likelihood, fixed before it was revealed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.kinds.outcome import Evidence, Metrics, Outcome, Values, metric
from harness.records import finite_or_text
from harness.spec.checks import LikelihoodCheck
from harness.statistics.likelihood import excess_stage, floor_bound_stage, summarise_paired


def reduce(check: LikelihoodCheck, metrics: Metrics) -> Values:
    """One number an image and its floor, in nats: small, and needed in pairs."""
    nll = metric(metrics, check.metric).astype(np.float64)
    floor = metric(metrics, f"{check.metric}__floor").astype(np.float64)
    summarise_paired(nll, floor)  # refuses what could not be judged later
    return {"nll": nll, "floor": floor}


def decide(check: LikelihoodCheck, stages: Sequence[Evidence]) -> Outcome:
    """FAIL where the mean excess over the reference is above the margin, or below the floor."""
    evidence = stages[0]
    if evidence.reference is None:
        raise ValueError("a likelihood is compared with the reference's")
    nll = evidence.own["nll"]
    against_reference = summarise_paired(nll, evidence.reference["nll"])
    against_floor = summarise_paired(nll, evidence.own["floor"])
    excess = float(against_reference["mean_excess"])
    figures = {
        "mean_nll_nats": finite_or_text(float(against_reference["mean_nll"])),
        "mean_excess_nats": finite_or_text(excess),
        "mean_above_floor_nats": finite_or_text(float(against_floor["mean_excess"])),
        "images": int(against_reference["n"]),
    }
    if int(against_reference["nonfinite"]):
        return Outcome("FAIL", "not-finite", 0.0, float("inf"), figures)
    margin = max(excess, 0.0) / check.margin_nats
    if floor_bound_stage(against_floor, check.floor_alpha).rejects:
        return Outcome("FAIL", "below-floor", 0.0, float("inf"), figures)
    if excess_stage(against_reference, check.margin_nats, check.floor_alpha).rejects:
        return Outcome("FAIL", "excess", 0.0, margin, figures)
    return Outcome("PASS", "", 1.0, margin, figures)
