"""Stored learning curves: made by the verb, those of the seeds of stored runs."""

import json
import shutil

import pytest

from harness import stored_runs
from harness.cli import main
from harness.machine import environment, machine_class
from harness.spec.load import load_task
from tests.support.programs import ROOT

NAME = "a2c-cartpole"


@pytest.fixture
def copied(tmp_path):
    """The task elsewhere, its curves gone; (tasks, reference)."""
    for folder in ("tasks", "reference"):
        shutil.copytree(ROOT / folder / NAME, tmp_path / folder / NAME)
    (tmp_path / "reference" / NAME / "targets" / stored_runs.CURVES).unlink()
    return tmp_path / "tasks", tmp_path / "reference"


def test_curves_are_made_beside_the_runs_which_stay(copied, capsys):
    tasks, reference = copied
    runs = reference / NAME / "targets" / "runs.json"
    before = runs.read_bytes()
    options = ["--tasks", str(tasks), "--reference", str(reference), "--curves", "1", "--json"]
    assert main(["targets", NAME, *options]) == 0
    document = json.loads(capsys.readouterr().out)
    path = reference / NAME / "targets" / stored_runs.CURVES
    assert document["written"] == [str(path)]
    assert runs.read_bytes() == before
    listed = {each["file"]: each for each in document["targets"]}
    assert listed[path.name]["seeds"] == [0]
    assert not listed[path.name]["stale"]
    task = load_task(tasks / NAME, reference / NAME)
    made = stored_runs.curves(task, task.spec.check("learns"))
    here = json.loads(path.read_bytes())
    there = json.loads((ROOT / "reference" / NAME / "targets" / path.name).read_bytes())
    assert made.budget == there["budget"]
    assert made.first_solved[0] is None or 0 < made.first_solved[0] <= made.budget
    same = here["machine"] == there["machine"] and here["environment"] == there["environment"]
    assert (here["machine"], here["environment"]) == (machine_class(), json.loads(environment()))
    if same:  # numbers of a training are promised for one class of machine
        assert here["runs"] == there["runs"][:1]


def test_a_task_that_shows_no_curves_has_none_to_make(capsys):
    name = "q-learning-tabular"
    options = ["--tasks", str(ROOT / "tasks"), "--reference", str(ROOT / "reference")]
    assert main(["targets", name, *options, "--curves", "1"]) == 2
    assert "nothing to train" in capsys.readouterr().err
