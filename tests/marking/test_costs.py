"""What trials take: learnt from those that delivered, kept, and guessed before."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import kinds
from harness.marking import costs as module
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


USUAL = {"square/values": 0.5, "square/slopes": 2.0, "gone/values": 9.0}


def test_what_is_usual_is_taken_before_anything_is_measured() -> None:
    costs = Costs(usual=USUAL)
    assert costs.trial_s(SQUARE, "slopes") == 2.0
    assert costs.trial_s(SQUARE, "sums") == Costs().trial_s(SQUARE, "sums"), "guessed"
    costs.learn(took(0.7, measurement="slopes"))
    assert costs.trial_s(SQUARE, "slopes") == pytest.approx(0.7)


@pytest.mark.parametrize("slower", [1.0, 10.0])
def test_a_slow_machine_is_noticed_at_its_first_trials(slower: float) -> None:
    usual = {"square/values": 2.0, "square/slopes": 30.0}
    costs = Costs(usual=usual)
    costs.learn(took(2.0 * slower))
    assert 30 * slower / 1.5 <= costs.trial_s(SQUARE, "slopes") <= 30 * slower


def test_a_trial_of_no_length_says_little_of_the_pace() -> None:
    costs = Costs(usual={"square/values": 0.001, "square/slopes": 30.0})
    costs.learn(took(0.02))
    assert costs.trial_s(SQUARE, "slopes") == pytest.approx(30, rel=0.05)


def test_costs_that_are_kept_are_what_is_usual(tmp_path: Path) -> None:
    costs = Costs()
    costs.learn(took(0.25, start_s=0.125))
    kept = module.kept(USUAL, costs, TASKS.values())
    assert kept == {"square/slopes": 2.0, "square/values": 0.125}
    (tmp_path / module.FILE).write_text(module.text(kept))
    assert module.usual(tmp_path) == kept


@pytest.mark.parametrize("content", ["", "[1]", '{"a": "x"}', '{"a": [1]}', "{"])
def test_costs_that_cannot_be_read_are_guessed(tmp_path: Path, content: str) -> None:
    (tmp_path / module.FILE).write_text(content)
    assert module.usual(tmp_path) == {}
    assert module.usual(tmp_path / "nowhere") == {}


def test_nine_in_ten_measurements_that_train_nothing_have_usual_costs() -> None:
    """Those of new tasks are guessed; trainings are taken to be as long as stored runs."""
    usual = module.usual(ROOT / "tasks")
    tasks = load_all(ROOT / "tasks", ROOT / "reference", with_reference=False)
    wanted = {
        f"{task.id}/{check.measurement}"
        for task in tasks
        for check in task.checks
        if not kinds.of(check).trained
    }
    missing = sorted(wanted - usual.keys())
    assert len(missing) <= len(wanted) / 10, f"run `grade --keep-costs` for {missing}"
