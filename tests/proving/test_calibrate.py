"""``calibrate`` writes its tables, goes on where it was, and fails where a rate is refuted."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from harness.cli import main

TESTS = Path(__file__).parents[1]
COURSE = TESTS / "course"
TRAINING = TESTS / "training" / "course"


def places(tasks, reference, results):
    return ["--tasks", str(tasks), "--reference", str(reference), "--results", str(results)]


@pytest.fixture
def course(tmp_path):
    """A course of noise and centre, elsewhere."""
    for source, name in ((COURSE, "noise"), (TRAINING, "centre")):
        for folder in ("tasks", "reference"):
            shutil.copytree(source / folder / name, tmp_path / folder / name)
    return tmp_path


SMALL = ["--gradings", "20", "--mistaken", "2", "--jobs", "1"]


def test_the_verb_writes_its_tables_and_goes_on_where_it_was(course, capsys):
    where = places(course / "tasks", course / "reference", course / "results")
    assert main(["calibrate", *SMALL, "--json", *where]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {check["standing"] for check in document["checks"]} == {"not yet certified"}
    assert {check["task"] for check in document["checks"]} == {"noise"}
    assert {item["task"] for item in document["training"]} == {"centre"}
    table = list(
        csv.DictReader((course / "results/figures/calibration.csv").read_text().splitlines())
    )
    assert {row["method"] for row in table} == {"measured", "derived", ""}
    assert {row["task"] for row in table} == {"noise", "centre"}
    before = (course / "results/figures/calibration.csv").read_bytes()
    counted = (course / "results/figures/calibration.jsonl").read_bytes()
    assert main(["calibrate", *SMALL, *where]) == 0
    assert "| noise/mean | 0.001 | 0.0002 |" in capsys.readouterr().out
    assert (course / "results/figures/calibration.csv").read_bytes() == before
    assert (course / "results/figures/calibration.jsonl").read_bytes() == counted != b""


def test_a_line_that_was_cut_off_is_counted_again(course, capsys):
    where = places(course / "tasks", course / "reference", course / "results")
    assert main(["calibrate", "noise", *SMALL, *where]) == 0
    whole = (course / "results/figures/calibration.csv").read_bytes()
    log = course / "results/figures/calibration.jsonl"
    log.write_bytes(log.read_bytes()[:-40])
    assert main(["calibrate", "noise", *SMALL, *where]) == 0
    assert (course / "results/figures/calibration.csv").read_bytes() == whole


def test_the_verb_fails_where_a_rate_is_refuted(course, capsys):
    """A task whose expectation is off rejects its own honest work, and calibrate says so."""
    path = course / "tasks/noise/measure.py"
    text = path.read_text()
    assert '__expected": ' in text
    path.write_text(text.replace('__expected": ', '__expected": 1.0 + 0.0 * ', 1))
    where = places(course / "tasks", course / "reference", course / "results")
    assert main(["calibrate", "noise", *SMALL, *where]) == 1
    assert "refuted" in capsys.readouterr().out
