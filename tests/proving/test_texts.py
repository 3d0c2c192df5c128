"""What `verify` asks of the texts of a task: each rule broken, at its place and with its remedy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.proving.examination import Examined, examined
from harness.spec.load import load_task

COURSE = Path(__file__).parents[1] / "course"
Edit = Callable[[str, str, str], Examined]


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    """Replaces a text of a file of the fixture course, and examines that task."""
    shutil.copytree(COURSE, tmp_path / "course")

    def edited(name: str, old: str, new: str) -> Examined:
        path = tmp_path / "course" / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        task = path.relative_to(tmp_path / "course").parts[1]
        folders = (tmp_path / "course" / kind / task for kind in ("tasks", "reference"))
        return examined(load_task(*folders))

    return edited


@pytest.mark.parametrize("task", ["square", "noise", "walk"])
def test_the_fixture_course_keeps_every_rule(task: str) -> None:
    found = examined(load_task(COURSE / "tasks" / task, COURSE / "reference" / task))
    assert found == Examined()


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            *("tasks/square/README.md", "where-your-code-runs.md", "elsewhere.md"),
            "README.md:1:1: no link to the page that says where a program runs (write [where your",
        ),
        (
            *("tasks/square/README.md", "S1: A lecture", "see S1, S4: Another"),
            "README.md:13:1: the statement does not say which lecture S1 is (write S1: and its",
        ),
        (
            *("tasks/square/README.md", "S1: A lecture on squares.", ""),
            "README.md:1:1: the statement does not say which lecture S1 is",
        ),
        (
            *("tasks/square/README.md", "| slope | 1 |", "| slope | 2 |"),
            "README.md:10:1: slope has 2 points here, in task.yaml 1 (write | slope | 1 |",
        ),
        (
            *("tasks/square/README.md", "| slope | 1 |", "| slope | one |"),
            "README.md:10:1: slope has one points here",
        ),
        (
            *("tasks/square/README.md", "| slope | 1 | its gradient |\n", ""),
            "README.md:1:1: no row of a table shows check slope (add | slope | 1 |",
        ),
        (
            *("tasks/walk/README.md", "`predict(x)`", "predict(x)"),
            "README.md:1:1: the statement does not name predict, which has to be written (say",
        ),
        (
            *("tasks/square/starter.py", "raise NotImplementedError", "return x * x"),
            "the starter does not leave square open (write raise NotImplementedError)",
        ),
        (
            *("tasks/square/measure.py", "student.total(", "(lambda x: x.sum(1))("),
            "no measurement calls total (measure it, or leave it out of the starter)",
        ),
    ],
)
def test_a_text_that_breaks_a_rule_is_a_complaint_with_its_place(
    edit: Edit, name: str, old: str, new: str, said: str
) -> None:
    complaints = edit(name, old, new).complaints
    assert any(said in each for each in complaints), complaints


def test_a_method_that_nobody_calls_is_named_where_it_stands(edit: Edit) -> None:
    more = "\n    def spare(self) -> int:\n        raise NotImplementedError\n\n\ndef minimise("
    complaints = edit("tasks/walk/starter.py", "\n\ndef minimise(", more).complaints
    assert any("no measurement calls Line.spare" in each for each in complaints), complaints
    (place,) = (each for each in complaints if "calls Line.spare" in each)
    assert "starter.py:21:5: " in place


def test_a_hint_that_quotes_the_solution_is_a_complaint_at_its_line(edit: Edit) -> None:
    path = COURSE / "reference" / "square" / "mistakes.yaml"
    text = path.read_text(encoding="utf-8")
    quoted = """\
  - name: quoting
    check: value
    hint: You wrote x**2 where something else was asked for.
    find: x**2
    replace: x
"""
    complaints = edit("reference/square/mistakes.yaml", text, text + quoted).complaints
    line = text.count("\n") + 3
    assert any(
        f"mistakes.yaml:{line}:" in each and "the hint of quoting quotes the mistake" in each
        for each in complaints
    ), complaints


def test_a_domain_that_the_statement_does_not_show_is_a_complaint(edit: Edit) -> None:
    domain = "measurements:"
    new = "domain:\n  sizes:\n    b: {most: 40}\n    k: {most: 5}\nmeasurements:"
    (first, *_) = (
        each for each in edit("tasks/square/task.yaml", domain, new).complaints if "README" in each
    )
    assert "the place of the domain is not marked" in first
    mark = "# Squares\n\n<!-- domain -->\n<!-- /domain -->\n"
    complaints = edit("tasks/square/README.md", "# Squares\n", mark).complaints
    assert any(
        "the domain or the worked example is not that of the task (run: nox -s statement" in each
        for each in complaints
    ), complaints
