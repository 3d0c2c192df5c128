"""What is said and drawn of a training in its course, beside the reference's stored curves."""

import json
from dataclasses import replace

import numpy as np
import pytest

from harness import stored_runs
from harness.causes import Cause
from harness.errors import InfrastructureError
from harness.kinds import seed_success, training_curve
from harness.marking import feedback, pictures, training_curves
from harness.marking.gradebook import TaskGrade
from harness.marking.subjects import Subject
from harness.marking.views import View
from harness.records import Verdict, sha256
from harness.report.explain import explain
from harness.seeds import PUBLIC_KEY
from harness.spec.load import load_task
from tests.support.programs import ROOT

POLES = ("pg-reinforce-cartpole", "pg-baseline-cartpole", "a2c-cartpole", "dqn-cartpole")
TASKS = {name: load_task(ROOT / "tasks" / name, ROOT / "reference" / name) for name in POLES}
TASK = TASKS["a2c-cartpole"]
CHECK = TASK.spec.check("learns")
POINTS = training_curve.POINTS
TRAINING = {
    "budget": 51_200,
    "first_solved": [12_349, None, 31_004],
    "curves": [[None, *range(20, 20 + POINTS - 1)], [], [None, None, *[150.0] * (POINTS - 2)]],
}
FIGURES = {"values": [160.0, 26.0, 170.0], "training": TRAINING}


def with_curves(first_solved, curves):
    runs = [
        {
            "seed": seed,
            "source_sha256": "",
            "protocol": "",
            "value": 1.0,
            "first_solved": f,
            "curve": c,
        }
        for seed, (f, c) in enumerate(zip(first_solved, curves, strict=True))
    ]
    record = {"check": "learns", "solved": {}, "budget": 51_200, "runs": runs}
    targets = {**TASK.reference.targets, stored_runs.CURVES: json.dumps(record).encode()}
    return replace(TASK, reference=replace(TASK.reference, targets=targets))


def without_reference():
    return replace(TASK, reference=None)


def test_the_first_times_stand_beside_those_of_the_reference():
    task = with_curves([10_000, 20_000, 24_040, 30_000, None], [[1.0] * POINTS] * 5)
    assert training_curves.sentence(task, CHECK, FIGURES) == (
        "64 episodes in a row first lasted 150 steps on average in 2 of 3 seeds, after 12,300 to "
        "31,000 steps of 51,200; the reference's median is 24,000, its middle half 20,000 to "
        "30,000 (5 runs). This is shown and not marked."
    )


@pytest.mark.parametrize(
    ("first_solved", "words"),
    [
        ([None, None], "in 0 of 2 seeds within 51,200 steps. This"),
        ([500, None], "in 1 of 2 seeds, after 500 steps of 51,200. This"),
    ],
)
def test_without_a_reference_the_own_times_are_told(first_solved, words):
    figures = {"training": {**TRAINING, "first_solved": first_solved}}
    assert words in training_curves.sentence(without_reference(), CHECK, figures)
    assert "reference" not in training_curves.sentence(without_reference(), CHECK, figures)


def test_a_quartile_beyond_the_runs_that_solved_it_is_never():
    task = with_curves([10_000, 20_000, None, None], [[1.0] * POINTS] * 4)
    said = training_curves.sentence(task, CHECK, FIGURES)
    assert "median is 20,000, its middle half 10,000 to never (4 runs)" in said


def test_nothing_is_said_of_checks_that_declare_nothing_or_of_no_seeds():
    plain = CHECK.model_copy(update={"solved": None})
    assert training_curves.sentence(TASK, plain, FIGURES) == ""
    assert training_curves.sentence(TASK, CHECK, {}) == ""
    assert training_curves.drawn(TASK, plain, FIGURES) is None
    broken = {**TRAINING, "curves": [[], []]}
    assert training_curves.drawn(TASK, CHECK, {"training": broken}) is None


def test_the_band_is_the_middle_half_where_every_run_has_a_number():
    curves = [[None] + [float(run)] * (POINTS - 1) for run in range(1, 6)]
    curves[0][1] = None
    found = training_curves.drawn(with_curves([1] * 5, curves), CHECK, FIGURES)
    assert found["band"][:2] == [None, None]
    assert found["band"][2:] == [[2.0, 4.0]] * (POINTS - 2)
    assert (found["wanted"], found["budget"]) == (150.0, 51_200)
    assert training_curves.drawn(without_reference(), CHECK, FIGURES)["band"] is None


def test_a_picture_has_the_curves_and_says_so():
    found = pictures.of_seeds(TASK, CHECK, FIGURES, file="p.svg")
    assert found["training"]["curves"] == TRAINING["curves"]
    assert "Learning curves: 64 episodes in a row" in found["alt"]
    plain = pictures.of_seeds(TASK, CHECK, {"values": [1.0]}, file="p.svg")
    assert "training" not in plain


@pytest.mark.parametrize("visibility", ["visible", "hidden"])
@pytest.mark.parametrize(("status", "cause"), [("PASS", Cause.NONE), ("FAIL", Cause.SEEDS)])
def test_a_page_tells_it_of_a_visible_check_passed_or_not(status, cause, visibility):
    verdict = Verdict(
        "ada", TASK.id, "learns", status, cause, 1.0, 1.5, visibility, FIGURES, "as it came"
    )
    grade = TaskGrade(TASK.id, "A2C", "training", 2.0, (verdict,))
    subject = Subject(TASK.reference.solution, "Ada")
    (found,) = feedback.explain(TASK, subject, View(PUBLIC_KEY, None), grade).grade.verdicts
    said = [line for line in explain(found) if "first lasted 150 steps" in line.text]
    assert [line.label for line in said] == (["Note"] if visibility == "visible" else [])
    assert any("as it came" in line.text for line in explain(found)) == (visibility == "visible")
    assert (found.status, found.points) == (status, 1.0)


def test_a_file_that_holds_no_curves_is_ours_to_mend():
    targets = {**TASK.reference.targets, stored_runs.CURVES: b'{"check": "learns"}'}
    task = replace(TASK, reference=replace(TASK.reference, targets=targets))
    with pytest.raises(InfrastructureError, match="no stored curves"):
        stored_runs.curves(task, CHECK)


@pytest.mark.parametrize("name", POLES)
def test_stored_curves_are_those_of_the_stored_runs(name):
    """Made by today's program and measurement, and each came to what its run had come to."""
    task = TASKS[name]
    check = task.spec.check("learns")
    stored = stored_runs.curves(task, check)
    (runs,) = (each for each in stored_runs.read(task, check.target) if each.role == "reference")
    assert len(stored.values) >= 20
    assert list(stored.values) == runs.of(check)[: len(stored.values)]
    solution = (ROOT / "reference" / name / "solution.py").read_bytes()
    assert set(stored.made_by) == {(sha256(solution), stored_runs.protocol(task))}
    assert stored.solved == check.solved.model_dump()


@pytest.mark.parametrize("name", ["a2c-cartpole", "dqn-cartpole"])
def test_where_the_best_stretch_is_marked_solved_is_reached(name):
    """The same episodes and the same mean: a run that succeeds is one that has a first time."""
    task = TASKS[name]
    check = task.spec.check("learns")
    stored = stored_runs.curves(task, check)
    succeeded = [seed_success.succeeds(check, value) for value in stored.values]
    assert [each is not None for each in stored.first_solved] == succeeded


@pytest.mark.parametrize("name", POLES)
def test_the_statement_names_the_figures_of_the_reference(name):
    task = TASKS[name]
    check = task.spec.check("learns")
    text = " ".join((ROOT / "tasks" / name / "README.md").read_text(encoding="utf-8").split())
    stored = stored_runs.curves(task, check)
    low, middle, high = (
        f"{number:,.0f}" for number in np.round(training_curves.quartiles(stored.first_solved), -2)
    )
    assert f"{check.solved.episodes} episodes in a row" in text
    assert f"a median of {middle} steps, half of its runs {low} to {high}" in text
