"""Kind ``returns``: the mean of episode returns that the grader counted, on a declared ramp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.causes import Cause
from harness.errors import MeasurementError
from harness.kinds.outcome import Evidence, Metrics, Outcome, Values
from harness.kinds.record import Companion, Kind, named
from harness.records import Array
from harness.spec.checks import ReturnsCheck
from harness.statistics.returns import mean_interval, ramp, summarise_returns

TRAJECTORY = Companion("trajectory", "a digest of the trajectory of each episode of {metric}")
_CONFIDENCE = 0.95


def reduce(check: ReturnsCheck, metrics: Metrics) -> Values:
    """The returns and the number of distinct trajectories."""
    returns = named(metrics, check.metric)
    digests = TRAJECTORY.of(metrics, check.metric)
    try:
        return dict(summarise_returns(returns, digests))
    except ValueError as error:
        raise MeasurementError(f"{check.metric}: {error}") from error


def decide(check: ReturnsCheck, steps: Sequence[Evidence]) -> Outcome:
    """Credit on the ramp for the mean return; PASS is full credit.

    With fewer distinct trajectories than ``min_distinct`` the mean says little: no interval is
    given, and the check is INCONCLUSIVE with the ramp's credit.

    Raises:
        ValueError: another number of episodes was played than the check declares.
    """
    own = steps[0].own
    returns, distinct = own["returns"], int(own["distinct"])
    mean = float(returns.mean())
    credit = ramp(mean, check.low, check.high)
    figures: dict[str, Any] = {
        "mean_return": mean,
        "episodes": int(own["n"]),
        "distinct_trajectories": distinct,
        "credit": credit,
        "target": dict((steps[0].target or {}).get("summary", {})),
    }
    if int(own["n"]) != check.episodes:
        raise ValueError(f"{own['n']} episodes were played, the spec asks for {check.episodes}")
    margin = 1.0 - credit if credit >= 1 else (check.high - mean) / (check.high - check.low)
    if distinct < check.min_distinct:
        return Outcome("INCONCLUSIVE", Cause.FEW_TRAJECTORIES, credit, margin, figures)
    low, high = mean_interval(returns, distinct, _CONFIDENCE)
    figures["interval"] = [low, high]
    if check.leaderboard:
        figures["leaderboard"] = _standing(check, returns, (low, high), steps[0].target)
    if credit >= 1:
        return Outcome("PASS", Cause.NONE, 1.0, margin, figures)
    message = (
        f"mean return {mean:.4g} over {int(own['n'])} episodes (95 % interval {low:.4g} to "
        f"{high:.4g}); credit begins at {check.low:g} and is full from {check.high:g}"
    )
    return Outcome("FAIL", Cause.RETURN, credit, margin, figures, message)


def _standing(
    check: ReturnsCheck,
    returns: Array,
    interval: tuple[float, float],
    target: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What a leaderboard compares: 0 at ``low`` and 1 at the target's mean, without clipping."""
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


KIND = Kind(
    name="returns",
    metric="episode returns (episodes)",
    reduce=reduce,
    decide=decide,
    causes=(Cause.RETURN, Cause.FEW_TRAJECTORIES),
    companions=(TRAJECTORY,),
    trained=True,
)
