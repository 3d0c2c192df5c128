"""JSON Schemas for editors: those of the models, and right about every file of the project."""

import copy
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from harness.cli import main
from harness.spec import schemas

ROOT = Path(__file__).parents[2]
STORED = ROOT / "docs" / "schemas"


def validator(name):
    schema = json.loads((STORED / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


class Loader(yaml.CSafeLoader):
    """Reads 1e-4 as the number that it is in YAML 1.2, for editors and for the harness."""


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$"),
    list("-+.0123456789"),
)


def patterns():
    """The path of a schema -> the files that an editor checks with it."""
    settings = json.loads((ROOT / ".vscode" / "settings.json").read_text(encoding="utf-8"))
    return settings["yaml.schemas"]


def read(path):
    return yaml.load(path.read_text(encoding="utf-8"), Loader)


@pytest.mark.parametrize("name", schemas.MODELS)
def test_the_stored_schema_is_that_of_the_model(name):
    assert (STORED / f"{name}.json").read_text(encoding="utf-8") == schemas.text(name)


def test_no_schema_is_stored_of_which_there_is_no_model():
    assert {path.stem for path in STORED.iterdir()} == set(schemas.MODELS)


@pytest.mark.parametrize("name", ["task", "example", "mistakes", "assignment"])
def test_every_file_of_the_project_satisfies_its_schema(name):
    files = sorted(ROOT.glob(patterns()[f"./docs/schemas/{name}.json"]))
    assert len(files) > 4
    check = validator(name)
    assert [str(path) for path in files if list(check.iter_errors(read(path)))] == []


def test_a_schedule_as_people_write_it_satisfies_the_schema():
    assignment = {
        "id": "hw1",
        "title": "Estimators",
        "tasks": [{"id": "score-grad", "points": 10}],
        "due": "2026-10-19 23:59 Europe/Berlin",
        "late": {"per_day": "10%", "grace": "15 min"},
    }
    assert list(validator("assignment").iter_errors(assignment)) == []
    assert list(validator("term").iter_errors({"late_days": 5})) == []


def spoilt():
    """A task with one flaw each, of the kinds that an editor should show."""
    task = read(ROOT / "tasks" / "px-mask" / "task.yaml")
    for change in (
        lambda task: task.pop("title"),
        lambda task: task.update(titel="a slip of the pen"),
        lambda task: task.update(version="one"),
        lambda task: task["checks"][0].update(kind="exactly"),
        lambda task: task["checks"][0].update(points="many"),
        lambda task: task["checks"][0].pop("measurement"),
        lambda task: task["lecture"].clear(),
    ):
        broken = copy.deepcopy(task)
        change(broken)
        yield broken


def test_flaws_are_seen():
    check = validator("task")
    assert [bool(list(check.iter_errors(task))) for task in spoilt()] == [True] * 7


def test_the_editor_is_told_which_schema_is_for_which_files():
    assert set(patterns()) == {f"./docs/schemas/{name}.json" for name in schemas.MODELS}
    assert patterns()["./docs/schemas/term.json"] == "tasks/term.yaml"


def test_what_is_out_of_date_is_named_and_written(tmp_path, capsys):
    folder = tmp_path / "schemas"
    assert main(["schema", "--to", str(folder)]) == 1
    assert f"{folder / 'task.json'}: out of date; run with --write" in capsys.readouterr().out
    assert not folder.exists()
    assert main(["schema", "--to", str(folder), "--write"]) == 0
    assert main(["schema", "--to", str(folder)]) == 0
    assert "all schemas are those of the models" in capsys.readouterr().out
