"""Episode returns that the grader counted, on a declared ramp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import MeasurementError
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values, metric
from harness.records import Array
from harness.spec.checks import ReturnsCheck
from harness.statistics.returns import mean_interval, ramp, summarise_returns

_CONFIDENCE = 0.95


def reduce(check: ReturnsCheck, metrics: Metrics) -> Values:
    """The returns and the number of distinct trajectories (``<metric>__trajectory``: digests)."""
    try:
        return dict(
            summarise_returns(
                metric(metrics, check.metric), metric(metrics, f"{check.metric}__trajectory")
            )
        )
    except ValueError as error:
        raise MeasurementError(f"{check.metric}: {error}") from error


def decide(check: ReturnsCheck, stages: Sequence[Evidence]) -> Outcome:
    """Credit on the ramp for the mean return; PASS is full credit.

    An interval is given only where enough distinct trajectories came about; with fewer, the mean
    says little and the check is INCONCLUSIVE with the ramp's credit.
    """
    own = stages[0].own
    returns, distinct = own["returns"], int(own["distinct"])
    mean = float(returns.mean())
    credit = ramp(mean, check.low, check.high)
    figures: dict[str, Any] = {
        "mean_return": mean,
        "episodes": int(own["n"]),
        "distinct_trajectories": distinct,
        "credit": credit,
        "target": dict((stages[0].target or {}).get("summary", {})),
    }
    if int(own["n"]) != check.episodes:
        raise ValueError(f"{own['n']} episodes were played, the spec asks for {check.episodes}")
    margin = 1.0 - credit if credit >= 1 else (check.high - mean) / (check.high - check.low)
    if distinct < check.min_distinct:
        return Outcome("INCONCLUSIVE", "few-trajectories", credit, margin, figures)
    low, high = mean_interval(returns, distinct, _CONFIDENCE)
    figures["interval"] = [low, high]
    if check.leaderboard:
        figures["leaderboard"] = _standing(check, own["returns"], (low, high), stages[0].target)
    if credit >= 1:
        return Outcome("PASS", "", 1.0, margin, figures)
    return Outcome("FAIL", "return", credit, margin, figures)


def _standing(
    check: ReturnsCheck,
    returns: Array,
    interval: tuple[float, float],
    target: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What a leaderboard compares: 0 at ``low``, 1 at the target's mean, beyond them too."""
    top = float((target or {}).get("summary", {}).get("mean", check.high))
    normal = (returns - check.low) / (top - check.low)
    low, high = ((bound - check.low) / (top - check.low) for bound in interval)
    return {
        "mean": float(normal.mean()),
        "ci_lo": low,
        "ci_hi": high,
        "n_seeds": int(returns.size),
        "values": normal.tolist(),
    }
