"""What kinds share that judge draws: they fail only on two independent rejections.

The first stage is common to the cohort; only after its rejection is a second one run, on draws of
the subject's own. A test that rejects right work with probability a at each fails it with a².
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.arrays import finite_or_text
from harness.causes import Cause
from harness.errors import MeasurementError
from harness.kinds.outcome import Evidence, Metrics, Outcome, more
from harness.kinds.record import named
from harness.records import OWN, Array
from harness.statistics import two_stage
from harness.statistics.outcome import MeanOutcome, StageOutcome
from harness.statistics.variance_ratio import RatioOutcome

Stored = Mapping[str, Array]


def decide_in_two_stages(
    steps: Sequence[Evidence],
    test: Callable[[Stored], StageOutcome],
    cause: Cause,
    where: Callable[[Stored], str] | None = None,
) -> Outcome:
    """PASS unless both stages reject; the second is asked for only after the first.

    Args:
        test: one stage, from its statistics.
        cause: of a failure whose draws are finite.
        where: what a stage that rejects looked at, as it follows "the test statistic is 4.2"; the
            coordinate of its outcome where not given.
    """
    outcomes = [test(step.own) for step in steps]
    decision = two_stage.combine(outcomes[0], outcomes[1] if len(outcomes) > 1 else None)
    if decision == "need-second":
        return more(OWN)
    last = outcomes[-1]
    figures = stage_figures(last, steps)
    if decision == "pass":
        return Outcome("PASS", Cause.NONE, 1.0, stage_margin(last), figures)
    if last.reason == "nonfinite":
        cause = Cause.NOT_FINITE
    place = None if where is None else where(steps[-1].own)
    return Outcome("FAIL", cause, 0.0, stage_margin(last), figures, in_words(cause, last, place))


def in_words(cause: Cause, outcome: StageOutcome, where: str | None = None) -> str:
    """The sentence of a cause with the figures of the last stage."""
    if not math.isfinite(outcome.statistic) or not outcome.critical > 0:
        return cause.message
    place = f"in coordinate {outcome.coordinate}" if where is None else where
    return (
        f"{cause.message}: the test statistic is {outcome.statistic:.3g} {place}, at most "
        f"{outcome.critical:.3g} passes"
    )


def stage_margin(outcome: StageOutcome) -> float:
    """The statistic in units of its critical value; NaN where that is zero."""
    return outcome.statistic / outcome.critical if outcome.critical > 0 else float("nan")


def stage_figures(outcome: StageOutcome, steps: Sequence[Evidence]) -> dict[str, Any]:
    """The figures of the last stage, and how many stages there were.

    Tests of a mean or a variance also say whether the draws are enough for their skewness, without
    which the level is not kept.
    """
    figures = {
        "statistic": finite_or_text(outcome.statistic),
        "critical": finite_or_text(outcome.critical),
        "p_value": outcome.p_value,
        "coordinate": outcome.coordinate,
        "stages": len({step.step.stage for step in steps}),
    }
    if isinstance(outcome, MeanOutcome | RatioOutcome):
        figures |= {"skew_ok": outcome.skew_ok, "draws_for_skew": outcome.skew_guard_n}
    return figures


def draws_of(metrics: Metrics, name: str, dimensions: int) -> Array:
    """A metric of draws "n d".

    Raises:
        MeasurementError: it is missing or of another shape.
    """
    draws = named(metrics, name)
    if draws.ndim != 2 or draws.shape[1] != dimensions:
        raise MeasurementError(
            f"{name} has shape {draws.shape}; wanted (draws, {dimensions}) as the check declares"
        )
    return draws
