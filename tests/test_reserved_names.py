"""Names that a starter must not define, since measurements use them for something else."""

import numpy as np
import pytest

from harness.collect.calls import Handle
from harness.collect.proxy import ProgramProxy
from harness.contract import HANDLE_NAMES, PROGRAM_NAMES, Contract, read_contract
from harness.errors import SpecError
from harness.spec.catalogue import load_all

FUNCTION = "import torch\n\n\ndef {name}(x: float) -> float:\n    return x\n"
CLASS = "class {name}:\n    def __init__(self, scale: float) -> None:\n        pass\n"
METHOD = "class Model:\n    def {name}(self, x: float) -> float:\n        return x\n"


def public(instance):
    return {name for name in dir(instance) if not name.startswith("_")}


def test_the_lists_are_the_public_names_of_what_measurements_hold():
    contract = Contract({}, {})
    proxy = ProgramProxy(None, contract, np.random.default_rng(0))
    assert public(proxy) == PROGRAM_NAMES
    assert public(Handle(None, "Model", 0)) == HANDLE_NAMES


def problem_of(path, source):
    path.write_text(source)
    with pytest.raises(SpecError) as caught:
        read_contract(path)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("name", sorted(PROGRAM_NAMES))
def test_a_function_or_class_with_a_taken_name_is_refused_with_its_place(tmp_path, name):
    path = tmp_path / "starter.py"
    problem = problem_of(path, FUNCTION.format(name=name))
    assert (problem.file, problem.line, problem.col) == (str(path), 4, 1)
    assert name in problem.message
    assert all(taken in problem.remedy for taken in PROGRAM_NAMES)
    problem = problem_of(path, CLASS.format(name=name))
    assert (problem.line, problem.col) == (1, 1)


@pytest.mark.parametrize("name", sorted(HANDLE_NAMES))
def test_a_method_with_a_taken_name_is_refused_with_its_place(tmp_path, name):
    problem = problem_of(tmp_path / "starter.py", METHOD.format(name=name))
    assert (problem.line, problem.col) == (2, 5)
    assert f"Model.{name}" in problem.message
    assert all(taken in problem.remedy for taken in HANDLE_NAMES)


def test_a_method_may_have_the_name_of_a_programs_verb_and_a_function_that_of_a_handles(tmp_path):
    """They are told apart by what they are called on."""
    path = tmp_path / "starter.py"
    path.write_text(
        "def state(x: float) -> float:\n    return x\n\n\n"
        "class Model:\n    def new(self, x: float) -> float:\n        return x\n"
    )
    contract = read_contract(path)
    assert set(contract.functions) == {"state"}
    assert set(contract.classes["Model"].methods) == {"new"}


def test_a_task_with_such_a_starter_does_not_load(tmp_path):
    (tmp_path / "square").mkdir()
    for source in ("task.yaml", "measure.py", "README.md"):
        (tmp_path / "square" / source).write_text("")
    (tmp_path / "square" / "starter.py").write_text(FUNCTION.format(name="vjp"))
    with pytest.raises(SpecError, match=r"starter.py:4:1: vjp has the name of a verb"):
        load_all(tmp_path, tmp_path, with_reference=False)
