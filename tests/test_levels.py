"""The levels of isolation: their order, their texts, and which observations count at which."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness import levels
from harness.ledger import Ledger
from harness.records import Observation, Trial


@pytest.mark.parametrize("level", levels.GRADING_LEVELS)
def test_levels_are_ordered_and_explained(level):
    assert levels.rank(f"{level}+C") == levels.rank(f"{level} insecure") == levels.rank(level)
    assert levels.MEANING[level]
    assert level == "L1" or levels.REMEDY[level]
    weaker = [levels.REQUIRED[other] for other in levels.GRADING_LEVELS[: levels.rank(level) - 1]]
    assert all(required <= levels.REQUIRED[level] for required in weaker)


def test_the_weakest_of_some_levels_counts():
    assert levels.weakest({"L3", "L2U", "L1 insecure"}) == "L1 insecure"
    assert levels.weakest({"L3+C", "L3"}) == "L3"
    assert levels.weakest(set()) == ""


def test_what_was_seen_under_weaker_isolation_is_seen_again(tmp_path):
    trial = Trial("task", "m", "somebody", "submission", 1, 0, "", "key")
    with Ledger(tmp_path / "ledger.sqlite", "first") as ledger:
        ledger.put(made(trial, 1.0, "L1"))
        assert ledger.get("key", "L1") is not None
        assert ledger.get("key", "L2") is None
        assert ledger.get("key") is not None
    with Ledger(tmp_path / "ledger.sqlite", "second") as ledger:
        ledger.put(made(trial, 2.0, "L3"))
        assert ledger.get("key", "L2").statistics["check"]["x"] == 2.0
        assert ledger.get("key", "L1").statistics["check"]["x"] == 1.0
        assert ledger.get("key", "L2U").statistics["check"]["x"] == 2.0


def test_an_observation_that_says_nothing_of_isolation_counts_for_none(tmp_path):
    trial = Trial("task", "m", "somebody", "submission", 1, 0, "", "key")
    with Ledger(tmp_path / "ledger.sqlite", "first") as ledger:
        ledger.put(Observation(trial, "ok", {"check": {"x": np.asarray(1.0)}}))
        assert ledger.get("key", "L1") is None


def made(trial, value, level):
    observation = Observation(trial, "ok", {"check": {"x": np.asarray(value)}})
    return dataclasses.replace(observation, circumstances={"isolation": level})
