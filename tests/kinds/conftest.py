"""What tests of a kind share: metrics reduced and decided as the harness would, stage by stage."""

import json

import pytest

from harness import kinds
from harness.kinds import Evidence
from harness.records import Step, canonical


def _decide(check, *own, reference=None, target=None):
    reduced = None if reference is None else kinds.reduce(check, reference)
    steps = [
        Evidence(kinds.reduce(check, metrics), reduced, target, Step(1 + index))
        for index, metrics in enumerate(own)
    ]
    outcome = kinds.decide(check, steps)
    json.loads(canonical(dict(outcome.figures)))
    assert 0 <= outcome.credit <= 1
    # a mean over few trajectories may earn everything and still be INCONCLUSIVE
    assert (outcome.credit == 1) == (outcome.status == "PASS") or check.kind == "returns"
    if outcome.status not in ("PASS", "MORE"):
        assert outcome.cause in kinds.of(check).causes
    return outcome


@pytest.fixture
def decide():
    """The outcome of metrics, one argument a stage; figures must be JSON as they stand."""
    return _decide


@pytest.fixture
def verdict():
    """Status and cause of the outcome."""

    def of(check, *own, reference=None):
        outcome = _decide(check, *own, reference=reference)
        return outcome.status, outcome.cause

    return of


@pytest.fixture
def fails_after_two_rejections(verdict):
    """Asserts that a check of draws fails on two rejections and on no fewer."""

    def assert_it(check, good, bad, cause):
        assert verdict(check, good) == ("PASS", "")
        assert verdict(check, bad) == ("MORE", "")
        assert verdict(check, bad, good) == ("PASS", "")
        assert verdict(check, bad, bad) == ("FAIL", cause)
        assert _decide(check, bad, bad).figures["stages"] == 2

    return assert_it
