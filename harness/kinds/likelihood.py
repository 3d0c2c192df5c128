"""Kind ``likelihood``: the negative log-likelihood of each image, fixed before it was revealed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.causes import Cause
from harness.kinds.comparison import reference_of
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Companion, Kind, named
from harness.records import finite_or_text
from harness.spec.checks import LikelihoodCheck
from harness.statistics.likelihood import excess_stage, floor_bound_stage, summarise_paired

FLOOR = Companion("floor", "-log p_true of each image of {metric}, in nats")


def reduce(check: LikelihoodCheck, metrics: Metrics) -> Values:
    """One number an image and its floor, in nats: small, and needed in pairs."""
    nll = named(metrics, check.metric).astype(np.float64)
    floor = FLOOR.of(metrics, check.metric).astype(np.float64)
    summarise_paired(nll, floor)  # raises for what could not be judged later
    return {"nll": nll, "floor": floor}


def decide(check: LikelihoodCheck, steps: Sequence[Evidence]) -> Outcome:
    """FAIL where the mean excess over the reference is above the margin, or below the floor."""
    own = steps[0].own
    against_reference = summarise_paired(own["nll"], reference_of(steps[0])["nll"])
    against_floor = summarise_paired(own["nll"], own["floor"])
    excess = float(against_reference["mean_excess"])
    figures = {
        "mean_nll_nats": finite_or_text(float(against_reference["mean_nll"])),
        "mean_excess_nats": finite_or_text(excess),
        "mean_above_floor_nats": finite_or_text(float(against_floor["mean_excess"])),
        "images": int(against_reference["n"]),
    }
    if int(against_reference["nonfinite"]):
        return Outcome("FAIL", Cause.NOT_FINITE, 0.0, float("inf"), figures)
    margin = max(excess, 0.0) / check.margin_nats
    if floor_bound_stage(against_floor, check.floor_alpha).rejects:
        return Outcome("FAIL", Cause.BELOW_FLOOR, 0.0, float("inf"), figures)
    if excess_stage(against_reference, check.margin_nats, check.floor_alpha).rejects:
        return Outcome("FAIL", Cause.EXCESS, 0.0, margin, figures)
    return Outcome("PASS", Cause.NONE, 1.0, margin, figures)


KIND = Kind(
    name="likelihood",
    metric="negative log-likelihoods (images) in nats",
    reduce=reduce,
    decide=decide,
    causes=(Cause.NOT_FINITE, Cause.BELOW_FLOOR, Cause.EXCESS),
    companions=(FLOOR,),
)
