"""What trials take: learnt from those that delivered, kept, and guessed before."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.marking.costs import Costs
from harness.records import Observation, Trial
from harness.spec.catalogue import load_all

ROOT = Path(__file__).parents[2]
COURSE = ROOT / "tests" / "course"
TASKS = {task.id: task for task in load_all(COURSE / "tasks", COURSE / "reference")}
SQUARE = TASKS["square"]


def took(wall_s: float, start_s: float = 0.0, outcome="ok", measurement="values") -> Observation:
    trial = Trial("square", measurement, "ada", "submission", 1, 0, "", "digest")
    made = {"wall_s": wall_s, "start_s": start_s}
    return Observation(trial, outcome, circumstances=made)


def test_a_trial_costs_what_such_trials_took_on_average() -> None:
    costs = Costs()
    for seconds in (1.0, 2.0, 3.0):
        costs.learn(took(seconds))
    assert costs.trial_s(SQUARE, "values") == pytest.approx(2.0)


def test_other_measurements_are_still_guessed() -> None:
    costs = Costs()
    before = costs.trial_s(SQUARE, "slopes")
    costs.learn(took(50.0))
    assert costs.trial_s(SQUARE, "slopes") == before > 0


def test_the_start_of_a_sandbox_is_no_part_of_its_first_trial() -> None:
    costs = Costs()
    costs.learn(took(3.5, start_s=3.0))
    assert costs.trial_s(SQUARE, "values") == pytest.approx(0.5)
    assert costs.start_s == pytest.approx(3.0)


@pytest.mark.parametrize("outcome", ["error", "infrastructure"])
def test_a_trial_that_did_not_deliver_says_nothing(outcome: str) -> None:
    costs = Costs()
    costs.learn(took(600.0, outcome=outcome))
    assert costs == Costs()


def test_an_average_follows_a_change() -> None:
    costs = Costs()
    for _ in range(1000):
        costs.learn(took(1.0))
    for _ in range(200):
        costs.learn(took(4.0))
    assert costs.trial_s(SQUARE, "values") == pytest.approx(4.0, rel=0.05)


def test_what_is_stored_is_read_back() -> None:
    costs = Costs()
    costs.learn(took(3.5, start_s=3.0))
    assert Costs.stored(costs.document()) == costs
    assert Costs.stored(None) == Costs()


def test_before_anything_is_measured_a_training_takes_what_stored_runs_took() -> None:
    (task,) = load_all(ROOT / "tasks", ROOT / "reference", ["bbvi-mixture"])
    trained = {check.measurement for check in task.spec.checks if check.kind == "seed-success"}
    for measurement in task.spec.measurements:
        guessed = Costs().trial_s(task, measurement)
        assert guessed == pytest.approx(38.4 / 200 if measurement in trained else 0.12)
