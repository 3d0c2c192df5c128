"""`counts: best`: every accepted attempt is marked, the best counts, and what luck that allows."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from harness.classroom.book import Book
from harness.cli import main
from harness.errors import SpecError
from harness.feasibility import misses, require_feasible
from harness.marking.gradebook import Gradebook, RunRecord, SubmissionGrade, TaskGrade
from harness.marking.trials import name_trial
from harness.records import Program, Step, Verdict
from harness.seeds import Key
from harness.spec.models import Assignment
from harness.spec.strict_yaml import load_text
from tests.support.console import without_digests
from tests.support.made_up import COURSE, TASKS

HEAD = "id: homework\ntitle: T\ntasks: [{id: square, points: 7}]\n"
BEST = "counts: best\nmax_submissions: 3\n"
LATE = "due: 2026-10-19 23:59 Z\nlate_until: 2026-10-24 23:59 Z\nlate: {per_day: 10%}\n"
SOLUTION = COURSE / "reference" / "square" / "solution.py"


def declared(more: str) -> Assignment:
    return load_text(HEAD + more, "hw.yaml", Assignment)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("counts: best\n", "needs `max_submissions`, at least 2"),
        ("counts: best\nmax_submissions: 1\n", "another chance to pass"),
        (BEST + LATE.replace("10%", "10%, late_days: 2"), "do not go together"),
    ],
)
def test_rules_that_contradict_the_best_are_refused(more: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        declared(more)


def test_all_attempts_of_a_student_have_the_same_instances_and_others_have_others() -> None:
    task, key = TASKS["noise"], Key("final", bytes(32))
    files = {"noise.py": b"x = 1\n"}
    first, second = (Program(f"ada/{at}", "submission", files, "ada") for at in (1, 2))
    alone, bob = (Program(name, "submission", files) for name in ("ada", "bob"))
    own = Step(2)
    digests = [
        name_trial(task, each, "draws", own, own.subject(each.owner), key).digest
        for each in (first, second, alone, bob)
    ]
    assert digests[0] == digests[1] == digests[2] != digests[3], "handing in again gains nothing"


def test_what_the_best_of_several_may_miss_is_budgeted() -> None:
    tasks = [TASKS["noise"]]
    one = misses(tasks, 1)
    assert one and misses(tasks, 3) == {place: 3 * beta for place, beta in one.items()}
    assert max(misses(tasks, 1000).values()) == 1
    worst = max(one.values())
    require_feasible(tasks, 1.0, beta=3 * worst, chances=3)
    with pytest.raises(
        SpecError, match=r"in one of 3 attempts .*\(lower max_submissions, or raise"
    ):
        require_feasible(tasks, 1.0, beta=2.9 * worst, chances=3)


def attempt(at: str, points: float | None) -> SubmissionGrade:
    status = "UNGRADABLE" if points is None else "FAIL"
    verdict = Verdict("ada", "square", "value", status, "wrong", points, 10.0, "visible")
    task = TaskGrade("square", "Squares", "exact", 10.0, (verdict,))
    submitted = f"2026-10-{at}T12:00:00+00:00"
    return SubmissionGrade(
        f"ada/{at}", "ada", "ab", "unverified", "L3", (task,), submitted=submitted,
        subject=f"ada/{at}", unit="ada",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("marks", "chosen", "mark"),
    [
        ({"17": 4.0, "18": 6.0, "19": 5.0}, "18", 6.0),
        ({"17": 6.0, "18": 6.0}, "17", 6.0),  # of equal ones the first
        ({"18": 6.0, "21": 7.0}, "18", 6.0),  # two days late, two points
        ({"18": 6.0, "21": 9.0}, "21", 7.0),
    ],
)
def test_the_best_is_the_highest_mark_with_what_lateness_takes(marks, chosen, mark) -> None:
    rows = tuple(attempt(at, points) for at, points in marks.items())
    book = Book(assignment=declared(BEST + LATE))
    run = RunRecord("homework", "final", "c" * 64, "0", "d" * 64, "")
    (row,) = book.finished(Gradebook(run, rows)).submissions
    assert (row.name, row.subject, row.mark) == ("ada", f"ada/{chosen}", mark)
    assert [each.counts for each in row.attempts] == [at == chosen for at in marks]
    assert f"Of {len(marks)} attempts the best counts" in row.problems[-1]


def test_a_mark_waits_while_another_attempt_may_be_better() -> None:
    rows = (attempt("17", 4.0), attempt("18", None))
    run = RunRecord("homework", "final", "c" * 64, "0", "d" * 64, "")
    (row,) = Book(assignment=declared(BEST + LATE)).finished(Gradebook(run, rows)).submissions
    assert (row.mark, row.provisional) == (4.0, True)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Three attempts of ada, of which the second cannot be read; bob handed in once."""
    root = tmp_path_factory.mktemp("best")
    shutil.copytree(COURSE, root / "course", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "course" / "tasks" / "assignments" / "homework.yaml").write_text(HEAD + BEST + LATE)
    solution = SOLUTION.read_text()
    for name, text in {"ada-1": solution, "ada-2": "def (", "ada-3": solution, "bob": "("}.items():
        (root / "class" / name).mkdir(parents=True)
        (root / "class" / name / "square.py").write_text(text)
    (root / "times.csv").write_text(
        "id,time,submission\nada,2026-10-17 12:00 Z,ada-1\nada,2026-10-18 12:00 Z,ada-2\n"
        "ada,2026-10-20 12:00 Z,ada-3\nbob,2026-10-18 12:00 Z,bob\n"
    )
    (root / "roster.csv").write_text("id,pseudonym\nada,Falcon\nbob,Heron\n")
    given = ("--times", str(root / "times.csv"), "--roster", str(root / "roster.csv"))
    run(root, "grade", str(root / "class"), "--assignment", "homework", "--jobs", "1", *given)
    return root


def run(root: Path, verb: str, *words: str) -> int:
    places = ["--tasks", str(root / "course" / "tasks")]
    places += ["--reference", str(root / "course" / "reference")]
    where = [] if verb in ("replay", "assignments") else ["--results", str(root / "results")]
    return main([verb, *words, *places, *where])


def marks(root: Path) -> dict[str, dict[str, str]]:
    with (root / "results" / "gradebook.csv").open(encoding="utf-8", newline="") as stream:
        return {row["id"]: row for row in csv.DictReader(stream)}


def test_a_class_has_one_row_a_student_and_the_others_are_told(graded, capsys) -> None:
    rows = marks(graded)
    assert list(rows) == ["ada", "bob"]
    ada = rows["ada"]
    assert (ada["submitted"][:10], ada["attempts"], ada["penalty"]) == ("2026-10-17", "3", "0.0")
    assert float(ada["mark"]) > 0
    board = without_digests((graded / "results" / "leaderboard.csv").read_text())
    assert board.count("Falcon") == 1 and "ada" not in board
    page = (graded / "results" / "submissions" / "ada" / "feedback.md").read_text()
    assert "Of 3 attempts the best counts" in page
    assert sorted(path.name for path in (graded / "results" / "submissions").iterdir()) == [
        *("ada", "bob"),
    ]
    assert run(graded, "explain", "ada", "square") == 0
    said = capsys.readouterr().out
    assert said.count("  attempt of 2026-10-") == 3 and said.count("; this one counts") == 1
    assert run(graded, "summary", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["submissions"] == 2
    assert [each["submission"] for each in summary["not_loaded"]] == ["bob"]
    assert run(graded, "replay", str(graded / "results"), "--submission", "ada") == 0
    assert capsys.readouterr().out.endswith("identical\n")


def test_a_run_with_a_part_of_the_attempts_keeps_the_others(graded, capsys) -> None:
    before = (graded / "results" / "grades.json").read_bytes()
    words = ("grade", str(graded / "class" / "ada-2"), "--assignment", "homework", "--jobs", "1")
    run(graded, *words)
    said = capsys.readouterr().err
    assert "ada: the attempt of 2026-10-17 12:00 +00:00 may be the best and is kept" in said
    assert "marks that change" not in said
    assert (graded / "results" / "grades.json").read_bytes() == before


def test_another_rule_takes_another_attempt_and_a_regrade_says_so(graded, capsys) -> None:
    path = graded / "course" / "tasks" / "assignments" / "homework.yaml"
    path.write_text((HEAD + BEST + LATE).replace("counts: best", "counts: last"))
    try:
        assert run(graded, "score", "--dry-run") in (0, 1)
    finally:
        path.write_text(HEAD + BEST + LATE)
    said = capsys.readouterr().err
    assert "-0.7 ada: late: 0 off -> 0.7 off" in said


def test_an_attempt_that_is_nowhere_is_asked_for(graded, tmp_path, capsys) -> None:
    times = tmp_path / "times.csv"
    times.write_text("id,time,submission\nada,2026-10-17 12:00 Z,\nada,2026-10-18 12:00 Z,ada-2\n")
    words = ("grade", str(graded / "class" / "ada-2"), "--assignment", "homework")
    places = ("--tasks", str(graded / "course" / "tasks"), "--times", str(times))
    places += ("--reference", str(graded / "course" / "reference"))
    assert main([*words, *places, "--results", str(tmp_path / "results")]) == 2
    said = capsys.readouterr().err
    assert "the attempt of 2026-10-17 12:00 +00:00 may be the best, and it is not among" in said


def test_what_has_no_time_does_not_take_the_place_of_earlier_attempts(graded, tmp_path, capsys):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "square.py").write_text("x = (")
    before = (graded / "results" / "grades.json").read_bytes()
    assert run(graded, "grade", str(tmp_path / "ada"), "--assignment", "homework") == 2
    assert "ada handed in before, and nothing says when ada came in" in capsys.readouterr().err
    assert (graded / "results" / "grades.json").read_bytes() == before


def test_the_assignment_says_what_luck_it_allows(graded, capsys) -> None:
    path = graded / "course" / "tasks" / "assignments" / "luck.yaml"
    path.write_text(HEAD.replace("homework", "luck").replace("square, points: 7", "noise") + BEST)
    try:
        assert run(graded, "assignments", "luck") == 0
        assert "passes a check in one of these attempts with probability at most 0.03" in (
            capsys.readouterr().out
        )
        path.write_text(path.read_text().replace("max_submissions: 3", "max_submissions: 6"))
        words = ("grade", str(graded / "class"), "--assignment", "luck")
        assert run(graded, *words) == 2
        assert "in one of 6 attempts with probability up to 0.06" in capsys.readouterr().err
    finally:
        path.unlink()
