"""What is refused of a task's files: ids that hide a module, broken Python, references."""

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


@pytest.mark.parametrize("name", ["measure.py", "show.py"])
def test_what_is_no_python_is_reported_with_its_line(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "square"
    shutil.copytree(COURSE / "square", folder)
    (folder / name).write_text("import numpy\n\ndef values(student, rng:\n", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load_task(folder, None)
    (problem,) = caught.value.problems
    assert (Path(problem.file).name, problem.line) == (name, 3)
    assert problem.message.startswith("it is not valid Python: ")


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("check: value", "check: valve", "check: valve", "names check 'valve'"),
        ("find: return", "find: give", "find: give", "occurs 0 times in solution.py"),
    ],
)
def test_a_mistake_that_does_not_fit_is_reported_with_its_place(
    tmp_path: Path, old: str, new: str, place: str, message: str
) -> None:
    reference = tmp_path / "square"
    shutil.copytree(COURSE.parent / "reference" / "square", reference)
    path = reference / "mistakes.yaml"
    text = path.read_text(encoding="utf-8").replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load_task(COURSE / "square", reference)
    (problem,) = caught.value.problems
    line = text.splitlines()[problem.line - 1]
    assert message in problem.message
    assert line.strip().startswith(place)


def test_a_reference_has_two_variants(tmp_path: Path) -> None:
    reference = tmp_path / "square"
    shutil.copytree(COURSE.parent / "reference" / "square", reference)
    for path in sorted((reference / "variants").glob("*.py"))[1:]:
        path.unlink()
    with pytest.raises(SpecError, match="1 honest variants, at least 2 wanted"):
        load_task(COURSE / "square", reference)
