"""A round is computed once a state of the ledger, and carries over what nothing can change."""

from pathlib import Path

import numpy as np
import pytest

from harness.errors import InfrastructureError
from harness.ledger import Ledger
from harness.marking import feedback, plan
from harness.marking.round import Round
from harness.marking.subjects import Subject
from harness.marking.views import View
from harness.records import EXAMPLE, Observation, Program
from harness.report.explain import explain
from harness.seeds import PUBLIC_KEY, Key
from harness.spec.catalogue import load_all

COURSE = Path(__file__).parents[1] / "course"
KEY = Key("feedback", bytes(32))
(SQUARE,) = load_all(COURSE / "tasks", COURSE / "reference", ["square"])
METRICS = {"values": "value", "slopes": "slope", "sums": "sum"}


@pytest.fixture
def view(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite", "run") as ledger:
        yield View(KEY, ledger, isolation="L0")


def subject(name, content=b""):
    files = {SQUARE.spec.file: content or name.encode()}
    return Subject(Program(name, "submission", files), name)


def run(view, trials, wrong=()):
    """Stores an observation for each trial: right values, or wrong ones for some programs."""
    for planned in trials:
        trial = planned.trial
        value = 2.5 if trial.program in wrong or trial.role == "mutant" else 2.0
        array = np.array([1.0, value])
        statistics = {METRICS[trial.measurement]: {"value": array, "scale": np.ones(2)}}
        circumstances = {"isolation": "L2"}
        view.ledger.put(Observation(trial, "ok", statistics, circumstances=circumstances))


def played(view, subjects, wrong=()):
    """Rounds until nothing is wanted any more, and the jobs that each asked for."""
    rounds, batches = [Round.first([SQUARE], subjects, view)], []
    while batch := plan.next_batch(rounds[-1]):
        batches.append(batch)
        run(view, [planned for job in batch for planned in job.trials], wrong)
        rounds.append(rounds[-1].next())
    return rounds, batches


def test_all_right_takes_one_batch_and_nothing_is_wanted_then(view):
    rounds, batches = played(view, [subject("ada"), subject("bob")])
    assert len(batches) == 2  # checks that come after another are asked for once that has passed
    state = rounds[-1].state(subject("ada"), SQUARE)
    assert state.complete
    assert {verdict.status for verdict in state.grade.verdicts} == {"PASS"}
    assert state.isolation == {"L2"}


def test_what_is_complete_is_carried_over_as_it_is(view):
    ada, bob = subject("ada"), subject("bob")
    rounds, _ = played(view, [ada])
    both = Round(((ada, SQUARE), (bob, SQUARE)), view, {}, rounds[-1].states)
    after = both.next()
    assert after.state(ada, SQUARE) is rounds[-1].state(ada, SQUARE)
    assert after.state(bob, SQUARE).trials


def test_rounds_one_by_one_say_what_a_fresh_one_says(view):
    subjects = [subject("ada"), subject("bob"), subject("eve")]
    rounds, _ = played(view, subjects, wrong=("bob",))
    fresh = Round.first([SQUARE], subjects, view)
    assert fresh.states == rounds[-1].states


def test_a_failed_visible_check_asks_for_examples_last_and_under_the_public_key(view):
    rounds, batches = played(view, [subject("bob")], wrong=("bob",))
    assert all(planned.trial.step != EXAMPLE for job in batches[0] for planned in job.trials)
    examples = batches[-1]
    assert {planned.trial.step for job in examples for planned in job.trials} == {EXAMPLE}
    assert {job.key for job in examples} == {PUBLIC_KEY}
    roles = {planned.trial.role for job in examples for planned in job.trials}
    assert roles == {"submission", "reference"}
    failed = rounds[-1].state(subject("bob"), SQUARE).grade.verdicts[0]
    assert failed.status == "FAIL"
    assert failed.example is not None


def test_two_with_the_same_files_share_their_observations(view):
    subjects = [subject("ada", b"same"), subject("bob", b"same")]
    _, batches = played(view, subjects)
    owners = [planned.trial.program for job in batches[0] for planned in job.trials]
    assert sorted(set(owners) - {"square"}) == ["ada", "bob"]
    rounds, batches = played(view, subjects)
    assert batches == []
    assert rounds[-1].state(subjects[1], SQUARE).complete


def test_observations_under_weaker_isolation_are_wanted_again(view):
    played(view, [subject("ada")])
    strict = View(KEY, view.ledger, isolation="L3")
    assert plan.next_batch(Round.first([SQUARE], [subject("ada")], strict))


def test_points_of_the_assignment_reach_the_grade(view):
    rounds, _ = played(view, [subject("ada")])
    doubled = Round.first([SQUARE], [subject("ada")], view, {"square": 7.0})
    assert doubled.state(subject("ada"), SQUARE).grade.points == 7.0
    assert rounds[-1].state(subject("ada"), SQUARE).grade.points == 3.5


@pytest.mark.parametrize(
    "piece",
    ["feedback.illustrate", "feedback.pictures.picture", "feedback.hints.hint"],
)
def test_what_cannot_be_explained_costs_its_explanation_alone(view, monkeypatch, piece):
    """A fault of ours in an example, a picture or a hint ends no run and changes no mark."""

    def breaks(*_, **__):
        raise AssertionError("more numbers than a snippet holds")

    students = [subject("ada"), subject("bob", b"wrong")]
    wrong = ("bob",)
    rounds, _ = played(view, students, wrong)
    before = state(rounds[-1], students)
    monkeypatch.setattr(f"harness.marking.{piece}", breaks)
    after = state(Round.first([SQUARE], students, view), students)
    assert [each.grade.points for each in after] == [each.grade.points for each in before]
    assert not list(feedback.faults([before[0].grade, before[1].grade, after[0].grade]))
    found = list(feedback.faults([after[1].grade]))
    failed = [
        verdict
        for verdict in after[1].grade.verdicts
        if verdict.status == "FAIL" and verdict.visibility == "visible"
    ]
    assert failed and len(found) == len(failed)
    assert all("bob, square/" in line and "AssertionError: more numbers" in line for line in found)
    for verdict in failed:
        assert feedback.NOT_MADE in verdict.example["note"]
        told = " ".join(map(str, explain(verdict)))
        assert "could not be made" in told and "AssertionError" not in told


def test_an_error_raised_on_purpose_is_not_taken_for_a_fault(view, monkeypatch):
    def refuses(*_, **__):
        raise InfrastructureError("the ledger is gone")

    students = [subject("bob", b"wrong")]
    played(view, students, ("bob",))
    monkeypatch.setattr(feedback, "illustrate", refuses)
    with pytest.raises(InfrastructureError, match="the ledger is gone"):
        Round.first([SQUARE], students, view)


def state(current, students):
    return [current.state(student, SQUARE) for student in students]
