"""Autograders: made from a course, run in folders laid out as the platforms' are."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness.autograders import on_gradescope
from harness.cli import main
from harness.isolation import cgroup
from tests.support import limited, twelve
from tests.support.gradescope_format import validate

DETACHED = "def weighted_sum(x, w):\n    return (x * w.detach()).sum(dim=1)\n"
#: A line of the solution that must not leave the course.
KEPT = b"# nobody but the course reads this line"
MET = {
    "CLASSROOM": "c",
    "ASSIGNMENT": "hw1",
    "SUBMISSION_TAG": "submit/2026-10-19T21-00-00Z-a1b2c3d",
    "COMMIT_URL": "https://example.org/commit/1",
    "RELEASE_URL": "https://example.org/release/1",
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with one task and the assignment hw1."""
    folder = tmp_path_factory.mktemp("course")
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert main(["new", "weighted-sum", "--title", "Weighted sums"]) == 0
        (folder / "tasks" / "assignments").mkdir()
        (folder / "tasks" / "assignments" / "hw1.yaml").write_text(twelve.ASSIGNMENT)
        with (folder / "reference" / "weighted-sum" / "solution.py").open("ab") as stream:
            stream.write(KEPT + b"\n")
        assert main(["verify", "weighted-sum", "--store"]) == 0
        assert main(["gradescope", "hw1"]) == 0
        assert main(["classroom50", "hw1", "--to", "bundle"]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def autograder(course, tmp_path):
    """A folder laid out as /autograder, nothing handed in yet."""
    folder = tmp_path / "autograder"
    with zipfile.ZipFile(course / "autograder.zip") as archive:
        archive.extractall(folder / "source")
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
    assert modes["setup.sh"] & 0o111 and modes["run_autograder"] & 0o111
    shutil.copy(folder / "source" / "run_autograder", folder)
    (folder / "run_autograder").chmod(0o755)
    (folder / "submission").mkdir()
    (folder / "results").mkdir()
    return folder


def surroundings(folder):
    """The environment in which an autograder runs."""
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
    return {"PATH": path, "HOME": str(folder)}


def marked(folder, program, created="", **more):
    """results.json of a program that is handed in, with more of Gradescope's metadata."""
    (folder / "submission" / "weighted_sum.py").write_text(program)
    if created:
        metadata = {"id": 7, "created_at": created, "previous_submissions": [], **more}
        (folder / "submission_metadata.json").write_text(json.dumps(metadata))
    done = subprocess.run(
        ["./run_autograder"],
        cwd=folder,
        env=surroundings(folder),
        capture_output=True,
        check=False,
    )
    document = json.loads((folder / "results" / "results.json").read_text())
    assert validate(document) == []
    return done.returncode, document


def test_gradescope_gets_a_mark_with_its_lateness(autograder):
    code, document = marked(autograder, DETACHED, "2026-10-20T10:22:32.365935-07:00")
    assert code == 0
    assert document["score"] == pytest.approx(5.25)
    scores = {test["name"]: test["score"] for test in document["tests"]}
    assert scores == {
        "weighted-sum/value": 5.0,
        "weighted-sum/gradient": 0.0,
        "weighted-sum/example": 1.25,
        "late: late": -1.0,
    }
    (gradient,) = [test for test in document["tests"] if test["name"].endswith("gradient")]
    assert "Hint: No gradient reaches the weights" in gradient["output"]
    assert document["execution_time"] > 0
    assert document["extra_data"]["provisional"]
    assert document["leaderboard"] == [{"name": "points", "value": 6.25, "order": "desc"}]


def test_an_extension_that_was_given_on_gradescope_counts_from_the_later_date(autograder):
    """What cannot be parsed costs no sandbox; a day late would cost a tenth."""
    usual = {"due_date": "2026-10-19T23:59:00.000000+02:00", "late_due_date": None}
    own = {**usual, "due_date": "2026-10-22T12:00:00.000000+02:00"}
    users = [{"id": 1, "email": "a@example.org", "assignment": own}]
    created = "2026-10-22T11:00:00.000000+02:00"
    broken = "def weighted_sum(:\n"
    code, document = marked(autograder, broken, created, assignment=usual, users=users)
    assert code == 0
    assert not [test for test in document["tests"] if test["name"].startswith("late")]
    users[0]["assignment"] = usual
    _, document = marked(autograder, broken, created, assignment=usual, users=users)
    (late,) = [test for test in document["tests"] if test["name"].startswith("late")]
    assert "3 days late" in late["output"]


def test_an_autograder_can_be_tried_before_the_release(autograder):
    code, document = marked(autograder, "def weighted_sum(:\n", "2026-10-01T12:00:00.0+02:00")
    assert (code, document["score"]) == (0, 0)
    assert "autograder broke" not in document["output"]


@pytest.mark.parametrize("text", ["{", "{}", '{"created_at": "yesterday"}'])
def test_metadata_that_cannot_be_read_is_no_mark(autograder, capsys, text):
    (autograder / "submission_metadata.json").write_text(text)
    assert on_gradescope.main([str(autograder), "hw1"]) == 1
    document = json.loads((autograder / "results" / "results.json").read_text())
    assert document["score"] == 0 and "no fault of the submission" in document["output"]
    assert "Error: " in capsys.readouterr().out


def test_without_metadata_nothing_is_late_and_a_container_of_768_mb_suffices(autograder):
    """Memory of all processes together, page cache included, and half a core."""
    if not cgroup.available():
        code, document = marked(autograder, twelve.RIGHT)
        assert (code, document["score"]) == (0, 10.0)
        return
    (autograder / "submission" / "weighted_sum.py").write_text(twelve.RIGHT)
    ended = limited.run(
        ["./run_autograder"],
        cwd=autograder,
        environment=surroundings(autograder),
        mib=768,
        cores=0.5,
        log=autograder / "log",
    )
    document = json.loads((autograder / "results" / "results.json").read_text())
    assert (ended.code, document["score"]) == (0, 10.0), ended.output
    assert not ended.killed
    assert 100 < ended.own_mib < ended.with_files_mib < 768


def test_a_key_of_the_course_marks_where_the_image_has_its_password(
    course, autograder, monkeypatch
):
    """The archive holds it encrypted; what cannot be parsed costs no sandbox."""
    key, password = autograder / "k", "correct horse battery staple"
    key.write_text("5eed" * 16 + "\n")
    (autograder / "p").write_text(password)
    monkeypatch.chdir(course)
    archive = autograder / "sealed.zip"
    words = ["--to", str(archive), "--key-file", str(key), "--key-password", str(autograder / "p")]
    assert main(["gradescope", "hw1", *words]) == 0
    with zipfile.ZipFile(archive) as packed:
        assert "key.sealed" in packed.namelist()
        assert not [name for name in packed.namelist() if b"5eed5eed" in packed.read(name)]
        packed.extract("key.sealed", autograder / "source")
    (autograder / "key-password").write_text(password)
    code, document = marked(autograder, "def weighted_sum(:\n")
    assert (code, document["score"]) == (0, 0)
    extra = document["extra_data"]
    assert extra["phase"] == "feedback" and extra["provisional"]
    assert extra["key_sha256"] == hashlib.sha256(bytes.fromhex("5eed" * 16)).hexdigest()


def test_a_run_that_breaks_is_no_mark(autograder):
    shutil.rmtree(autograder / "source" / "reference")
    (autograder / "source" / "tasks" / "weighted-sum" / "measure.py").write_text("def (:\n")
    code, document = marked(autograder, twelve.RIGHT)
    assert code == 1
    assert document["score"] == 0
    assert "no fault of the submission" in document["output"]


def test_results_are_there_before_anything_is_decided(autograder, monkeypatch):
    """A run that the platform ends keeps what it has."""
    seen = []

    def ended(source, words, results, meanwhile, phase):
        seen.append(json.loads((autograder / "results" / "results.json").read_text()))
        own = results / "submissions" / "submission"
        own.mkdir(parents=True)
        (own / "gradescope.json").write_text('{"score": 5.0, "output": "so far", "tests": []}')
        meanwhile()
        seen.append(json.loads((autograder / "results" / "results.json").read_text()))
        return on_gradescope.running.Ended(False, "killed", 1.0)

    monkeypatch.setattr(on_gradescope.running, "grade", ended)
    assert on_gradescope.main([str(autograder), "hw1"]) == 1
    last = json.loads((autograder / "results" / "results.json").read_text())
    assert [document["score"] for document in (*seen, last)] == [0, 5, 5]
    assert "has begun" in seen[0]["output"] and "so far" in seen[1]["output"]
    assert "ended before all was decided" in last["output"]


def test_submitted_code_reads_no_reference(autograder):
    """The references lie beside the submission; what runs it keeps them out of reach."""
    spy = (
        "def weighted_sum(x, w):\n"
        f"    source = {str(autograder / 'source')!r}\n"
        "    text = open(source + '/reference/weighted-sum/solution.py').read()\n"
        "    raise ValueError(f'read {len(text)}')\n"
    )
    _, document = marked(autograder, spy)
    level = document["extra_data"]["isolation"]
    if level.startswith("L1"):
        pytest.skip("at level L1 the files of the machine can be read; every row says so")
    said = " ".join(test.get("output", "") for test in document["tests"])
    assert "read " not in said and "Error" in said


def test_classroom50_gets_whole_numbers_of_what_it_can_mark(course, tmp_path):
    (tmp_path / "weighted_sum.py").write_text(DETACHED)
    command = [sys.executable, str(course / "bundle" / "autograder.py")]
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(tmp_path), **MET}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["schema"] == "classroom50/result/v1"
    assert result["submission"] == MET["SUBMISSION_TAG"] and result["review"] == MET["COMMIT_URL"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", result["datetime"])
    by_name = {test["test-name"]: test for test in result["tests"]}
    assert by_name["weighted-sum/example"]["score"] == result["score"] == 125
    assert result["max-score"] == 125 == sum(test["max-score"] for test in result["tests"])
    assert all(isinstance(test["score"], int) for test in result["tests"])
    assert by_name["weighted-sum/gradient"]["message"].startswith("No gradient reaches the weights")
    assert "8.75 points are marked by your course" in (tmp_path / "release-body.md").read_text()


def test_a_bundle_that_is_published_holds_no_reference(course):
    bundle = course / "bundle"
    names = {str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file()}
    assert "autograder.py" in names and "tasks/assignments/hw1.yaml" in names
    assert not any(name.startswith("reference") for name in names)
    assert not [name for name in names if KEPT in (bundle / name).read_bytes()]
    with zipfile.ZipFile(course / "autograder.zip") as archive:
        holding = [name for name in archive.namelist() if KEPT in archive.read(name)]
    assert holding == ["reference/weighted-sum/solution.py"]


@pytest.mark.parametrize("verb", ["gradescope", "classroom50"])
@pytest.mark.parametrize(
    ("assignment", "told"),
    [("hw2", "hw2"), ("all", "no assignment of its own"), ("grouped", "handed in by groups")],
)
def test_what_cannot_be_marked_there_is_refused(
    course, monkeypatch, capsys, verb, assignment, told
):
    monkeypatch.chdir(course)
    grouped = twelve.ASSIGNMENT.replace("hw1", "grouped") + "groups: true\n"
    (course / "tasks" / "assignments" / "grouped.yaml").write_text(grouped)
    try:
        assert main([verb, assignment, "--to", "elsewhere"]) == 2
    finally:
        (course / "tasks" / "assignments" / "grouped.yaml").unlink()
    assert told in capsys.readouterr().err
    assert not (course / "elsewhere").exists()


def test_an_archive_that_is_there_is_not_written_over(course, monkeypatch, capsys):
    monkeypatch.chdir(course)
    before = (course / "autograder.zip").read_bytes()
    assert main(["gradescope", "hw1"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["gradescope", "hw1", "--to", "again.zip"]) == 0
    assert (course / "again.zip").read_bytes() == before
