"""verify --keys: mistakes that are caught under some keys only; honest work near a tolerance."""

import json
import shutil
from dataclasses import replace

import pytest

from harness.cli import main
from harness.files import read_csv
from harness.mutation import honesty, keys_page
from harness.results import Results
from harness.spec.load import load_task
from tests.support.programs import ROOT

COURSE = ROOT / "tests" / "course"
KEYS = 12


@pytest.fixture
def course(tmp_path):
    """A copy of the fixture course."""
    shutil.copytree(COURSE, tmp_path / "course")
    return tmp_path / "course"


def report(course):
    task = load_task(course / "tasks" / "square", course / "reference" / "square")
    return honesty.under_keys(task, course / "reference" / "square", KEYS)


def test_the_small_course_has_the_same_verdicts_under_every_key(course):
    found = report(course)
    assert found.problems == ()
    assert found.mistakes
    assert all(item.caught == (True,) * KEYS for item in found.mistakes)
    assert found.rewritings > 3
    assert {item.check for item in found.honest} == {"value", "slope", "sum"}
    assert 0 < found.worst("sum").ratio <= honesty.MARGIN


def test_a_mistake_that_depends_on_the_key_is_named(course):
    path = course / "reference" / "square" / "mistakes.yaml"
    text = "  - {name: by-luck, check: value, hint: wrong where a sum is positive, file: luck.py}\n"
    path.write_text(path.read_text() + text)
    (path.parent / "luck.py").write_text(
        "def square(x):\n    return x * x + (x.sum() > 0) * 1e-3\n\n\n"
        "def total(x):\n    return x.sum(1)\n"
    )
    (problem,) = report(course).problems
    line = path.read_text().splitlines().index(text.rstrip("\n")) + 1
    assert (problem.file, problem.line) == (str(path), line)
    assert "mistake by-luck is caught at value under" in problem.message
    assert f"of {KEYS} keys; not under" in problem.message
    assert problem.remedy


def edit(course, old, new):
    path = course / "tasks" / "square" / "measure.py"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_an_honest_rewriting_near_the_tolerance_is_named(course):
    edit(course, '"total__scale": np.abs(x).sum(1)', '"total__scale": 0.1 * np.abs(x).sum(1)')
    messages = [problem.message for problem in report(course).problems]
    assert any("of the tolerance of sum, over 0.2: " in text for text in messages)


def test_an_honest_rewriting_that_fails_is_named_with_its_keys(course):
    edit(course, '"total__scale": np.abs(x).sum(1)', '"total__scale": 1e-3 * np.abs(x.sum(1))')
    problems = [item for item in report(course).problems if "fails" in item.message]
    assert problems
    assert "honest work fails sum under" in problems[0].message
    assert "solution/total/reduction-" in " ".join(item.message for item in problems)


def test_the_command_reports_the_worst_ratio_of_every_check(course, tmp_path, capsys):
    places = ["--tasks", str(course / "tasks"), "--reference", str(course / "reference")]
    words = ["verify", "square", "--keys", "3", *places, "--jobs", "1", "--json"]
    assert main([*words, "--results", str(tmp_path / "results")]) == 0
    captured = capsys.readouterr()
    (told,) = json.loads(captured.out)["tasks"]
    assert set(told["worst"]) == {"value", "slope", "sum"}
    assert (told["keys"], told["depend_on_key"]) == (3, [])
    assert "of the tolerance" in captured.err
    results = Results(tmp_path / "results")
    (row,) = read_csv(results.figure("keys.csv"), keys_page.COLUMNS)
    told_of_row = (row["task"], row["keys"], row["key_dependent"], row["failed"])
    assert told_of_row == ("square", "3", "0", "0")
    assert float(row["worst"]) == pytest.approx(
        max(each["ratio"] for each in told["worst"].values()), rel=1e-2
    )
    page = results.figure("verification.md").read_text()
    assert f"| square | 3 | {row['mistakes']} | 0 | {row['rewritings']} |" in page


def test_rows_of_other_tasks_stay(course, tmp_path):
    results = Results(tmp_path / "results")
    before = replace(report(course), keys=7)
    keys_page.write([before], results, course / "tasks")
    assert keys_page.write([], results, course / "tasks").is_file()
    (row,) = read_csv(results.figure("keys.csv"), keys_page.COLUMNS)
    assert row["keys"] == "7"
    keys_page.write([report(course)], results, course / "tasks")
    (row,) = read_csv(results.figure("keys.csv"), keys_page.COLUMNS)
    assert row["keys"] == str(KEYS)
