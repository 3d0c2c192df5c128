"""Assignments that leave out checks: what is marked, and what is refused in which words."""

from pathlib import Path

import pytest

from harness.causes import Cause
from harness.errors import SpecError
from harness.marking.score import Decision
from harness.marking.trials import name_trial
from harness.marking.verdicts import of_task
from harness.records import COMMON
from harness.seeds import PUBLIC_KEY
from harness.spec.catalogue import load_all
from harness.syllabus import read_syllabus

COURSE = Path(__file__).parents[1] / "course"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def syllabus(tmp_path):
    """The syllabus of an assignment with this text for its tasks."""
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    for folder in (COURSE / "tasks").iterdir():
        (tasks / folder.name).symlink_to(folder)
    (tasks / "assignments").unlink()
    (tasks / "assignments").mkdir()

    def read(*entries, rules=(), text=""):
        lines = ["id: part", "title: A part", "tasks:", *(f"  - {{{entry}}}" for entry in entries)]
        lines += rules
        path = tasks / "assignments" / "part.yaml"
        path.write_text(text or "\n".join(lines) + "\n", encoding="utf-8")
        return read_syllabus(tasks, COURSE / "reference", "part")

    return read


def test_what_is_left_out_is_not_marked_and_worth_nothing(syllabus):
    read = syllabus("id: square, without: [slope, sum]", "id: noise")
    square, noise = read.choose([])
    assert [check.id for check in square.checks] == ["value"]
    assert (square.points, square.spec.points) == (2, 3.5)
    assert noise.checks == noise.spec.checks
    assert read.left_out == {"square": ["slope", "sum"]}


def test_the_same_is_observed_whatever_is_left_out(syllabus):
    """Or else the marks of two assignments could not share what was run for one of them."""
    (part,) = syllabus("id: noise, without: [law]").choose([])
    (whole,) = load_all(COURSE / "tasks", COURSE / "reference", ["noise"])
    trials = {
        name_trial(task, whole.reference.solution, "draws", COMMON, "", PUBLIC_KEY).digest
        for task in (part, whole)
    }
    assert len(trials) == 1


def test_an_assignment_says_what_checks_are_worth(syllabus):
    read = syllabus("id: square, points: 8, checks: {value: 0, slope: 3}", "id: noise")
    square, _ = read.choose([])
    assert {check.id: check.points for check in square.checks} == {
        "value": 0, "slope": 3, "sum": 0.5
    }  # fmt: skip
    failed = {check.id: Decision("FAIL", Cause.WRONG) for check in square.checks}
    grade = of_task(square, "ada", failed, read.points["square"])
    assert [verdict.max_points for verdict in grade.verdicts] == [0, 6.8571, 1.1429]
    (whole,) = load_all(COURSE / "tasks", COURSE / "reference", ["square"])
    digests = {
        name_trial(task, whole.reference.solution, "values", COMMON, "", PUBLIC_KEY).digest
        for task in (square, whole)
    }
    assert len(digests) == 1, "what was observed serves every assignment"


@pytest.mark.parametrize(
    ("entries", "place", "message", "remedy"),
    [
        (
            ["id: square, without: [slop]"],
            (4, 28),
            "square has no check that is called 'slop'",
            "did you mean 'slope'?",
        ),
        (
            ["id: noise", "id: square, without: [sum, value]"],
            (5, 33),
            "'slope' of square comes after 'value', which is left out",
            "leave 'slope' out as well, or mark 'value'",
        ),
        (
            ["id: square, without: [sum, sum]"],
            (4, 33),
            "the check 'sum' stands twice",
            "keep one of them",
        ),
        (
            ["id: square, without: [value, slope, sum]"],
            (4, 27),
            "no check of square is left",
            "leave the task out instead",
        ),
        (
            ["id: square, checks: {valeu: 1}"],
            (4, 34),
            "square has no check that is called 'valeu'",
            "did you mean 'value'?",
        ),
        (
            ["id: square, checks: {sum: 1}, without: [sum]"],
            (4, 32),
            "'sum' of square is left out, and has points",
            "take it out of `without`, or of `checks`",
        ),
        (
            ["id: square, points: 3, checks: {value: 0, slope: 0, sum: 0}"],
            (4, 26),
            "the checks of square that are left are worth nothing in the task",
            "leave other checks out, or write points: 0",
        ),
        (
            ["id: square", "id: square"],
            (5, 10),
            "the task 'square' stands twice",
            "keep one of them",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stands(syllabus, entries, place, message, remedy):
    with pytest.raises(SpecError) as caught:
        syllabus(*entries)
    (problem,) = caught.value.problems
    assert (problem.line, problem.col) == place
    assert (problem.message, problem.remedy) == (message, remedy)


DUE = "due: 2026-10-19 23:59 Z"


@pytest.mark.parametrize(
    ("rule", "place", "message", "remedy"),
    [
        (
            "tiers: {final: [training]}",
            (6, 16),
            "in the phase final nothing would be marked: no task is of these tiers",
            "there are: exact",
        ),
        (
            "tiers: {final: [exact, exact]}",
            (6, 24),
            "the tier 'exact' stands twice",
            "keep one of them",
        ),
        (
            "late: {per_day: 8 points}",
            (6, 17),
            "8 points are more than everything: the assignment is worth 7",
            "lower it, or give a percentage",
        ),
        (
            "late: {per_day: 2 points, cap: 7.5 points}",
            (6, 32),
            "7.5 points are more than everything: the assignment is worth 7",
            "lower it, or give a percentage",
        ),
    ],
)
def test_rules_that_could_never_hold_are_refused(syllabus, rule, place, message, remedy):
    with pytest.raises(SpecError) as caught:
        syllabus("id: square, points: 7", rules=(DUE, rule))
    (problem,) = caught.value.problems
    assert (problem.line, problem.col) == place
    assert (problem.message, problem.remedy) == (message, remedy)
    held = ("late: {per_day: 2 points, cap: 7 points}", "tiers: {final: [exact, training]}")
    assert syllabus("id: square, points: 7", rules=(DUE, *held)).declared is not None


def test_a_task_that_was_not_loaded_is_no_reason_to_refuse_the_others(syllabus, tmp_path):
    noise = tmp_path / "tasks" / "noise"
    noise.unlink()
    noise.mkdir()
    (noise / "task.yaml").write_text("id: noise\n", encoding="utf-8")
    read = syllabus("id: square", "id: noise, without: [law]")
    assert [task.id for task in read.choose(["square"])] == ["square"]


@pytest.mark.parametrize(
    ("tasks", "message", "remedy"),
    [
        ("[square]", "tasks[0] is 'square', but should be a mapping", "write {id: square}"),
        ("square", "tasks is 'square', but should be a list", "write [{id: square}]"),
        (
            "{id: square}",
            "tasks is a mapping, but should be a list",
            "write a list of them, each behind `- `",
        ),
        (
            "[{id: square, without: slope}]",
            "tasks[0].without is 'slope', but should be a list",
            "write [slope]",
        ),
        (
            "[{id: square, without: 'slope, sum'}]",
            "tasks[0].without is 'slope, sum', but should be a list",
            "write [slope, sum]",
        ),
        (
            '[{id: square, without: "a]\\x1b"}]',
            r"tasks[0].without is 'a]\x1b', but should be a list",
            "change the value",
        ),
        (
            "[{id: square, checks: value}]",
            "tasks[0].checks is 'value', but should be a mapping",
            "change the value",
        ),
        (
            "[{id: square, points: 0}, {id: noise, points: 0}]",
            "the whole assignment is worth 0 points, and everybody would have all of them",
            "give a task points",
        ),
        (
            "[{id: square, checks: {value: 0}, without: [slope, sum]}]",
            "the whole assignment is worth 0 points, and everybody would have all of them",
            "give a task points",
        ),
        (
            "[{id: square, points: 1.0e-320}]",
            "tasks[0].points: 1e-320 points would be rounded to none: give 0, or 0.0001 or more",
            "correct the fields named here",
        ),
    ],
)
def test_slips_have_a_remedy(syllabus, tasks, message, remedy):
    with pytest.raises(SpecError) as caught:
        syllabus(text=f"id: part\ntitle: A part\ntasks: {tasks}\n")
    (problem,) = caught.value.problems
    assert (problem.message, problem.remedy) == (message, remedy)


def test_a_task_may_be_worth_nothing_beside_others(syllabus):
    assert syllabus("id: square, points: 0", "id: noise, points: 0.0001").points["square"] == 0


# the tour of this course


FAMILIES = {
    "a VAE": "vae-",
    "an autoregressive model": "px-",
    "variational inference": "bbvi-",
    "a policy gradient": "pg-",
    "Atari": "dqn-atari",
}


def test_the_tour_marks_all_but_training_and_trains_one_of_each_family():
    read = read_syllabus(ROOT / "tasks", ROOT / "reference", "tour")
    assert set(read.ids) == set(read.catalogue.ids), (
        "put the task into tasks/assignments/tour.yaml, without the check that trains"
    )
    tasks = read.choose([])
    for task in tasks:
        by_id = {check.id: check for check in task.spec.checks}
        assert {by_id[name].kind for name in task.left_out} <= {"seed-success", "returns"}
    training = [
        task.id
        for task in tasks
        for check in task.checks
        if check.kind in ("seed-success", "returns")
    ]
    for family, prefix in FAMILIES.items():
        assert len({name for name in training if name.startswith(prefix)}) == 1, family
