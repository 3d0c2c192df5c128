"""All there is about one mark: for whoever runs the course, and for the student who doubts it."""

from __future__ import annotations

import json
import shlex
import shutil

import pytest

from harness.classroom.roster import Roster, Student
from harness.cli import main
from harness.ledger import Ledger
from tests.support.console import without_digests
from tests.support.made_up import COURSE, KEY, PLACES, PUBLIC, SECRET, Handed, printed, results

CLASS = {
    "ada": Handed(),
    "bob": Handed(right=("slope", "sum")),
    "cleo": Handed(right=("value", "slope")),
    "dan": Handed(breaks=("exception", "ModuleNotFoundError: cv2"), loading=True),
    "eve": Handed(breaks=("exception", SECRET)),
    "hal": Handed(ours=True),
}

HOMEWORK = "id: homework\ntitle: Squares\ntasks: [{id: square, points: 7}]\ngroups: true\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return results(tmp_path_factory.mktemp("class") / "r", CLASS)


@pytest.fixture
def said(folder, capsys):
    return printed("explain", folder, capsys)


def told(said, *words):
    document = json.loads(said(*words, "--json"))
    return document, {each["id"]: each for each in document["checks"]}


def test_mark_evidence_rate_and_trials_are_there(said):
    document, checks = told(said, "bob", "square")
    assert (document["points"], document["max_points"]) == (0.0, 3.5)
    value = checks["value"]
    assert (value["status"], value["cause"], value["kind"]) == ("FAIL", "wrong", "exact")
    assert value["evidence"]["got"] == 2.0
    assert value["evidence"]["wanted"] == 1.0
    assert value["error_rate"]["fails"] == 0
    (trial,) = value["trials"]
    assert (trial["measurement"], trial["stage"], trial["isolation"]) == ("values", 1, "L3")
    assert trial["common"]
    assert len(trial["observations"]) == 1
    assert checks["slope"]["status"] == "SKIPPED"
    text = said("bob", "square")
    for words in ("bob: square (Squares), 0 of 3.5 points", "got 2; wanted 1", KEY.commitment):
        assert words in text


def test_the_commands_that_repeat_a_mark_work(said, capsys):
    document, _ = told(said, "bob", "square")
    command = shlex.split(document["repeat"][0]["command"])
    assert command[:2] == ["fairmark", "replay"]
    assert main(command[1:]) == 0
    assert capsys.readouterr().out.strip() == "identical"
    assert document["repeat"][1]["command"] == document["repeat"][0]["command"] + " --rerun"


def test_one_check_can_be_asked_for(said):
    _, checks = told(said, "cleo", "square/sum")
    assert list(checks) == ["sum"]


def test_what_a_program_said_on_a_marked_instance_is_for_the_instructor_alone(said):
    assert SECRET in said("eve", "square")
    assert SECRET in said("eve", "square", "--json")


# ------------------------------------------------------------------ for the student


@pytest.mark.parametrize("name", CLASS)
def test_a_student_is_told_no_evidence_and_no_trial(said, name):
    document, checks = told(said, name, "square", "--for-student")
    assert document["for"] == "student"
    for check in checks.values():
        assert set(check) <= {
            *("id", "status", "cause", "points", "max_points", "visibility"),
            *("said", "error_rate"),
        }
    text = said(name, "square", "--for-student")
    for words in ("Evidence", "Trial:", "no disk", "--rerun", "fairmark replay"):
        assert words not in text


def test_a_hidden_check_says_nothing_to_a_student(said):
    _, checks = told(said, "cleo", "square", "--for-student")
    assert checks["sum"] == {
        "id": "sum", "status": "FAIL", "cause": "wrong", "points": 0.0, "max_points": 0.5,
        "visibility": "hidden",
        "said": [
            {"label": "Result", "text": "The check decided against the program.", "code": False}
        ],
    }  # fmt: skip
    _, instructor = told(said, "cleo", "square")
    assert instructor["sum"]["evidence"]
    assert instructor["sum"]["error_rate"]
    text = said("cleo", "square", "--for-student")
    assert "- value, slope: chance has no part" in text


def test_what_a_program_says_is_told_of_the_public_example_alone(said):
    text = said("eve", "square", "--for-student") + said("eve", "square", "--for-student", "--json")
    assert PUBLIC in text
    assert SECRET not in text


def test_a_student_is_told_no_more_than_the_phase_allows(tmp_path, said, capsys):
    shutil.copytree(COURSE, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    homework = tmp_path / "course" / "tasks" / "assignments" / "homework.yaml"
    places = [f"--{name}={tmp_path / 'course' / name}" for name in ("tasks", "reference")]
    where = results(tmp_path / "r", {"bob": CLASS["bob"]}, assignment="homework")
    asked = ["explain", "bob", "square", *places, "--results", str(where)]
    for tells, labels in (("examples", ["Result", "Note"]), ("marks", ["Result"])):
        text = HOMEWORK.replace("groups: true", f"tells: {{feedback: {tells}}}")
        homework.write_text(text)
        assert main([*asked, "--for-student", "--json"]) == 0
        value = json.loads(capsys.readouterr().out)["checks"][0]
        assert [line["label"] for line in value["said"]] == labels
        assert main([*asked, "--json"]) == 0
        value = json.loads(capsys.readouterr().out)["checks"][0]
        assert [line["label"] for line in value["said"]] == ["Result", "Note"]


def test_a_student_is_told_which_file_was_marked(said):
    document, _ = told(said, "ada", "square", "--for-student")
    (file,) = document["files"]
    assert file["name"] == "square.py"
    assert file["sha256"] in said("ada", "square", "--for-student")
    assert "sha256sum square.py" in said("ada", "square", "--for-student")


# ------------------------------------------------------------------ one block, names, refusals


def test_a_file_that_could_not_be_loaded_is_one_block(said):
    text = said("dan", "square")
    assert text.count("ModuleNotFoundError: cv2") == 1
    assert "none of its 3 checks was run (3.5 points): ERROR (exception)" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("clea", "square"), "nobody in this record has the id 'clea'; did you mean 'cleo'?"),
        (("zzz", "square"), "there are: ada, bob, cleo, dan, eve, hal"),
        (("ada", "sqare"), "ada has no marks of a task 'sqare'; did you mean 'square'?"),
        (("ada", "square/valu"), "square has no check 'valu'; did you mean 'value'?"),
    ],
)
def test_unknown_names_are_answered_with_the_ones_that_were_meant(folder, capsys, words, message):
    assert main(["explain", *words, *PLACES, "--results", str(folder)]) == 2
    assert message in capsys.readouterr().err


def test_a_group_has_one_submission_and_each_of_its_members_a_mark(tmp_path, capsys):
    shutil.copytree(COURSE, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "course" / "tasks" / "assignments" / "homework.yaml").write_text(HOMEWORK)
    places = [f"--{name}={tmp_path / 'course' / name}" for name in ("tasks", "reference")]
    where = results(tmp_path / "r", {"g1": Handed(right=("value",))}, assignment="homework")
    students = {name: Student(name, f"P {name}", group="g1") for name in ("ada", "bob")}
    with Ledger(where / "ledger.sqlite", "roster") as ledger:
        ledger.put_documents(Roster(tmp_path / "roster.csv", students, by_group=True).documents())

    def explain(*words):
        code = main(["explain", *words, *places, "--results", str(where)])
        out, err = capsys.readouterr()
        return code, out + err

    code, text = explain("ada", "square")
    assert code == 0
    assert "ada (handed in as g1): square (Squares)" in text
    assert "--assignment homework" in text
    assert "--submission g1" in text
    code, text = explain("g1", "square")
    assert "ada, bob (handed in as g1)" in text
    code, text = explain("g1", "square", "--for-student")
    assert code == 2
    assert "handed in by ada, bob" in text
    code, text = explain("bob", "square", "--for-student")
    assert code == 0
    assert "ada" not in without_digests(text)


def test_overrides_stand_beside_the_mark(tmp_path, capsys, said):
    where = results(tmp_path / "r", {"bob": Handed(right=("slope", "sum"))})
    words = ("bob", "square/value", "1", "--reason", "ambiguous", "--by", "Turing")
    assert main(["override", *words, *PLACES, "--results", str(where)]) == 0
    capsys.readouterr()
    for more in ((), ("--for-student",)):
        text = said("bob", "square", *more, where=where)
        assert "1 = 0 computed + 1 by override" in text
        assert "given by Turing: ambiguous" in text
