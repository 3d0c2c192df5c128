"""What a run marks where the command line names an assignment, a path, or nothing at all."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.course import Course
from harness.ledger import Ledger
from harness.marking import estimate
from harness.marking.costs import Costs
from harness.marking.round import Round
from harness.marking.subjects import Subject
from harness.marking.views import View
from harness.records import Program
from harness.seeds import PUBLIC_KEY
from harness.spec.catalogue import load_all
from harness.spec.checks import SeedSuccessCheck

ROOT = Path(__file__).parents[1]
COURSE = Path(__file__).parent / "course"
TOUR = "id: tour\ntitle: A tour\ntasks:\n  - {id: square, without: [sum]}\n  - {id: noise}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A course with a tour, and submissions that are decided without running them."""
    folder = tmp_path_factory.mktemp("tour")
    shutil.copytree(COURSE, folder / "course", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "course" / "tasks" / "assignments" / "tour.yaml").write_text(TOUR)
    for name, file in (("ada", "square.py"), ("bob", "noise.py")):
        (folder / "submissions" / name).mkdir(parents=True)
        (folder / "submissions" / name / file).write_text("this is no Python\n")
    return folder


@pytest.fixture
def grade(folder, tmp_path):
    def run(*words, results="results"):
        places = ("--tasks", "course/tasks", "--reference", "course/reference")
        where = ("--results", str(tmp_path / results))
        done = subprocess.run(
            [sys.executable, "-m", "harness", "grade", *words, *places, *where],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        return done

    return run


def marked(path):
    """submission -> task -> the ids of its checks, in the order of grades.csv."""
    found = {}
    with (path / "grades.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            found.setdefault(row["submission"], {}).setdefault(row["task"], []).append(row["check"])
    return found


def test_without_a_word_it_is_the_tour_and_what_it_leaves_out_is_said(grade, tmp_path):
    done = grade()
    assert marked(tmp_path / "results")["ada"]["square"] == ["value", "slope"]
    assert set(marked(tmp_path / "results")["bob"]) == {"square", "noise"}
    line = (
        "the assignment tour leaves out square: sum. `nox -s grade -- --assignment all` marks them "
        "too"
    )
    assert line in done.stdout.splitlines()
    assert "estimate:" not in done.stderr


def test_all_is_every_check_of_every_task_and_says_first_how_long_it_takes(grade, tmp_path):
    done = grade("--assignment", "all")
    checks = marked(tmp_path / "results")["ada"]
    assert list(checks) == ["noise", "square", "walk"]
    assert checks["square"] == ["value", "slope", "sum"]
    assert "estimate: about 0 s" in done.stderr
    assert "leaves out" not in done.stdout


def test_a_path_is_marked_on_all_that_it_holds_and_a_class_on_all_that_somebody_holds(
    grade, tmp_path
):
    grade("submissions/ada")
    alone = marked(tmp_path / "results")
    assert alone == {"ada": {"square": ["value", "slope", "sum"]}}
    grade("submissions/bob")
    grade("submissions", results="at-once")
    one_by_one, at_once = (
        (tmp_path / name / "grades.csv").read_text() for name in ("results", "at-once")
    )
    assert one_by_one == at_once
    assert set(marked(tmp_path / "at-once")["ada"]) == {"square", "noise"}


def test_whoever_holds_nothing_that_is_asked_for_is_told_of_every_task():
    tasks = tuple(load_all(COURSE / "tasks", COURSE / "reference"))
    nobody = Subject(Program("eve", "submission", {}), "eve")
    assert Course(tasks, (nobody,), "", {}).held(()).tasks == tasks
    assert [task.id for task in Course(tasks, (nobody,), "", {}).held(["noise"]).tasks] == ["noise"]


# how long it takes


@pytest.fixture
def view(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite", "run") as ledger:
        yield View(PUBLIC_KEY, ledger)


def honest(task):
    program = Program("ada", "submission", task.reference.solution.files)
    return Subject(program, "ada")


def test_the_estimate_is_that_of_the_stored_runs(view):
    """A trained check takes the seeds of its test and its leaderboard, each as long as a run."""
    (task,) = load_all(ROOT / "tasks", ROOT / "reference", ["bbvi-mixture"])
    (check,) = [each for each in task.spec.checks if isinstance(each, SeedSuccessCheck)]
    found = estimate.of_round(Round.first([task], [honest(task)], view), Costs())
    run_s = 38.4 / 200  # runs.json
    assert (
        check.leaderboard_seeds * run_s <= found.training_s <= 2 * check.leaderboard_seeds * run_s
    )
    assert found.training_s < found.longest_s < found.work_s


def test_a_class_takes_its_longest_submission_at_least(view):
    (task,) = load_all(COURSE / "tasks", COURSE / "reference", ["square"])
    found = estimate.of_round(Round.first([task], [honest(task)], view), Costs())
    assert found.training_s == 0
    assert found.in_words(64).startswith(f"estimate: about {found.longest_s:.0f} s")
    assert found.in_words(1).startswith(f"estimate: about {found.work_s:.0f} s")
