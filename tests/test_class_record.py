"""The record of a class: a run updates it, keeps what it does not touch, and says what is stale."""

import contextlib
import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from harness import class_documents
from harness.class_record import FILES_CHANGED, TASK_CHANGED, TASK_GONE, ClassRecord, RecordName
from harness.cli import main
from harness.isolation import Isolation
from harness.ledger import Ledger
from harness.marking import plan
from harness.marking.round import Round
from harness.marking.subjects import Subject
from harness.marking.views import View
from harness.records import EXAMPLE, Observation, Program
from harness.seeds import Key
from harness.spec.catalogue import load_all
from harness.verbs.stored import compare_with_best

ROOT = Path(__file__).parents[1]
COURSE = Path(__file__).parent / "course"
KEY = Key("feedback", bytes(32))
TASKS = {task.id: task for task in load_all(COURSE / "tasks", COURSE / "reference")}
SQUARE = TASKS["square"]
METRICS = {"values": "value", "slopes": "slope", "sums": "sum"}
NAME = RecordName("", "feedback", KEY.commitment)


@pytest.fixture
def view(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite", "run") as ledger:
        yield View(KEY, ledger, isolation="L0")


def subject(name, content=b""):
    return Subject(Program(name, "submission", {"square.py": content or name.encode()}), name)


def graded(view, *subjects, task=SQUARE, wrong=()):
    """The last round of some subjects, their observations made up; those named ``wrong`` fail."""
    current = Round.first([task], subjects, view)
    while batch := plan.next_batch(current):
        for planned in (planned for job in batch for planned in job.trials):
            trial = planned.trial
            value = 2.5 if trial.program in wrong or trial.role == "mutant" else 2.0
            statistics = {
                METRICS[trial.measurement]: {"value": np.array([value]), "scale": np.ones(1)}
            }
            view.ledger.put(Observation(trial, "ok", statistics, circumstances={"isolation": "L2"}))
        current = current.next()
    return current


def changed(task):
    """The task after an edit of measure.py: its observations are another version's."""
    return replace(task, measure=task.measure + b"\n")


def row(record, name):
    (found,) = [row for row in record.rows() if row.name == name]
    return found


def test_what_is_written_is_read_back(view):
    ada, bob = subject("ada"), replace(subject("bob"), problems={"square.py": ("syntax", "line 1")})
    record = ClassRecord(NAME, "/k", "L2").updated(graded(view, ada, bob))
    class_documents.keep_files([ada, bob], view.ledger)
    class_documents.write(record, view.ledger, ["ada", "bob"])
    again = class_documents.read(view.ledger, NAME)
    assert again.newest == record.newest
    assert (again.key_file, again.isolation) == ("/k", "L2")
    assert again.rows() == record.rows()
    assert class_documents.names(view.ledger) == [NAME]


def test_a_run_replaces_what_it_grades_and_keeps_the_rest(view):
    first = ClassRecord(NAME).updated(graded(view, subject("ada"), subject("bob")))
    second = first.updated(graded(view, subject("bob", b"new"), wrong=("bob",)))
    assert row(second, "ada") == row(first, "ada")
    assert row(second, "bob").points < row(first, "bob").points


def test_a_subject_that_the_record_lost_is_removed_from_the_ledger(view):
    ada, bob = subject("ada"), subject("bob")
    record = ClassRecord(NAME).updated(graded(view, ada, bob))
    class_documents.keep_files([ada, bob], view.ledger)
    class_documents.write(record, view.ledger, ["ada", "bob"])
    class_documents.write(ClassRecord(NAME).updated(graded(view, bob)), view.ledger, ["bob"])
    assert list(class_documents.read(view.ledger, NAME).newest) == ["bob"]


def test_records_of_other_phases_stay(view):
    final = replace(NAME, phase="final")
    ada = subject("ada")
    class_documents.keep_files([ada], view.ledger)
    for name in (NAME, final):
        class_documents.write(ClassRecord(name).updated(graded(view, ada)), view.ledger, ["ada"])
    assert class_documents.names(view.ledger) == [NAME, final]
    class_documents.write(ClassRecord(NAME).updated(graded(view, ada)), view.ledger, ["ada"])
    assert class_documents.names(view.ledger) == [final, NAME]
    assert (
        class_documents.read(view.ledger, final).rows()
        == class_documents.read(view.ledger, NAME).rows()
    )


def test_marks_are_computed_again_from_what_is_stored(view):
    record = ClassRecord(NAME).updated(graded(view, subject("ada"), subject("bob"), wrong=["bob"]))
    assert record.recomputed(TASKS, view, {}, TASKS).rows() == record.rows()
    doubled = record.recomputed(TASKS, view, {"square": 2 * SQUARE.spec.points}, TASKS)
    assert row(doubled, "ada").points == 2 * row(record, "ada").points


def test_a_task_that_left_the_assignment_counts_nothing_and_is_kept(view):
    """Also where its points were others there; it counts again when the assignment has it again."""
    name = replace(NAME, assignment="homework")
    points = {"square": SQUARE.spec.points / 3}
    ada = subject("ada")
    class_documents.keep_files([ada], view.ledger)
    before = ClassRecord(name).updated(graded(view, ada)).recomputed(TASKS, view, points, TASKS)
    class_documents.write(before, view.ledger, ["ada"])
    left = before.recomputed(TASKS, view, {}, ["cube"])
    assert (row(left, "ada").tasks, row(left, "ada").points) == ((), 0)
    assert left.not_counted == {"square": 1}
    assert left.differing(before) == {"ada"}
    class_documents.write(left, view.ledger, ["ada"])
    stored = class_documents.read(view.ledger, name)
    assert stored.rows() == left.rows()
    assert stored.recomputed(TASKS, view, {}, ["cube"]).differing(stored) == set()
    back = stored.recomputed(TASKS, view, points, TASKS)
    assert back.rows() == before.rows()
    assert row(back, "ada").points == pytest.approx(SQUARE.spec.points / 3, abs=1e-4)


def test_without_an_assignment_every_task_of_the_record_counts(view):
    record = ClassRecord(NAME).updated(graded(view, subject("ada")))
    assert record.recomputed(TASKS, view, {}, ["cube"]).rows() == record.rows()


def test_what_is_about_to_be_graded_is_left_out(view):
    record = ClassRecord(NAME).updated(graded(view, subject("ada"), subject("bob")))
    again = record.recomputed(TASKS, view, {}, TASKS, [("ada", "square")])
    assert list(again.entries) == [("bob", "square")]
    assert list(again.newest) == ["ada", "bob"]


@pytest.mark.parametrize(
    ("tasks", "reason"),
    [({"square": changed(SQUARE)}, TASK_CHANGED), ({}, TASK_GONE)],
    ids=["changed", "gone"],
)
def test_marks_that_cannot_be_computed_again_stay_and_are_stale(view, tasks, reason):
    record = ClassRecord(NAME).updated(graded(view, subject("ada")))
    kept = row(record.recomputed(tasks, view, {}, TASKS), "ada")
    assert kept.points == row(record, "ada").points
    assert kept.tasks[0].verdicts == row(record, "ada").tasks[0].verdicts
    assert kept.tasks[0].stale == reason
    assert kept.stale == ("square",)


def test_marks_of_a_task_that_was_not_handed_in_anew_are_those_of_the_former_files(view):
    record = ClassRecord(NAME).updated(graded(view, subject("ada", b"old")))
    newest = replace(record, newest={"ada": Subject(Program("ada", "submission", {}), "ada")})
    kept = row(newest.recomputed(TASKS, view, {}, TASKS), "ada")
    assert kept.points == row(record, "ada").points
    assert kept.tasks[0].stale == FILES_CHANGED


def test_a_stale_mark_is_up_to_date_once_it_is_graded_again(view):
    edited = changed(SQUARE)
    record = ClassRecord(NAME).updated(graded(view, subject("ada")))
    stale = record.recomputed({"square": edited}, view, {}, TASKS)
    fresh = stale.updated(graded(view, subject("ada"), task=edited))
    assert row(fresh, "ada").stale == ()


def test_a_mark_that_waits_for_us_is_provisional_and_not_stale(view):
    waiting = Round.first([SQUARE], [subject("ada")], view)
    record = ClassRecord(NAME).updated(waiting)
    kept = row(record.recomputed(TASKS, view, {}, TASKS), "ada")
    assert kept.provisional
    assert not kept.stale


# ------------------------------------------------------------------ on the command line


PLACES = ("--tasks", "course/tasks", "--reference", "course/reference")


@dataclass(frozen=True)
class Done:
    """What a verb came to."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def harness_on(tmp_path_factory):
    """Runs a verb on a copy of the course that tests may change.

    In this process, since a process of its own imports for longer than it works here.
    """
    folder = tmp_path_factory.mktemp("class")
    shutil.copytree(COURSE, folder / "course", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("doe", "poe", "roe"):
        (folder / "class" / name).mkdir(parents=True)
        source = (COURSE / "reference" / "square" / "solution.py").read_bytes()
        wrong = b"\n\ndef square(x):\n    return x\n" if name == "poe" else b""
        (folder / "class" / name / "square.py").write_bytes(source + wrong)

    def run(*words, verb="grade", code=None):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(folder), redirect_stdout(out), redirect_stderr(err):
            done = main([verb, *words, *PLACES])
        assert code is None or done == code, err.getvalue()
        return Done(done, out.getvalue(), err.getvalue())

    run.folder = folder
    run("class", "--task", "square", "--results", "r")
    return run


def table(folder, name="grades.csv"):
    with (folder / "r" / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def files_below(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_one_student_again_keeps_the_class(harness_on):
    before, pages = table(harness_on.folder), files_below(harness_on.folder / "r" / "submissions")
    done = harness_on("class/poe", "--task", "square", "--results", "r")
    assert table(harness_on.folder) == before
    assert files_below(harness_on.folder / "r" / "submissions") == pages
    assert "of the class 2 more are in the reports" in done.stdout
    for verb, words in (("score", ("--results", "r")), ("report", ("--results", "r"))):
        harness_on(*words, verb=verb)
        assert table(harness_on.folder) == before
    assert harness_on("r", verb="replay", code=0).stdout.strip() == "identical"


def test_one_task_again_keeps_the_others(harness_on):
    before = table(harness_on.folder)
    harness_on("class/doe", "--task", "walk", "--results", "r")
    kept = [row for row in table(harness_on.folder) if row["task"] == "square"]
    assert kept == before
    done = harness_on("class/doe", "--task", "square", "--results", "r")
    head, row = done.stdout.splitlines()[:2]
    assert head.split() == ["rank", "submission", "points", "square", "isolation"]
    points = sum(float(row["points"]) for row in kept if row["submission"] == "doe")
    assert f"{points:g}/3.5 " in row, "those of the task alone"
    assert (
        "points here are those of square; with the marks that they had, 1 other task is in the "
        "reports\n" in done.stdout
    )
    assert {row["task"] for row in table(harness_on.folder) if row["submission"] == "doe"} == {
        "square",
        "walk",
    }


def test_prune_drops_what_is_not_graded(harness_on):
    folder = harness_on.folder
    shutil.copytree(folder / "r", folder / "pruned")
    harness_on("class/poe", "--task", "square", "--results", "pruned", "--prune")
    assert [path.name for path in (folder / "pruned" / "submissions").iterdir()] == ["poe"]
    with (folder / "pruned" / "leaderboard.csv").open(encoding="utf-8") as stream:
        assert [row["submission"] for row in csv.DictReader(stream)] == ["poe"]


def test_another_phase_says_what_the_tables_show_and_keeps_the_former_marks(harness_on):
    folder = harness_on.folder
    shutil.copytree(folder / "r", folder / "phases")
    (folder / "final.key").write_text("5e" * 32)
    final = ("--phase", "final", "--key-file", "final.key")
    done = harness_on("class/doe", "--task", "square", "--results", "phases", *final)
    assert "showed phase feedback" in done.stderr
    assert "report --phase feedback" in done.stderr
    harness_on("--results", "phases", "--phase", "feedback", verb="report")
    assert (folder / "phases" / "grades.csv").read_bytes() == (
        folder / "r" / "grades.csv"
    ).read_bytes()
    done = harness_on("--results", "phases", "--phase", "late", verb="score", code=2)
    assert "there are: phase feedback" in done.stderr


def test_replay_of_a_name_that_does_not_exist_suggests_the_nearest(harness_on):
    done = harness_on("r", "--submission", "po", verb="replay", code=2)
    assert "did you mean 'poe'?" in done.stderr
    done = harness_on("r", "--task", "squares", verb="replay", code=2)
    assert "did you mean 'square'?" in done.stderr
    harness_on("nowhere", verb="replay", code=2)
    assert not (harness_on.folder / "nowhere").exists()


def test_a_broken_task_blocks_only_what_needs_it(harness_on):
    folder = harness_on.folder
    broken = folder / "course" / "tasks" / "walk" / "task.yaml"
    text = broken.read_text()
    broken.write_text("id: [\n")
    try:
        before = table(folder)
        harness_on("class/poe", "--task", "square", "--results", "r")
        assert [row["stale"] for row in table(folder) if row["task"] == "square"] == [""] * len(
            [row for row in before if row["task"] == "square"]
        )
        assert {row["stale"] for row in table(folder) if row["task"] == "walk"} <= {TASK_GONE}
        harness_on("--results", "r", verb="score")
        for words in (("class",), ("class", "--task", "walk")):
            done = harness_on(*words, "--results", "r", code=2)
            assert "walk/task.yaml:2" in done.stderr
        assert "with --task" in harness_on("class", "--results", "r", code=2).stderr
        listed = harness_on(verb="list", code=2)
        assert "square" in listed.stdout
        assert "walk/task.yaml:2" in listed.stderr
    finally:
        broken.write_text(text)


def test_a_terminal_that_cannot_show_a_character_gets_an_escape(harness_on):
    done = subprocess.run(
        [sys.executable, "-m", "harness", "score", "--results", "r", *PLACES],
        cwd=harness_on.folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1)
    assert "\\u2713" in done.stdout


def test_falling_below_the_level_reached_before_is_said(tmp_path, capsys):
    weaker, stronger = Isolation("L1"), Isolation("L3")
    with Ledger(tmp_path / "ledger.sqlite", "run") as ledger:
        for isolation in (weaker, stronger):
            compare_with_best(ledger, isolation)
            assert capsys.readouterr().err == ""
        compare_with_best(ledger, weaker)
        assert "this machine reached L3" in capsys.readouterr().err
        compare_with_best(ledger, stronger)
        assert capsys.readouterr().err == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_as_an_interrupt_does(harness_on, number):
    folder = harness_on.folder
    (folder / "slow").mkdir(exist_ok=True)
    (folder / "slow" / "square.py").write_text("import time\n\ntime.sleep(60)\n")
    command = [
        # under nohup the tests, and what they start, would ignore SIGHUP
        *("env", f"--default-signal={number.name.removeprefix('SIG')}"),
        *(sys.executable, "-m", "harness", "grade", "slow", "--task", "square"),
        *("--results", f"s{number}", *PLACES),
    ]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        while "trials in" not in started.stderr.readline():
            assert started.poll() is None
        time.sleep(0.5)
        started.send_signal(number)
        assert started.wait(timeout=30) == 128 + number
        assert "run again to go on" in started.stderr.read()


def test_an_unfinished_run_leaves_the_record_as_it_was(harness_on):
    assert main(["score", "--results", str(harness_on.folder / "s15")]) == 2


# ------------------------------------------------------------------ nothing marked is shown


#: Programs that put what they were given into their message; the last one never gets that far.
TELLING = {
    "raises": "def square(x):\n    raise ValueError(f'value {x.ravel()[0].item()!r}')\n",
    "names": "def square(x):\n    raise type(f'V{hash(x.sum().item())}', (Exception,), {})()\n",
    "loads": "raise ValueError('at the start')\n",
}


@pytest.fixture(scope="module")
def told(harness_on):
    """The submissions of :data:`TELLING`, graded; what lies in their reports."""
    folder = harness_on.folder
    for name, source in TELLING.items():
        (folder / "telling" / name).mkdir(parents=True)
        text = (COURSE / "reference" / "square" / "solution.py").read_text(encoding="utf-8")
        (folder / "telling" / name / "square.py").write_text(f"{text}\n\n{source}")
    harness_on("telling", "--task", "square", "--results", "t")
    return folder / "t"


@pytest.mark.parametrize("name", TELLING)
def test_what_a_program_says_of_a_marked_instance_stays_with_the_grader(told, name):
    with Ledger(told / "ledger.sqlite", "test") as ledger:
        observations = [
            observation
            for trial in ledger.trials()
            if (observation := ledger.get(trial)) is not None
            and observation.trial.program == name
            and observation.outcome == "error"
        ]
    marked = {item.message for item in observations if item.trial.stage != EXAMPLE.stage}
    public = {item.message for item in observations if item.message_is_public}
    assert marked
    seen = [told / "grades.csv", told / "junit.xml", *(told / "submissions" / name).iterdir()]
    for path in seen:
        text = path.read_text(encoding="utf-8").replace("\\_", "_")
        assert not [message for message in marked - public if message in text], path
    # what it says on the public example is shown instead
    page = (told / "submissions" / name / "gradescope.json").read_text(encoding="utf-8")
    assert any(json.dumps(message)[1:-1] in page for message in public)


def test_the_grader_finds_what_was_withheld(told):
    grades = json.loads((told / "grades.json").read_text(encoding="utf-8"))
    (row,) = [row for row in grades["submissions"] if row["name"] == "raises"]
    assert "ValueError: value" in row["tasks"][0]["checks"][0]["evidence"]["withheld_message"]
