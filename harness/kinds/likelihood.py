"""Kind ``likelihood``: the negative log-likelihood of each image, fixed before it was revealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness.arrays import finite_or_text
from harness.causes import Cause
from harness.kinds.comparison import compare, condition_scale, reference_of, within_rounding
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Companion, Kind, named
from harness.records import Array
from harness.spec.checks import LikelihoodCheck
from harness.statistics.exact import Wanted
from harness.statistics.likelihood import (
    ExcessPlan,
    bounded_excess_n,
    bounded_excess_stage,
    floor_bound_stage,
    summarise_paired,
)


def _by_image(check: LikelihoodCheck) -> bool:
    return check.compare == "images"


FLOOR = Companion("floor", "-log p_true of each image of {metric}, in nats")
SCALE = Companion(
    "scale",
    "the sum of the absolute terms of {metric}, from the inputs alone",
    needed_by=_by_image,
)


def reduce(check: LikelihoodCheck, metrics: Metrics) -> Values:
    """One number an image, its floor and, where images are compared, its condition scale."""
    nll = named(metrics, check.metric).astype(np.float64)
    floor = FLOOR.of(metrics, check.metric).astype(np.float64)
    summarise_paired(nll, floor)  # raises here what would fail in `decide`
    scale = {"scale": condition_scale(metrics, check.metric)} if _by_image(check) else {}
    return {"nll": nll, "floor": floor, **scale}


def wanted(check: LikelihoodCheck, reference: Mapping[str, Array]) -> Wanted | None:
    """Where images are compared, the reference's within c·eps·S, S the reference's."""
    return within_rounding(reference, "nll", "float64", check.c) if _by_image(check) else None


def decide(check: LikelihoodCheck, steps: Sequence[Evidence]) -> Outcome:
    """PASS where every image, or the mean and no single image, is established to be right.

    Raises:
        ValueError: there is no observation of the reference, or there are fewer images than the
            declared rates need.
    """
    own, reference = steps[0].own, reference_of(steps[0])
    against_reference = summarise_paired(own["nll"], reference["nll"])
    against_floor = summarise_paired(own["nll"], own["floor"])
    figures = {
        "mean_nll_nats": finite_or_text(float(against_reference["mean_nll"])),
        "mean_excess_nats": finite_or_text(float(against_reference["mean_excess"])),
        "mean_above_floor_nats": finite_or_text(float(against_floor["mean_excess"])),
        "images": int(against_reference["n"]),
    }
    if int(against_reference["nonfinite"]):
        return Outcome("FAIL", Cause.NOT_FINITE, 0.0, float("inf"), figures)
    below = floor_bound_stage(against_floor, check.floor_alpha).rejects
    if _by_image(check):
        outcome = _images(own["nll"], steps[0].wanted)
    else:
        outcome = _mean(check, own["nll"], reference)
    if below and (outcome.status == "FAIL" or not _by_image(check)):
        return Outcome("FAIL", Cause.BELOW_FLOOR, 0.0, float("inf"), figures)
    return replace(outcome, figures={**figures, **outcome.figures})


def _images(nll: Any, right: Wanted) -> Outcome:
    """Image by image up to rounding; what the reference has is not below the floor either."""
    outcome = compare(nll, right)
    if outcome.status == "PASS":
        return outcome
    excess = nll - right.value
    wrong = int(np.count_nonzero(np.abs(excess) > right.tolerance))
    worst = float(excess[int(np.abs(excess).argmax())])
    figures = {**outcome.figures, "wrong_images": wrong}
    message = (
        f"{wrong} of {excess.size} images do not have the negative log-likelihood of the model; "
        f"the worst is off by {worst:+.3g} nats"
    )
    return replace(outcome, cause=Cause.EXCESS, figures=figures, message=message)


def _mean(check: LikelihoodCheck, nll: Any, reference: Any) -> Outcome:
    """The mean excess by its bound, and no image far above the reference's."""
    plan = _plan(check)
    needed = bounded_excess_n(plan)
    if len(nll) < needed:
        raise ValueError(f"{len(nll)} images cannot keep the declared rates; {needed} would")
    stage = bounded_excess_stage(nll, reference["nll"], plan)
    margin = max(stage.statistic, 0.0) / stage.critical
    if stage.rejects:
        excess = float(np.mean(nll - reference["nll"]))
        figures = f"by {excess:.3g} nats an image, where {plan.margin:g} is allowed"
        message = f"{Cause.EXCESS.message}: {figures}"
        return Outcome("FAIL", Cause.EXCESS, 0.0, margin, message=message)
    return Outcome("PASS", Cause.NONE, 1.0, margin)


def _plan(check: LikelihoodCheck) -> ExcessPlan:
    fields = (
        *(check.margin_nats, check.spread_nats, check.min_detectable, check.rare_nats),
        *(check.rare_share, check.floor_alpha, check.beta),
    )
    return ExcessPlan(*(float(field) for field in fields if field is not None))


KIND = Kind(
    name="likelihood",
    metric="negative log-likelihoods (images) in nats",
    reduce=reduce,
    decide=decide,
    causes=(Cause.NOT_FINITE, Cause.BELOW_FLOOR, Cause.EXCESS),
    companions=(FLOOR, SCALE),
    wanted=wanted,
    of_reference=("scale",),
    reduced_by=("compare",),
)
