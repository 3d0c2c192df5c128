"""Mean episode returns on a ramp."""

import numpy as np
import pytest

from harness import kinds
from harness.errors import MeasurementError
from harness.spec import checks as spec

COMMON = {"id": "a", "measurement": "m", "metric": "x", "points": 1.0}
NAN, INF = float("nan"), float("inf")
RETURNS = spec.ReturnsCheck(
    **COMMON, kind="returns", against="target", target="t.json", low=0.0, high=10.0, episodes=4
)


def played(*scores, trajectories=None):
    digests = trajectories or [f"t{index}" for index in range(len(scores))]
    return {"x": np.array(scores, dtype=np.float64), "x__trajectory": np.array(digests)}


TARGET = {"summary": {"mean": 10.0}}


@pytest.mark.parametrize(
    ("mean", "status", "credit"),
    [
        (-3.0, "FAIL", 0.0),
        (0.0, "FAIL", 0.0),
        (2.5, "FAIL", 0.25),
        (9.0, "FAIL", 0.9),
        (10.0, "PASS", 1.0),
        (50.0, "PASS", 1.0),
    ],
)
def test_returns_earn_credit_on_a_ramp(decide, mean, status, credit):
    found = decide(RETURNS, played(mean - 1, mean + 1, mean, mean), target=TARGET)
    assert found.status == status
    assert found.credit == pytest.approx(credit)
    assert found.cause == ("" if status == "PASS" else "return")
    low, high = found.figures["interval"]
    assert low < mean < high


@pytest.mark.parametrize("mean", [2.5, 20.0])
def test_returns_of_one_trajectory_are_inconclusive_and_keep_their_credit(decide, mean):
    metrics = played(*[mean] * 4, trajectories=["same"] * 4)
    found = decide(RETURNS, metrics, target=TARGET)
    assert (found.status, found.cause) == ("INCONCLUSIVE", "few-trajectories")
    assert found.credit == min(mean / 10, 1.0)
    assert "interval" not in found.figures


def test_returns_stand_on_the_leaderboard_where_that_is_asked_for(decide):
    shown = RETURNS.model_copy(update={"leaderboard": True})
    row = decide(shown, played(1.0, 2.0, 3.0, 4.0), target=TARGET).figures["leaderboard"]
    assert row["mean"] == 0.25
    assert 0 <= row["ci_lo"] < row["mean"] < row["ci_hi"] <= 1
    assert row["n_seeds"] == 4
    assert "leaderboard" not in decide(RETURNS, played(1.0, 2.0, 3.0, 4.0)).figures


def test_returns_of_another_number_of_episodes_are_an_error_of_ours(decide):
    with pytest.raises(ValueError, match="4"):
        decide(RETURNS, played(1.0, 2.0, 3.0), target=TARGET)


@pytest.mark.parametrize(
    "metrics",
    [
        played(1.0, NAN, 2.0, 3.0),
        played(),
        played(1.0, 2.0, 3.0, 4.0, trajectories=["a"]),
        {"x": np.ones((2, 2)), "x__trajectory": np.array([["a", "b"], ["c", "d"]])},
    ],
)
def test_returns_that_the_grader_cannot_have_counted_are_an_error_of_ours(metrics):
    with pytest.raises(MeasurementError):
        kinds.reduce(RETURNS, metrics)
