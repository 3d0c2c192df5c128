"""The mark of a term: what is added up, and which assignments are dropped."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from harness.classroom.term import Part, dropping, rows
from harness.cli import main
from harness.errors import SpecError
from harness.marking.gradebook import Gradebook, RunRecord, SubmissionGrade, TaskGrade
from harness.records import Verdict
from harness.spec.catalogue import load_term

COURSE = Path(__file__).parents[1] / "course"
TOTAL = "total: {assignments: [hw1, hw2, hw3], drop_lowest: 1}\n"


def parts(*marks: tuple[float, float]) -> list[Part]:
    return [Part(f"hw{index}", mark, worth) for index, (mark, worth) in enumerate(marks, 1)]


@pytest.mark.parametrize(
    ("marks", "count", "dropped"),
    [
        ([(5, 10), (4, 5), (9, 10)], 1, ["hw1"]),
        ([(5, 10), (4, 5), (9, 10)], 2, ["hw1", "hw2"]),
        ([(5, 10), (4, 5), (9, 10)], 0, []),
        ([(0, 10), (0, 20), (1, 10)], 1, ["hw2"]),  # of equal shares that which is worth more
        ([(7, 10), (8.4, 12), (9, 10)], 1, ["hw2"]),  # .7 and .7000000000000001
        ([(0, 10), (0, 10), (1, 10)], 1, ["hw2"]),  # then the later one
        ([(0, 10)], 1, []),  # never all
        ([(0, 10), (1, 10)], 2, ["hw1"]),
        ([(0, 0), (5, 10), (6, 10)], 1, ["hw2"]),  # what is worth nothing is no loss
        ([], 1, []),
    ],
)
def test_which_are_dropped(
    marks: list[tuple[float, float]], count: int, dropped: list[str]
) -> None:
    assert [each.assignment for each in dropping(parts(*marks), count) if each.dropped] == dropped


def test_dropping_never_lowers_the_share() -> None:
    for first in range(11):
        for second in range(6):
            given = parts((first, 10), (second, 5), (7, 10))
            kept = [each for each in dropping(given, 1) if not each.dropped]
            before = sum(each.mark for each in given) / 25
            after = sum(each.mark for each in kept) / sum(each.worth for each in kept)
            assert after >= before


def book(**marks: float | None) -> Gradebook:
    found = []
    for name, mark in marks.items():
        verdict = Verdict(name, "square", "value", "FAIL", "", mark, 10.0, "visible")
        task = TaskGrade("square", "Squares", "exact", 10.0, (verdict,))
        found.append(SubmissionGrade(name, name, "ab", "roster", "L3", (task,)))
    return Gradebook(RunRecord("", "final", "c", "0", "d", ""), tuple(found))


def test_who_has_no_row_in_an_assignment_reached_nothing_in_it() -> None:
    books = {"hw1": book(ada=9, bob=5), "hw2": book(ada=8), "hw3": book(ada=7, bob=6, cleo=None)}
    ada, bob, cleo = rows(books, 1)
    assert (ada.mark, ada.worth, ada.share) == (17, 20, 0.85)
    assert [part.assignment for part in ada.parts if part.dropped] == ["hw3"]
    assert (bob.mark, bob.worth) == (11, 20)
    assert [part.assignment for part in bob.parts if part.dropped] == ["hw2"]
    assert (cleo.mark, cleo.provisional, bob.provisional) == (0, True, False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}\n", "the file says nothing"),
        ("total: {assignments: []}\n", "at least 1"),
        ("total: {assignments: [hw1, hw1]}\n", "hw1 stands twice"),
        ("total: {assignments: [hw1], drop_lowest: 1}\n", "nothing would count"),
        ("total: {assignments: [hw1], drop_lowest: -1}\n", "greater than or equal to 0"),
        ("total: {assignments: [hw1], lowest: 1}\n", "lowest"),
    ],
)
def test_terms_that_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "term.yaml").write_text(text)
    with pytest.raises(SpecError, match=words):
        load_term(tmp_path)


@pytest.fixture
def run(tmp_path: Path):
    """A course of three assignments, a class of two, and a way to run verbs on them."""
    shutil.copytree(COURSE, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    tasks = tmp_path / "course" / "tasks"
    for name, points in (("hw1", 7), ("hw2", 4), ("hw3", 7)):
        text = f"id: {name}\ntitle: {name}\ntasks: [{{id: square, points: {points}}}]\n"
        (tasks / "assignments" / f"{name}.yaml").write_text(text)
    for name in ("001", "=2"):
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "square.py").write_text("x = (\n")

    def run(verb: str, *words: object) -> int:
        where = ["--tasks", tasks, "--reference", tmp_path / "course" / "reference"]
        return main([str(each) for each in (verb, *words, *where, "--results", tmp_path / "r")])

    return run


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "term.yaml is not there; write total: {assign"),
        ("late_days: 2\n", "says nothing of a mark of the term"),
        (
            "total: {assignments: [hw1, hw4]}\n",
            "term.yaml:1:28: no assignment is called 'hw4' (did you mean 'hw",
        ),
    ],
)
def test_a_term_of_nothing_is_refused(run, tmp_path: Path, capsys, text, words: str) -> None:
    if text is not None:
        (tmp_path / "course" / "tasks" / "term.yaml").write_text(text)
    assert run("term") == 2
    assert words in capsys.readouterr().err


def test_a_term_on_the_command_line(
    run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = tmp_path / "course" / "tasks"
    (tasks / "term.yaml").write_text(TOTAL)
    assert run("term") == 2
    assert "nothing is stored here" in capsys.readouterr().err
    run("grade", tmp_path / "class")
    assert run("term") == 2
    assert "no assignment of the term has marks; grade first" in capsys.readouterr().err
    for name in ("hw1", "hw2"):
        run("grade", tmp_path / "class", "--assignment", name)
        if name == "hw1":
            capsys.readouterr()
            assert run("term") == 0
            assert "1 of 3 assignments; none is dropped yet" in capsys.readouterr().out
        reason = ("--reason", "appeal", "--by", "Turing")
        run("override", "001", "square", 4, *reason)
    capsys.readouterr()
    assert run("term") == 0
    said = capsys.readouterr()
    assert "not marked yet, and not counted: hw3" in said.err
    assert "2 students, 2 of 3 assignments, the lowest 1 of each dropped" in said.out
    with (tmp_path / "r" / "term.csv").open(encoding="utf-8", newline="") as stream:
        table = {row["id"]: row for row in csv.DictReader(stream)}
    assert table["'001"]["mark"] == "4.0"
    assert (table["'001"]["max_points"], table["'001"]["share"]) == ("4.0", "1.0")
    assert (table["'001"]["dropped"], table["'=2"]["dropped"]) == ("hw1", "hw1")
    assert table["'001"]["assignment:hw1"] == "4.0"
    assert run("term", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["students"][0]["assignments"]["hw1"]["dropped"] is True

    run("grade", tmp_path / "class", "--assignment", "hw3", "--phase", "public")
    capsys.readouterr()
    assert run("term") == 2
    assert "marks of the phases feedback, public; choose with --phase" in capsys.readouterr().err
    assert run("term", "--phase", "feedback") == 0
    main(["assignments", "--tasks", str(tasks), "--reference", str(tasks.parent / "reference")])
    assert "mark of the term: hw1, hw2, hw3, without the lowest 1" in capsys.readouterr().out
    (tasks / "term.yaml").write_text(TOTAL.replace("hw3", "hw4"))
    assert run("term") == 2
    assert "no assignment is called 'hw4' (did you mean 'hw3'?)" in capsys.readouterr().err
