"""Task ids that would make a submitted file stand in for a module."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from harness.errors import SpecError
from harness.spec.load import load_task

COURSE = Path(__file__).parents[1] / "course" / "tasks"

TAKEN = [
    *("json", "random", "statistics", "this", "concurrent", "encodings"),
    *("torch", "numpy", "scipy", "gymnasium", "ale-py", "yaml"),
    *("harness", "given", "measure", "sitecustomize", "usercustomize", "conftest", "noxfile"),
]


def task_called(name: str, folder: Path) -> Path:
    copy = folder / name
    shutil.copytree(COURSE / "square", copy)
    spec = (copy / "task.yaml").read_text(encoding="utf-8")
    changed = spec.replace("id: square\n", f"# a line before\nid: {name}\n", 1)
    assert changed != spec
    (copy / "task.yaml").write_text(changed, encoding="utf-8")
    return copy


@pytest.mark.parametrize("name", TAKEN)
def test_an_id_that_would_hide_a_module_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecError) as caught:
        load_task(task_called(name, tmp_path), None)
    (problem,) = caught.value.problems
    assert (Path(problem.file).name, problem.line, problem.col) == ("task.yaml", 2, 5)
    assert problem.message == (
        f"a submission of id {name!r} would hide the module {name.replace('-', '_')}"
    )
    assert problem.remedy == "give the task another id and rename its folders"


@pytest.mark.parametrize("name", ["json-loss", "torch2", "squares", "given-answers"])
def test_an_id_that_only_resembles_a_module_is_fine(tmp_path: Path, name: str) -> None:
    assert load_task(task_called(name, tmp_path), None).id == name


def test_no_public_module_of_python_can_be_hidden(tmp_path: Path) -> None:
    names = [name for name in sorted(sys.stdlib_module_names) if name.isalpha() and name.islower()]
    assert len(names) > 150
    for name in names[::10]:
        with pytest.raises(SpecError, match="would hide the module"):
            load_task(task_called(name, tmp_path), None)
