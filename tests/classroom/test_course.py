"""A small class from its first attempts to an override, on the command line."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from harness.cli import main

COURSE = Path(__file__).parents[1] / "course"
SOLUTION = COURSE / "reference" / "square" / "solution.py"
HOMEWORK = """
id: homework
title: Squares
tasks: [{id: square, points: 7}]
due: 2026-10-19 23:59 Europe/Berlin
late_until: 2026-10-22 23:59 Europe/Berlin
late: {per_day: 10%, late_days: 1}
groups: true
max_submissions: 2
"""
ROSTER = """id;name;pseudonym;group;email
001;Ada;Falcon;;ada@example.org
002;Bob;MAR1;g2;bob@example.org
003;Cleo;Heron;g2;cleo@example.org
004;Dan;Owl;;dan@example.org
"""
TIMES = """id,time
001,2026-10-19 23:50 +02:00
002,2026-10-21 12:00 +02:00
stranger,2026-10-19 12:00 Z
"""


@pytest.fixture
def desk(tmp_path: Path):
    """A course of one assignment, a class of three submissions, and a way to run verbs on them."""
    shutil.copytree(COURSE, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "course" / "tasks" / "assignments" / "homework.yaml").write_text(HOMEWORK)
    (tmp_path / "course" / "tasks" / "term.yaml").write_text("late_days: 1\n")
    (tmp_path / "roster.csv").write_text(ROSTER)
    (tmp_path / "times.csv").write_text(TIMES)
    for name in ("001", "002", "stranger"):
        (tmp_path / "class" / name).mkdir(parents=True)
        shutil.copy(SOLUTION, tmp_path / "class" / name / "square.py")
    folders = ["--tasks", tmp_path / "course" / "tasks"]
    folders += ["--reference", tmp_path / "course" / "reference"]

    def run(verb: str, *words: object) -> int:
        where = [] if verb == "replay" else ["--results", tmp_path / "results"]
        return main([str(word) for word in (verb, *words, *folders, *where)])

    return run


def table(tmp_path: Path, name: str) -> dict[str, dict[str, str]]:
    with (tmp_path / "results" / name).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {row.get("id") or row["submission"]: row for row in rows}


def test_a_class_from_its_first_attempts_to_an_override(
    desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ("--roster", tmp_path / "roster.csv", "--times", tmp_path / "times.csv")
    place = ("grade", tmp_path / "class", "--assignment", "homework", "--jobs", 1)
    desk(*place, *files)
    assert "without a submission: 004" in capsys.readouterr().err
    marks = table(tmp_path, "gradebook.csv")
    assert list(marks) == ["'001", "'002", "'003", "'004", "stranger"]
    computed = float(marks["'001"]["points"])
    for name in ("'002", "'003"):
        row = marks[name]
        assert (row["points"], row["late"], row["free_days"]) == (marks["'001"]["points"], "2", "1")
        assert float(row["mark"]) == pytest.approx(computed - float(row["penalty"]))
    board = table(tmp_path, "leaderboard.csv")
    assert set(board) == {"Falcon", "'MAR1", "Heron", "Owl", "not in the roster (1)"}

    # the same again, without roster and times: nothing changes, and nobody's name comes out
    before = (tmp_path / "results" / "leaderboard.csv").read_bytes()
    desk(*place)
    assert "marks that change" not in capsys.readouterr().err
    assert (tmp_path / "results" / "leaderboard.csv").read_bytes() == before

    # another rule: shown first, then written
    path = tmp_path / "course" / "tasks" / "assignments" / "homework.yaml"
    path.write_text(HOMEWORK.replace("10%", "20%"))
    desk(*place, "--dry-run")
    assert "marks that change: 0 gain, 2 lose, by 2 checks" in capsys.readouterr().err
    assert (tmp_path / "results" / "leaderboard.csv").read_bytes() == before
    desk("score")
    assert "003: late: 0.7 off -> 1.4 off" in capsys.readouterr().err
    assert float(table(tmp_path, "gradebook.csv")["'003"]["penalty"]) == 1.4

    # an appeal
    reason = ("--reason", "appeal", "--by", "Turing")
    assert desk("override", "003", "square", 7, *reason) == 0
    assert float(table(tmp_path, "gradebook.csv")["'003"]["mark"]) == 5.6
    assert "given by Turing: appeal" in (
        tmp_path / "results" / "submissions" / "003" / "feedback.md"
    ).read_text(encoding="utf-8")
    desk(*place)
    assert float(table(tmp_path, "gradebook.csv")["'003"]["mark"]) == 5.6, "it survives"
    capsys.readouterr()
    assert desk("replay", tmp_path / "results", "--json") == 0
    replayed = json.loads(capsys.readouterr().out)
    assert [each["student"] for each in replayed["overrides"]] == ["003"]
    assert len(replayed["regrades"]) == 1
    assert desk("override", "003", "square", "--withdraw", *reason) == 0
    assert float(table(tmp_path, "gradebook.csv")["'003"]["mark"]) == computed - 1.4
    assert desk("override", "003", "square/valu", 1, *reason) == 2
    assert "did you mean 'value'?" in capsys.readouterr().err


def test_files_of_another_assignment_alone_are_said(
    desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the course and on the page; not of somebody who handed in what is asked for, too."""
    for name in ("001", "002"):
        (tmp_path / "class" / name / "noise.py").write_text("x = (\n")
        (tmp_path / "class" / name / "square.py").write_text("x = (\n")
    (tmp_path / "class" / "001" / "square.py").unlink()
    files = ("--roster", tmp_path / "roster.csv", "--times", tmp_path / "times.csv")
    place = ("grade", tmp_path / "class", "--assignment", "homework", "--jobs", 1)
    desk(*place, *files)
    note = "noise.py is not of the assignment homework, which asks for square.py"
    said = capsys.readouterr().err
    assert f"note: 001: {note}\n" in said and said.count("is not of the assignment") == 1
    pages = {
        name: (tmp_path / "results" / "submissions" / name / "feedback.md").read_text("utf-8")
        for name in ("001", "002")
    }
    assert f"> {note}" in pages["001"] and "not of the assignment" not in pages["002"]
    (tmp_path / "class" / "001" / "square.py").write_text("x = (\n")
    desk(*place)
    page = (tmp_path / "results" / "submissions" / "001" / "feedback.md").read_text("utf-8")
    assert "not of the assignment" not in page


def test_the_gradebook_says_how_often_somebody_handed_in(desk, tmp_path: Path) -> None:
    """As far as times were told; the same files at a later time are one attempt more."""
    for file in (tmp_path / "class").glob("*/square.py"):
        file.write_text("x = (\n")
    files = ("--roster", tmp_path / "roster.csv", "--times", tmp_path / "times.csv")
    place = ("grade", tmp_path / "class", "--assignment", "homework", "--jobs", 1, "--yes")
    desk(*place, *files)
    attempts = {name: row["attempts"] for name, row in table(tmp_path, "gradebook.csv").items()}
    assert attempts == {"'001": "1", "'002": "1", "'003": "1", "'004": "", "stranger": "1"}
    (tmp_path / "times.csv").write_text(TIMES.replace("10-19 23:50", "10-20 23:50"))
    desk(*place, *files)
    row = table(tmp_path, "gradebook.csv")["'001"]
    assert (row["attempts"], row["late"], row["free_days"]) == ("2", "1", "1")
    assert row["submitted"] == "2026-10-20T23:50:00+02:00"
    (tmp_path / "times.csv").write_text(TIMES.replace("10-19 23:50", "10-18 23:50"))
    desk(*place, *files)
    row = table(tmp_path, "gradebook.csv")["'001"]
    assert (row["attempts"], row["late"]) == ("1", "0"), "an earlier time is a correction"


def test_work_without_any_file_of_a_task_is_said(
    desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or a zero in a table of many is all that whoever grades sees of a damaged notebook."""
    for name, file in {"001": "hw.ipynb", "002": "hw.7z"}.items():
        (tmp_path / "class" / name / "square.py").unlink()
        (tmp_path / "class" / name / file).write_text('{"cells":')
    (tmp_path / "class" / "stranger" / "square.py").write_text("x = (\n")
    files = ("--roster", tmp_path / "roster.csv", "--times", tmp_path / "times.csv")
    desk("grade", tmp_path / "class", "--assignment", "homework", "--jobs", 1, *files)
    said = capsys.readouterr().err
    assert "no file that a task asks for was found in what these handed in: 001, g2; what" in said
    pages = [
        (tmp_path / "results" / "submissions" / name / "feedback.md").read_text("utf-8")
        for name in ("001", "002")
    ]
    assert "found hw.ipynb, which is no notebook: not JSON" in pages[0]
    assert "such as square.py; hw.7z was not opened" in pages[1].replace("\\", "")
    assert "noise.py" not in pages[1], "a file of another assignment is no example"
