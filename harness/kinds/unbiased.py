"""Kind ``unbiased``: the mean of draws is the expected one, and certifiably so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.arrays import finite_or_text
from harness.causes import Cause
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values, more
from harness.kinds.record import Companion, Kind, filled
from harness.kinds.two_stage import draws_of, in_words, stage_figures, stage_margin
from harness.records import COMMON, OWN, Step
from harness.spec.checks import UnbiasedCheck
from harness.statistics import looks, two_stage, unbiased

EXPECTED = Companion("expected", "the true mean of each coordinate of {metric}")
SCALE = Companion("scale", "the standard deviation of each coordinate of an honest {metric}")

#: Room for estimating the standard deviation: where it comes out too large, honest draws look too
#: noisy. Share of stages in which they do, with draws of chi-square(1), d = 5, one look, 10,000
#: stages each, by the factor on the number of draws:
#:
#: ========  =======  ======  ======
#: run at    1        1.1     1.2
#: ========  =======  ======  ======
#: .01       .019     .0091   .0029
#: 2e-4      .0006    .0004   .0002
#: ========  =======  ======  ======
_SPREAD_HEADROOM = 1.2
#: Fewest draws of a look. Whether draws are too few for their skewness is read off the draws: of
#: exponential ones, which reject with .0075 at a nominal 2e-4 and n = 10, the guard lets pass all
#: samples of 2, 8 % of 10, and 1 % of 30 (4,000 samples each). One draw has no spread at all.
LEAST_DRAWS = 30


def reduce(check: UnbiasedCheck, metrics: Metrics) -> Values:
    """Moments of the draws, and the expected mean and the honest spread of each coordinate."""
    draws = draws_of(metrics, check.metric, check.dimensions)
    sides = {
        companion.suffix: filled(
            companion.of(metrics, check.metric),
            companion.name(check.metric),
            (check.dimensions,),
        )
        for companion in (EXPECTED, SCALE)
    }
    return {**unbiased.summarise(draws), **sides}


def decide(check: UnbiasedCheck, steps: Sequence[Evidence]) -> Outcome:
    """Two stages of looks at the mean; biased twice fails, and so does too noisy twice."""
    plan = _plan(check)
    stages: list[looks.StageSoFar] = []
    for first in (COMMON, OWN):
        own = [step.own for step in steps if step.step.stage == first.stage]
        if not own:
            return more(first)
        stage = looks.stage(own, own[0]["expected"], own[0]["scale"], plan)
        if stage.said == "open":
            return more(Step(first.stage, stage.looks))
        if not stage.rejects:
            return Outcome("PASS", Cause.NONE, 1.0, stage.widest, _figures(stage, steps))
        stages.append(stage)
    last = stages[-1]
    biased = all(stage.said == "rejects" for stage in stages)
    cause = Cause.BIASED if biased else Cause.VARIANCE
    if last.outcome.reason == "nonfinite":
        cause = Cause.NOT_FINITE
    margin = max(stage_margin(last.outcome), last.widest)
    message = in_words(cause, last.outcome) if cause == Cause.BIASED else cause.message
    return Outcome("FAIL", cause, 0.0, margin, _figures(last, steps), message)


def required_draws(check: UnbiasedCheck) -> int:
    """The draws of one look."""
    needed = looks.required_n(_plan(check), check.dimensions) * _SPREAD_HEADROOM
    return max(LEAST_DRAWS, math.ceil(needed / check.looks))


def objection(figures: Mapping[str, Any]) -> str:
    """Honest draws that are too few for their skewness: the check would not keep its level."""
    if figures.get("skew_ok", True):
        return ""
    return (
        f"has draws so skewed that its level needs {figures['draws_for_skew']} of them a look: "
        "raise `draws`, or measure something less skewed"
    )


def _plan(check: UnbiasedCheck) -> looks.Plan:
    beta = two_stage.stage_beta(check.beta)
    return looks.Plan(check.min_detectable, check.nominal_alpha, beta, check.looks)


def _figures(stage: looks.StageSoFar, steps: Sequence[Evidence]) -> dict[str, Any]:
    return {
        **stage_figures(stage.outcome, steps),
        "looks": stage.looks,
        "widest": finite_or_text(stage.widest),
    }


KIND = Kind(
    name="unbiased",
    metric="draws (draws, dimensions)",
    reduce=reduce,
    decide=decide,
    causes=(Cause.BIASED, Cause.VARIANCE, Cause.NOT_FINITE),
    companions=(EXPECTED, SCALE),
    required_draws=required_draws,
    objection=objection,
)
