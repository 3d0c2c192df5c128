"""Documented commands are run, as they stand in a page, on a course and a class in a folder.

What stands for a value in a page (``PATH``, ``NAME``) is filled in; nothing else is changed. What
the class handed in cannot be parsed, so that nothing has to be run in a sandbox and all of it takes
seconds; the marks come from an override. Commands of docs/walkthrough.md are run by
tests/classroom/test_walkthrough.py. Each other one stands here: run, or left out with a reason.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.cli import main
from tests.support.platforms import (
    CANVAS,
    CANVAS_API,
    GRADESCOPE_SCORES,
    MOODLE,
    canvas_download,
    gradescope_download,
    moodle_download,
)
from tests.test_documented_commands import COMMANDS, words

COURSE = Path(__file__).parent / "course"
BROKEN = b"x = (\n"
HW1 = """
id: hw1
title: Homework 1
tasks: [{id: square, points: 7}]
due: 2026-10-19 23:59 Europe/Berlin
late: {per_day: 10%}
"""
TERM = "total: {assignments: [hw1]}\n"


@dataclass(frozen=True)
class Run:
    """A documented command that is run.

    Attributes:
        command: its words, as tests/test_documented_commands.py reads them.
        values: a word of it -> what it stands for here.
        more: words that are added: another folder of results, say.
        code: its exit code; 1 of ``grade``, where something does not pass.
        writes: a file that it writes, and a text that stands in it.
        prints: what it prints.
    """

    command: str
    values: dict[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = ()
    code: int = 0
    writes: tuple[str, str] = ("", "")
    prints: str = ""


BOARD = ("results/leaderboard.csv", "P-")
CANVAS_PATH = {"PATH": "canvas"}
MARKED = {"ID": "00123", "TASK/CHECK": "square/value"}
#: In this order: what one writes another reads.
RUN = (
    Run("assignments NAME", {"NAME": "hw1"}, prints="due 2026-10-19 23:59 +02:00"),
    Run("targets --list", prints=""),
    Run("handout DIR --assignment NAME", {"DIR": "given", "NAME": "hw1"},
        writes=("given/README.md", "due 2026-10-19 23:59 +02:00")),
    Run("gradescope hw1", writes=("autograder.zip", "")),
    Run("gradescope hw1 --key-file k --key-password P", more=("--to", "sealed.zip"),
        writes=("sealed.zip", "")),
    Run("classroom50 hw1 --to CLASSROOM/autograders/hw1",
        writes=("CLASSROOM/autograders/hw1/autograder.py", "")),
    Run("import canvas PATH --to DIR --table gradebook.csv --submissions list.json", CANVAS_PATH,
        writes=("DIR/times.csv", "2026-10-19 21:50:30 +00:00,doejane_12345")),
    Run("import moodle PATH --to DIR --table Grades.csv --zone Europe/Berlin",
        {"PATH": "moodle", "DIR": "of-moodle"},
        writes=("of-moodle/times.csv", "2026-10-21 12:00 +02:00,Richard Roe_902")),
    Run("import PATH --to DIR", {"PATH": "gradescope", "DIR": "of-gradescope"},
        writes=("of-gradescope/roster.csv", "submission_12345")),
    Run("grade PATH --assignment hw1 --roster DIR/roster.csv --times DIR/times.csv", CANVAS_PATH,
        code=1, writes=BOARD),
    Run("override ID TASK/CHECK 5 --reason the statement was ambiguous --by A. Turing",
        {**MARKED, "5": "2"}, prints="mark of the whole: 2 = 0 computed + 2 by override, of 7"),
    Run("explain ID TASK/CHECK", MARKED, prints="given by A. Turing: the statement was ambiguous"),
    Run("export canvas gradebook.csv --to filled.csv --column Homework 1",
        {"Homework 1": "Squares"}, code=1,  # who is excused there is listed
        writes=("filled.csv", ',"likes ""x, y""",2,8.50,')),
    Run("export moodle Grades.csv --to filled.csv --comments", {"filled.csv": "moodle.csv"}, code=1,
        writes=("moodle.csv", "Submitted for grading - ,2,7.00,Yes")),
    Run("export feedback-zip DOWNLOAD_OR_WORKSHEET --to feedback.zip",
        {"DOWNLOAD_OR_WORKSHEET": "canvas"}, code=1, writes=("feedback.zip", "")),
    Run("term --phase final", {"final": "feedback"}, writes=("results/term.csv", "'00123,")),
    Run("override ID TASK/CHECK --withdraw --reason settled otherwise --by A. Turing", MARKED,
        prints="mark of the whole: 0"),
    Run("grade PATH --assignment NAME", {**CANVAS_PATH, "NAME": "hw1"}, code=1, writes=BOARD),
    Run("grade PATH", CANVAS_PATH, code=1, writes=BOARD),
    Run("grade PATH --task reparam-grad", {**CANVAS_PATH, "reparam-grad": "square"}, code=1,
        writes=BOARD),
    Run("grade --assignment all", code=1, writes=BOARD),
    Run("grade --assignment all --key-file release.key", code=1, writes=BOARD),
    Run("grade --phase final --key-file final.key", more=("--allow-insecure",), code=1,
        writes=("results/grades.json", '"phase": "final"')),
)  # fmt: skip

#: The others: why they are not run here. Of pages that are run elsewhere none is listed.
LEFT_OUT = {
    "VERB ID": "stands for all verbs",
    "bench --statistics": "minutes; tests/comparison runs its parts",
    "bench --task ID": "measures ratios of times, a minute on a quiet machine",
    "doctor --data DIR": "looks for files of images that are not in the repository; "
    "tests/images reads such files",
    "doctor --key-file final.key": "run by the walkthrough",
    "example TASK FILE": "tests/spec/test_example.py runs it: the small course has none",
    "example first file": "the same, of a handout's README",
    "grade --task first": "of a handout's README: tests/handout runs it there",
    "grade mine --task weighted-sum": "tests/test_new.py follows the tutorial",
    "export gradescope --to marks.zip": "tests/lms/test_lms_course.py runs it on an export",
    "new weighted-sum --title Weighted sums": "tests/test_new.py follows the tutorial",
    "schema --write": "writes into the checkout; tests/spec/test_schemas.py compares",
    "statement --write": "of all tasks; tests/test_new.py runs it for one",
    "statement weighted-sum --write": "tests/test_new.py follows the tutorial",
    "targets id": "trains the reference, minutes; tests/training makes stored runs",
    "targets id --curves 40": "trains, minutes; tests/training/test_curves.py runs it for one seed",
    "verify --keys 3 TASK": "runs every mistake under every key; tests/proving has its parts",
    "verify --mutate TASK": "the same of hundreds of mutants; tests/mutation has its parts",
    "verify TASK --mutate": "the same of hundreds of mutants; tests/mutation has its parts",
    "verify id": "tests/test_new.py follows the tutorial",
    "verify id --store": "tests/test_new.py follows the tutorial",
    "verify weighted-sum": "tests/test_new.py follows the tutorial",
    "verify weighted-sum --store": "tests/test_new.py follows the tutorial",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A course of one task, what three platforms export of its class, and keys."""
    here = tmp_path_factory.mktemp("course")
    for part in ("tasks", "reference"):
        shutil.copytree(COURSE / part / "square", here / part / "square")
    (here / "tasks" / "assignments").mkdir()
    (here / "tasks" / "assignments" / "hw1.yaml").write_text(HW1)
    (here / "tasks" / "term.yaml").write_text(TERM)
    canvas_download(here / "canvas", BROKEN)
    moodle_download(here / "moodle", BROKEN)
    gradescope_download(here / "gradescope", BROKEN)
    shutil.copytree(here / "canvas", here / "submissions")
    (here / "gradebook.csv").write_text(CANVAS, encoding="utf-8")
    (here / "Grades.csv").write_bytes(MOODLE.encode())
    (here / "scores.csv").write_text(GRADESCOPE_SCORES, encoding="utf-8")
    (here / "list.json").write_text(CANVAS_API)
    for number, name in enumerate(("k", "final.key", "release.key")):
        (here / name).write_text(f"5eed000{number}" * 8 + "\n")
    (here / "P").write_text("a password of eight words or so\n")
    with chdir(here):
        yield here


def test_documented_commands_do_what_they_say(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One test, since what one command writes another reads."""
    as_documented = {" ".join(given): given for _, each in COMMANDS if (given := _words(each))}
    for run in RUN:
        given = [run.values.get(word, word) for word in as_documented[run.command]]
        assert run.values.keys() <= set(as_documented[run.command]), run.command
        code = main([*given, *run.more])
        said = capsys.readouterr()
        assert code == run.code, (run.command, said.err)
        name, text = run.writes
        assert text.encode() in (folder / (name or ".")).read_bytes() if name else not text, run
        assert run.prints in said.out, (run.command, said.out)
    with (folder / "results" / "leaderboard.csv").open(encoding="utf-8", newline="") as stream:
        shown = [row["submission"] for row in csv.DictReader(stream)]
    assert len(shown) == 4
    assert all(each.startswith("P-") for each in shown), shown


def test_every_documented_command_is_run_or_left_out_with_a_reason() -> None:
    documented = {
        " ".join(given)
        for page, command in COMMANDS
        if page.name != "walkthrough.md" and len(given := _words(command)) > 1
    }
    here = {run.command for run in RUN} | LEFT_OUT.keys()
    assert documented - here == set(), "run it here, or say why not"
    assert LEFT_OUT.keys() & {run.command for run in RUN} == set()
    assert here - documented == set(), "no page shows these any more"


def _words(command: str) -> list[str]:
    given = words(command)
    assert given is not None
    return given
