"""A new task: accepted as it is written, and followed to a mark as the tutorial says."""

import csv
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from harness.cli import main

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "docs" / "authoring.md"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """An empty course, as the present folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def commands():
    """What the tutorial prints, line by line."""
    section = TUTORIAL.read_text(encoding="utf-8").partition("## A first task")[2]
    block = re.search(r"```\n(.*?)```", section, re.DOTALL)[1]
    return [line.partition("#")[0].strip() for line in block.splitlines()]


def test_the_tutorial_leads_from_nothing_to_a_mark(course, capsys):
    for line in commands():
        verb, *words = shlex.split(line)
        if verb == "fairmark":
            assert main(words) == 0, (line, capsys.readouterr())
        else:
            subprocess.run(line, shell=True, check=True)
    verified = (course / "results" / "figures" / "verified.csv").read_text(encoding="utf-8")
    assert verified.splitlines()[1].startswith("weighted-sum,")
    assert verified.splitlines()[1].endswith(",0")
    with (course / "results" / "grades.csv").open(encoding="utf-8") as stream:
        statuses = {row["check"]: row["status"] for row in csv.DictReader(stream)}
    assert statuses == {"value": "PASS", "gradient": "PASS", "example": "PASS"}


def test_the_files_are_those_of_a_task(course, capsys):
    assert main(["new", "my-task", "--title", "Mine"]) == 0
    made = files(course)
    assert set(capsys.readouterr().out.splitlines()) >= made
    assert {"tasks/my-task/task.yaml", "reference/my-task/mistakes.yaml"} < made
    assert (course / "tasks/my-task/README.md").read_text().startswith("# my-task: Mine\n")
    assert main(["statement"]) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["My-Task"], "'My-Task' is no id of a task"),
        (["a--b"], "'a--b' is no id of a task"),
        (["x" * 65], "at most 64 in all"),
        (["random"], "random"),
        (["mine", "--title", "Two\nlines"], "cannot be a title here"),
        (["mine", "--title", " "], "cannot be a title here"),
        (["mine", "--title", "a: b"], "cannot be a title here"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_written(course, capsys, words, told):
    assert main(["new", *words]) == 2
    assert told in capsys.readouterr().err
    assert files(course) == set()


@pytest.mark.parametrize("place", ["tasks/mine", "reference/mine"])
def test_what_is_there_is_not_touched(course, capsys, place):
    (course / place).mkdir(parents=True)
    (course / place / "kept.txt").write_text("mine")
    assert main(["new", "mine"]) == 2
    assert f"{place} is there already" in capsys.readouterr().err
    assert files(course) == {f"{place}/kept.txt"}
