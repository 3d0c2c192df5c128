"""Kind ``seed-success``: training runs, one seed each, until enough of them reach a threshold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.causes import Cause
from harness.errors import MeasurementError
from harness.kinds import training_curve
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values, more
from harness.kinds.record import Kind, named
from harness.records import COMMON, Step
from harness.spec.checks import SeedSuccessCheck
from harness.statistics import sequential
from harness.statistics.returns import mean_interval, ramp

_CONFIDENCE = 0.95


def reduce(check: SeedSuccessCheck, metrics: Metrics) -> Values:
    """The one number of a seed, and its learning curve where that is shown."""
    value = named(metrics, check.metric)
    if value.shape != () or value.dtype.kind not in "fiu":
        raise MeasurementError(
            f"{check.metric} is {value.dtype} of shape {value.shape}; wanted one number"
        )
    shown = training_curve.of_seed(check, metrics) if check.solved is not None else {}
    return {"value": value.astype(np.float64), **shown}


def decide(check: SeedSuccessCheck, steps: Sequence[Evidence]) -> Outcome:
    """PASS or FAIL as soon as the seeds suffice, INCONCLUSIVE at the cap.

    A seed whose number is not finite, or in which the program broke, is worth what a program that
    learns nothing is worth. The credit of a check that is not passed is the ramp's mean over the
    first seeds, as many as any decision needs: a better seed then never lowers it, although it may
    let further seeds be run. FAIL keeps that share of ``mutant_max_credit``, so that no mistake
    which is found keeps more. Undecided at the cap, it is the mean over all seeds if that is more.
    Seeds that the leaderboard asks for beyond the decision don't touch it.
    """
    plan = design(check)
    values = [_value(check, step) for step in steps]
    state = sequential.state(plan, [succeeds(check, value) for value in values])
    if state.status == "open":
        return _next_seeds(len(steps), state.needed)
    shown = check.leaderboard_seeds or 0
    if state.status == "pass" and len(steps) < shown:
        return _next_seeds(len(steps), shown - len(steps))
    used = values[: state.seeds]
    figures = _figures(check, steps[: state.seeds], used)
    if state.status == "pass":
        if shown:
            figures["leaderboard"] = standing(check, values[:shown], steps[0].target or {})
        return Outcome("PASS", Cause.NONE, 1.0, math.nan, figures)
    first = sequential.state(plan, []).needed
    credits = [_credit(check, value) for value in used]
    credit = math.fsum(credits[:first]) / first
    message = _message(check, figures)
    if state.status == "fail":
        kept = check.mutant_max_credit * credit
        return Outcome("FAIL", Cause.SEEDS, kept, math.nan, figures, message)
    credit = max(credit, math.fsum(credits) / len(credits))
    return Outcome("INCONCLUSIVE", Cause.UNDECIDED, credit, math.nan, figures, message)


def _message(check: SeedSuccessCheck, figures: Mapping[str, Any]) -> str:
    """The evidence in a sentence."""
    side = "at least" if check.better == "higher" else "at most"
    values = ", ".join(f"{value:.4g}" for value in figures["values"])
    sentence = (
        f"{figures['succeeded']} of {figures['seeds']} training runs, each with a seed of its own, "
        f"came to {side} {check.threshold:g}: {values}"
    )
    broken = ", ".join(f"seed {seed} {cause}" for seed, cause in figures["errors"].items())
    return f"{sentence} ({broken}; counted as {check.low:g})" if broken else sentence


def _next_seeds(done: int, count: int) -> Outcome:
    """Asks for so many seeds more."""
    return more(*(Step(COMMON.stage, done + index) for index in range(count)))


def design(check: SeedSuccessCheck) -> sequential.Design:
    """The sequential test that the check declares."""
    return sequential.design(
        check.success_rate, check.min_detectable, check.alpha, check.beta, check.max_seeds
    )


def succeeds(check: SeedSuccessCheck, value: float) -> bool:
    """Whether a seed's number is not worse than the threshold."""
    return value >= check.threshold if check.better == "higher" else value <= check.threshold


def standing(
    check: SeedSuccessCheck, values: Sequence[float], target: Mapping[str, Any]
) -> dict[str, Any]:
    """What a leaderboard compares: 0 at ``low``, 1 at the mean of the reference's stored runs.

    From a number of seeds that does not depend on how early a decision came, the same for all.
    """
    runs = reference_runs(check, target)
    width = math.fsum(runs) / len(runs) - check.low
    normal = [(value - check.low) / width for value in values]
    low, high = mean_interval(normal, len(normal), _CONFIDENCE)
    return {
        "mean": math.fsum(normal) / len(normal),
        "ci_lo": low,
        "ci_hi": high,
        "n_seeds": len(normal),
        "values": normal,
    }


def reference_runs(check: SeedSuccessCheck, target: Mapping[str, Any]) -> list[float]:
    """The stored values of the reference, seed by seed.

    Raises:
        ValueError: the target holds none.
    """
    for program in target.get("programs", ()):
        if program["role"] == "reference" and check.metric in program["values"]:
            return list(program["values"][check.metric])
    raise ValueError(f"the target {check.target} holds no runs of the reference's {check.metric}")


def _value(check: SeedSuccessCheck, step: Evidence) -> float:
    value = math.nan if step.error else float(step.own["value"])
    return value if math.isfinite(value) else check.low


def _credit(check: SeedSuccessCheck, value: float) -> float:
    if check.better == "higher":
        return ramp(value, check.low, check.threshold)
    return ramp(-value, -check.low, -check.threshold)


def _figures(
    check: SeedSuccessCheck, steps: Sequence[Evidence], values: Sequence[float]
) -> dict[str, Any]:
    fixed, _ = sequential.fixed_design(
        check.success_rate, check.min_detectable, check.alpha, check.beta
    )
    figures = {
        "seeds": len(values),
        "succeeded": sum(succeeds(check, value) for value in values),
        "values": list(values),
        "threshold": check.threshold,
        "errors": {str(index): step.error for index, step in enumerate(steps) if step.error},
        "seeds_of_a_fixed_number_design": fixed,
    }
    if check.solved is not None:
        figures["training"] = training_curve.figures([step.own for step in steps])
    return figures


KIND = Kind(
    name="seed-success",
    metric="one number, what the training run of one seed came to",
    reduce=reduce,
    decide=decide,
    causes=(Cause.SEEDS, Cause.UNDECIDED),
    counts_errors=True,
    reduced_where_declared=("solved",),
    trained=True,
)
