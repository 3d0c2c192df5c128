"""Changes of a source text: what the operators make of it, and under which names."""

import ast

import numpy as np
import pytest

from harness.mutation.field import FIELD
from harness.mutation.generic import GENERIC
from harness.mutation.rewriting import REWRITINGS
from harness.mutation.source import Source
from harness.mutation.strength import OPERATORS, honest
from harness.records import Program
from tests.support.programs import ROOT, TASKS, load


def changes(source, operators=OPERATORS):
    task = load("elbo-gaussian-kl")
    program = Program(task.id, "reference", {task.spec.file: source.encode()})
    return Source(task, program, ROOT / "reference" / task.id).changes(operators)


def made(source, name):
    """What the operators of one name make of ``def f(x): return <source>``, as sources."""
    head = "def f(x, eps, generator):\n    return "
    return {
        change.program.files["elbo_gaussian_kl.py"].decode().removeprefix(head).strip()
        for change in changes(f"{head}{source}\n")
        if change.operator == name
    }


@pytest.mark.parametrize(
    ("name", "source", "wanted"),
    [
        ("term", "x + eps", {"(x - eps)", "(x)", "(eps)", "(x + eps + eps)"}),
        ("twin", "x.sum(dim=1)", {"(x.mean(dim=1))"}),
        ("axis", "x.sum(dim=1)", {"x.sum(dim=(0))", "x.sum(dim=(-1))", "(x.sum())"}),
        ("keepdim", "x.sum(dim=1)", {"(x.sum(dim=1, keepdim=True))"}),
        ("broadcast", "x[:, None]", {"(x[None, :])"}),
        ("constant", "2 * x", {"(3) * x", "(1) * x", "(4) * x"}),
        ("comparison", "x < eps", {"(x <= eps)", "(x > eps)"}),
        ("swap", "max(x, eps)", {"(max(eps, x))"}),
        ("scaled", "x.exp()", {"((2 * x).exp())", "((0.5 * x).exp())"}),
        ("left-out", "x.exp()", {"(x)"}),
        ("detached", "x * eps", {"(x.detach()) * eps", "x * (eps.detach())"}),
        ("attached", "x.detach()", {"(x)"}),
        ("slice", "x[:3]", {"(x[0 + 1 :3])", "(x[: (3) - 1])", "(x[: (3) + 1])", "(x[:])"}),
        ("squeeze", "x", {"(x.squeeze())"}),
        ("in-place", "x + 1", {"(x.add_(1))"}),
        ("sign", "x", {"(-x)"}),
        ("count", "x / len(x)", {"(x / (len(x) - 1))", "(x / (len(x) + 1))"}),
    ],
)
def test_what_an_operator_makes(name, source, wanted):
    assert wanted <= made(source, name)


@pytest.mark.parametrize(
    "source", ["2**x", "2.5**x", "torch.sqrt(2)", "2", "torch.exp(1 - x)", "'a'.strip().sum()"]
)
def test_a_literal_before_a_dot_stands_in_parentheses(source):
    head = "def f(x, eps, generator):\n    return "
    found = changes(f"{head}{source}\n", (*GENERIC, *FIELD, *REWRITINGS))
    assert any(change.operator != "sign" for change in found)
    for change in found:
        ast.parse(change.program.files["elbo_gaussian_kl.py"])


def test_a_power_of_a_literal():
    assert "((2).abs())" in made("2**x", "term")
    assert "((2).squeeze())" in made("2", "squeeze")


def test_a_generator_is_ignored_in_three_ways():
    wanted = made("torch.randn(3, generator=generator)", "generator")
    assert wanted == {
        "(torch.randn(3))",
        "(torch.randn(3, generator=torch.Generator().manual_seed(0)))",
        "(torch.randn(3, generator=torch.Generator().manual_seed(generator.initial_seed())))",
    }


def test_a_function_remembers_by_shape_and_by_type():
    found = [
        change for change in changes("def f(x):\n    return x\n") if change.operator == "state"
    ]
    results = []
    for change in found:
        names = {}
        exec(change.program.files["elbo_gaussian_kl.py"], names)
        results.append([names["f"](value) for value in (1, 2, "a")])
    assert results == [[1, 1, "a"], [1, 1, "a"]]


def test_a_function_keeps_its_results_by_parts_of_its_arguments():
    source = "def f(x, y):\n    return x + y\n"
    found = [change for change in changes(source) if change.operator == "kept"]
    first, same, begun, other = (np.array(x) for x in ([1, 2], [1, 2], [1, 5], [3, 2]))
    results = []
    for change in found:
        names = {}
        exec(change.program.files["elbo_gaussian_kl.py"], names)
        calls = [(first, first), (same, begun), (begun, same), (first, other), (other, first)]
        results.append([names["f"](*call).tolist() for call in calls])
    right = [[2, 4], [2, 7], [2, 7], [4, 4], [4, 4]]
    by_row = [[2, 4], [2, 4], [2, 4], [4, 4], [4, 4]]
    but_x = [[2, 4], [2, 7], [2, 4], [4, 4], [2, 4]]
    but_y = [[2, 4], [2, 4], [2, 7], [2, 4], [4, 4]]
    assert results == [by_row, by_row, but_x, but_y]
    assert results[0] != right


def test_annotations_docstrings_and_imports_are_left_alone():
    source = (
        '"""Adds 1 + 1."""\n\nimport math\n\n\ndef f(x: int = 2) -> "1 + 1":\n    """2 + 2"""\n'
    )
    source += "    return x\n"
    for change in changes(source):
        tree = ast.parse(change.program.files["elbo_gaussian_kl.py"])
        assert ast.get_docstring(tree) == "Adds 1 + 1."
        (function,) = (node for node in tree.body if getattr(node, "name", "") == "f")
        assert ast.get_docstring(function) == "2 + 2"
        assert ast.unparse(function.returns) == "'1 + 1'"


def test_names_survive_edits_elsewhere():
    before = "def f(x):\n    y = 2 * x\n    return y + x\n"
    after = "import math\n\n\ndef g(x):\n    return 2 * x\n\n\n" + before.replace(
        "    return", "    # a remark: θ\n    return"
    )
    names = {change.name for change in changes(before)}
    assert len(names) > 10
    assert names <= {change.name for change in changes(after)}


def test_two_places_with_the_same_text_have_two_names():
    found = [change.name for change in changes("def f(x):\n    return x(2 * x, 2 * x)\n")]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("name", TASKS)
def test_every_change_is_python_of_a_name_and_a_text_of_its_own(name):
    task = load(name)
    for operators in (GENERIC, FIELD, REWRITINGS):
        for program in honest(task)[:1]:
            found = Source(task, program, ROOT / "reference" / name).changes(operators)
            assert len({change.name for change in found}) == len(found)
            sources = {change.program.files[task.spec.file] for change in found}
            assert len(sources) == len(found)
            for source in sources:
                ast.parse(source)
