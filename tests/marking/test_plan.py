"""What runs next: first looks alone, what trains beside further looks, examples last."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.ledger import Ledger
from harness.marking import plan
from harness.marking.round import Round
from harness.marking.subjects import Subject
from harness.marking.views import View
from harness.records import EXAMPLE, Program, Step
from harness.seeds import Key
from harness.spec.catalogue import load_all

TESTS = Path(__file__).parents[1]
(QUICK,) = load_all(TESTS / "course" / "tasks", TESTS / "course" / "reference", ["square"])
TRAINING = TESTS / "training" / "course"
(TRAINS,) = load_all(TRAINING / "tasks", TRAINING / "reference", ["centre"])
FILES = {task.spec.file: b"" for task in (QUICK, TRAINS)}
ADA = Subject(Program("ada", "submission", FILES), "ada")


@pytest.fixture
def first(tmp_path):
    """The round in which nothing is known of either task."""
    with Ledger(tmp_path / "ledger.sqlite", "run") as ledger:
        view = View(Key("feedback", bytes(32)), ledger, isolation="L0")
        yield Round.first([TRAINS, QUICK], [ADA], view)


def at(trial, step):
    """The trial at another step, under a digest of its own."""
    name = f"{trial.task}/{step}"
    return replace(trial, stage=step.stage, replicate=step.replicate, digest=name)


def wanting(current, **trials):
    """The round with other trials: task -> steps of its first planned trial, or none."""
    states = dict(current.states)
    for task, steps in trials.items():
        state = states["ada", task]
        planned = state.trials[0]
        of_steps = [replace(planned, trial=at(planned.trial, step)) for step in steps]
        examples = tuple(each for each in of_steps if each.trial.step == EXAMPLE)
        wanted = tuple(each for each in of_steps if each.trial.step != EXAMPLE)
        states["ada", task] = replace(state, trials=wanted, examples=examples)
    return replace(current, states=states)


def tasks(batch):
    return {planned.trial.task for job in batch for planned in job.trials}


def test_a_first_look_at_what_does_not_train_runs_alone(first):
    assert tasks(plan.next_batch(first)) == {"square"}
    further_too = wanting(first, square=[Step(1), Step(2)])
    assert tasks(plan.next_batch(further_too)) == {"square"}


@pytest.mark.parametrize("step", [Step(1, 1), Step(2), Step(2, 3)])
def test_what_trains_runs_beside_further_looks(first, step):
    current = wanting(first, square=[step])
    batch = plan.next_batch(current)
    assert tasks(batch) == {"square", "centre"}
    own = [job for job in batch if job.label == "=ada"]
    assert len(own) == 1  # in one sandbox


def test_what_trains_runs_alone_where_nothing_else_is_wanted(first):
    assert tasks(plan.next_batch(wanting(first, square=[]))) == {"centre"}


def test_examples_wait_for_all_marks(first):
    current = wanting(first, square=[EXAMPLE], centre=[Step(1)])
    assert tasks(plan.next_batch(current)) == {"centre"}
    batch = plan.next_batch(wanting(first, square=[EXAMPLE], centre=[]))
    assert tasks(batch) == {"square"}
    assert {planned.trial.step for job in batch for planned in job.trials} == {EXAMPLE}


def test_nothing_is_run_where_nothing_is_wanted(first):
    assert plan.next_batch(wanting(first, square=[], centre=[])) == []
