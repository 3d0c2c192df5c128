"""Two stages together."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics import two_stage
from harness.statistics.outcome import StageOutcome


def outcome(rejects: bool) -> StageOutcome:
    return StageOutcome(
        rejects=rejects,
        statistic=3.0,
        critical=2.0 if rejects else 4.0,
        p_value=0.01,
        coordinate=0,
        reason="statistic" if rejects else "none",
    )


@pytest.mark.parametrize(
    ("first", "second", "decision"),
    [
        (False, None, "pass"),
        (False, False, "pass"),
        (False, True, "pass"),
        (True, None, "need-second"),
        (True, False, "pass"),
        (True, True, "fail"),
    ],
)
def test_every_combination(first: bool, second: bool | None, decision: str) -> None:
    stages = outcome(first), None if second is None else outcome(second)
    assert two_stage.combine(*stages) == decision


def test_replacing_a_rejection_by_an_acceptance_never_makes_a_failure() -> None:
    for first, second in itertools.product((True, False), repeat=2):
        before = two_stage.combine(outcome(first), outcome(second))
        for better in ((False, second), (first, False), (False, False)):
            after = two_stage.combine(*(outcome(r) for r in better))
            assert not (before == "pass" and after == "fail")


def test_error_rates_multiply() -> None:
    assert two_stage.false_fail_bound(1e-3) == pytest.approx(1e-6)
    assert two_stage.power(0.9, 0.5) == pytest.approx(0.45)
    rng = np.random.default_rng(3)
    both = (rng.random((200_000, 2)) < 0.1).all(axis=1).sum()
    assert abs(both - 2000) < 3.3 * np.sqrt(2000 * 0.99)


@given(st.floats(1e-12, 0.99))
def test_stage_beta_makes_both_stages_miss_with_beta(beta: float) -> None:
    share = two_stage.stage_beta(beta)
    assert beta / 2 <= share < beta
    assert 1 - two_stage.power(1 - share, 1 - share) == pytest.approx(beta, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_refusals(value: float) -> None:
    with pytest.raises(ValueError, match="first stage"):
        two_stage.power(value, 0.5)
    with pytest.raises(ValueError, match="second stage"):
        two_stage.power(0.5, value)
    with pytest.raises(ValueError, match="stage_alpha"):
        two_stage.false_fail_bound(value)
    with pytest.raises(ValueError, match="beta"):
        two_stage.stage_beta(value)
