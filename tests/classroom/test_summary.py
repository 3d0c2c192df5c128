"""A class at a glance: what `summary` says of a made-up class, as text, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

import pytest

from harness.cli import main
from tests.support.made_up import COURSE, PLACES, SECRET, Handed, printed, results

SYNTAX = "square.py, line 1: invalid syntax"
CLASS = {
    "=ada": Handed(),
    "bob": Handed(right=("slope", "sum")),
    "cleo": Handed(right=("value",)),
    "dan": Handed(breaks=("exception", "ModuleNotFoundError: cv2"), loading=True),
    "eve": Handed(breaks=("exception", SECRET)),
    "fay": Handed(files=(), problems={"": ("missing-file", "nothing was submitted")}),
    "gus": Handed(files=(), problems={"square.py": ("syntax", SYNTAX)}),
    "hal": Handed(ours=True),
    "ida": Handed(
        files=(),
        problems={"square.py": ("missing-file", "square.py was not submitted; found sqare.py")},
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return results(tmp_path_factory.mktemp("class") / "r", CLASS)


@pytest.fixture
def said(folder, capsys):
    return printed("summary", folder, capsys)


@pytest.fixture
def document(said):
    return json.loads(said("--json"))


def check(document, name):
    (found,) = [each for each in document["checks"] if each["check"] == name]
    return found


def test_every_check_is_counted_by_status(document):
    counts = {
        name: [check(document, name)[key] for key in ("pass", "fail", "error", "skipped")]
        for name in ("value", "slope", "sum")
    }
    assert counts == {"value": [2, 1, 3, 0], "slope": [1, 1, 0, 4], "sum": [1, 1, 0, 4]}
    value = check(document, "value")
    assert (value["ungradable"], value["not_handed_in"], value["n"]) == (1, 2, 6)
    assert (document["submissions"], document["without_files"]) == (len(CLASS), 2)


def test_difficulty_and_discrimination_are_those_of_the_item_analysis(document):
    value, slope = check(document, "value"), check(document, "slope")
    assert value["difficulty"] == pytest.approx(2 / 6, abs=1e-6)
    assert slope["difficulty"] == pytest.approx(1 / 6, abs=1e-6)
    # value: 1 1 0 0 0 0 beside the rest: 1 0 0 0 0 0
    assert value["discrimination"] == pytest.approx(0.4**0.5, abs=1e-6)
    assert value["discrimination_undefined"] == ""


def test_marks_that_we_owe_are_listed(document):
    owed = document["ungradable"]
    assert {(each["submission"], each["cause"]) for each in owed if each["check"] == "value"} == {
        ("hal", "harness-error")
    }
    assert {each["submission"] for each in owed} == {"hal"}


def test_files_that_could_not_be_loaded_are_listed_once_each(document):
    found = {
        each["submission"]: (each["cause"], each["message"]) for each in document["not_loaded"]
    }
    assert found == {
        "dan": ("exception", "ModuleNotFoundError: cv2"),
        "gus": ("syntax", SYNTAX),
        "ida": ("missing-file", "square.py was not submitted; found sqare.py"),
    }
    assert len(document["not_loaded"]) == 3


def test_time_is_that_of_the_stored_trials(document):
    """Those of ada and cleo (3 each), bob, dan and eve; no examples, and no faults of ours."""
    time = document["time"]
    assert time["trials"] == 9
    assert time["cpu_s"] == pytest.approx(0.25 * 9)
    assert time["wall_s"] == pytest.approx(0.5 * 9)
    assert check(document, "value")["cpu_s"] == pytest.approx(0.25)


def test_hints_are_counted_by_submission_and_failures_without_one_too(document):
    assert document["failed_visible"] == 2
    assert (
        document["failed_without_hint"]
        + sum(len(each["checks"]) * each["submissions"] for each in document["hints"])
        == document["failed_visible"]
    )


def test_the_table_of_checks_as_csv_has_what_the_document_has(said, document):
    for words in (("--csv",), ("--csv", "checks")):
        rows = list(csv.DictReader(io.StringIO(said(*words))))
        assert [row["check"] for row in rows] == ["value", "slope", "sum"]
        for row, record in zip(rows, document["checks"], strict=True):
            for name, value in record.items():
                assert row[name] == ("" if value is None else str(value))


@pytest.mark.parametrize("table", ["hints", "ungradable", "not-loaded"])
def test_the_other_tables_as_csv(said, document, table):
    rows = list(csv.DictReader(io.StringIO(said("--csv", table))))
    assert len(rows) == len(document[table.replace("-", "_")])
    header = said("--csv", table).splitlines()[0]
    assert header.startswith("submission")


def test_no_cell_is_a_formula(tmp_path, said):
    where = results(tmp_path / "r", {"=1+1": CLASS["gus"], "007": CLASS["gus"]})
    rows = list(csv.DictReader(io.StringIO(said("--csv", "not-loaded", where=where))))
    assert [row["submission"] for row in rows] == ["'007", "'=1+1"]


def test_what_people_read(said):
    lines = said().splitlines()
    (row,) = [line.split() for line in lines if line.startswith("square/sum*")]
    assert row[:3] == ["square/sum*", "0.5", "6"]
    text = "\n".join(lines)
    assert "9 submissions, 2 of them without a file" in text
    assert "standard error of up to 0.35" in text
    assert "hal: square/value harness-error: no disk" in text
    assert f"gus: square syntax: {SYNTAX}" in text
    assert "error budget: chance has no part" in text
    assert SECRET not in text


def test_the_same_trouble_of_many_is_one_line(tmp_path, said):
    where = results(tmp_path / "r", {f"s{place}": CLASS["dan"] for place in range(8)})
    (line,) = [line for line in said(where=where).splitlines() if "cv2" in line]
    assert line.startswith("  s0, s1, s2, s3, s4 and 3 more: square exception:")


def test_a_check_that_nobody_passes_is_pointed_out(tmp_path, said):
    wrong = {f"s{place}": Handed(right=()) for place in range(4)}
    assert "nobody has a point for square/value" in said(where=results(tmp_path / "r", wrong))


@pytest.mark.parametrize(("others", "pointed_out"), [(0, True), (60, False)])
def test_a_check_that_strong_work_fails_is_pointed_out(tmp_path, said, others, pointed_out):
    """Where most pass both, what is left of a negative correlation may be chance."""
    rights = [("mean",)] * 4 + [("numpy-mean",)] * 4 + [("mean", "numpy-mean")] * others
    handed = {f"s{n}": Handed(files=("noise.py",), right=right) for n, right in enumerate(rights)}
    text = said(where=results(tmp_path / "r", handed, ("noise",)))
    assert ("noise/numpy-mean is failed by those who do well elsewhere" in text) is pointed_out


def test_the_error_budget_is_the_sum_of_the_declared_rates(tmp_path, said):
    handed = {
        name: Handed(files=("noise.py",), right=right)
        for name, right in (("a", ("mean", "numpy-mean")), ("b", ("mean",)))
    }
    where = results(tmp_path / "r", handed, ("noise",))
    found = json.loads(said("--json", where=where))["error_budget"]
    assert found["declared"] == pytest.approx(4 * 1e-6)
    assert found["allowed"] == 1e-4
    assert found["decided"] == 8
    assert found["expected"] == pytest.approx(8 * 1e-6)
    assert "probability at most 4e-06, 4% of the 0.0001" in said(where=where)


def test_marks_of_an_earlier_grading_are_pointed_out(tmp_path, capsys):
    shutil.copytree(COURSE, tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__"))
    measure = tmp_path / "course" / "tasks" / "square" / "measure.py"
    measure.write_text(measure.read_text() + "\n# another version\n")
    where = results(tmp_path / "r", {"ada": Handed()})
    places = [f"--{name}={tmp_path / 'course' / name}" for name in ("tasks", "reference")]
    assert main(["summary", *places, "--results", str(where)]) == 0
    assert "square: 1 marks are stale" in capsys.readouterr().out


# ------------------------------------------------------------------ what is refused


def test_a_folder_without_marks_has_its_own_words_and_nothing_is_made(tmp_path, capsys):
    for name in ("empty", "missing"):
        where = tmp_path / name
        if name == "empty":
            where.mkdir()
        for verb in (["summary"], ["explain", "ada", "square"]):
            assert main([*verb, *PLACES, "--results", str(where)]) == 2
            assert "nothing is stored here; grade first" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    assert os.listdir(tmp_path / "empty") == []


def test_a_key_that_is_gone_is_asked_for_and_not_made_anew(tmp_path, capsys):
    where = results(tmp_path / "r", {"ada": Handed()})
    (where / "keys" / "feedback.key").unlink()
    assert main(["summary", *PLACES, "--results", str(where)]) == 2
    assert "give it with --key-file" in capsys.readouterr().err
    assert not (where / "keys" / "feedback.key").exists()


def test_json_and_csv_are_not_both_printed(folder, capsys):
    assert main(["summary", "--json", "--csv", *PLACES, "--results", str(folder)]) == 2
    assert "either --json or --csv" in capsys.readouterr().err


def test_nothing_is_written(folder, said):
    def marks() -> dict[str, bytes]:
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        return {str(path): path.read_bytes() for path in files if "ledger" not in path.name}

    said()
    before = marks()
    said("--json")
    said("--csv")
    assert marks() == before
    assert not (folder / "grades.csv").exists()
