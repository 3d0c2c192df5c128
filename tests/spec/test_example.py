"""The worked example of a statement: read, shown, replayed by a check and at home."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import main
from harness.collect.bare import BareProgram
from harness.errors import SpecError
from harness.records import Program
from harness.spec.example import in_words
from harness.spec.load import LoadedTask, load_task

STARTER = """\
from collections.abc import Callable
from jaxtyping import Float64
from torch import Tensor


def applied(
    f: Callable[[Float64[Tensor, " n"]], Float64[Tensor, " n"]], x: Float64[Tensor, " n"]
) -> tuple[Float64[Tensor, " n"], Float64[Tensor, ""]]:
    raise NotImplementedError


def total(x: Float64[Tensor, " n"], weights: Float64[Tensor, " n"]) -> Float64[Tensor, ""]:
    raise NotImplementedError


class Counter:
    def __init__(self, start: int) -> None:
        raise NotImplementedError

    def add(self, x: Float64[Tensor, " n"]) -> Float64[Tensor, ""]:
        raise NotImplementedError
"""
SOLUTION = """\
def applied(f, x):
    return f(x), f(x).sum()


def total(x, weights):
    return (x * weights).sum()


class Counter:
    def __init__(self, start):
        self.value = float(start)

    def add(self, x):
        self.value = x.sum() + self.value
        return self.value
"""
GIVEN = """\
from jaxtyping import Float64
from torch import Tensor


def shifted(x: Float64[Tensor, " n"], shift: Float64[Tensor, ""]) -> Float64[Tensor, " n"]:
    return x + shift
"""
SPEC = """\
id: small
version: 1
draw: 1
title: Small
lecture: [{document: S1, slide: "1"}]
tier: exact
measurements:
  example: {}
checks:
  - {id: example, measurement: example, metric: agrees, kind: property, points: 1}
"""
EXAMPLE = """\
constants:
  x: [1.0, 2.5]
calls:
  - call: applied
    with: {f: {given: shifted, with: {shift: 0.5}}, x: x}
    gives: [[1.5, 3.0], 4.5]
    note: x + 1/2
  - call: total
    with: {x: x, weights: [0.3333333, 1]}
    gives: 2.83
    places: 2
  - call: total
    with: {x: x, weights: [3.0, inf]}
    by: [x, weights]
    gives: [[3.0, inf], [1.0, 2.5]]
  - call: Counter
    as: counter
    with: {start: 1}
  - call: counter.add
    with: {x: x}
    gives: 4.5
"""


def small(folder: Path, example: str = EXAMPLE) -> LoadedTask:
    task = folder / "small"
    task.mkdir(parents=True)
    for name, content in {
        "task.yaml": SPEC,
        "starter.py": STARTER,
        "given.py": GIVEN,
        "example.yaml": example,
        "measure.py": "def example(student, rng):\n    return {'agrees': student.example()}\n",
        "README.md": "# Small\n\n<!-- example -->\n<!-- /example -->\n",
    }.items():
        (task / name).write_text(content, encoding="utf-8")
    return load_task(task, None)


def replayed(task: LoadedTask, source: str) -> list[bool]:
    program = Program("own", "submission", {task.spec.file: source.encode()})
    with BareProgram(task, program) as own:
        return own.example()


def test_a_class_may_have_names_of_its_own_for_the_parameters_of_its_instances(
    tmp_path: Path,
) -> None:
    source = SOLUTION.replace("self, start", "self, first").replace("float(start)", "float(first)")
    assert replayed(small(tmp_path), source) == [True] * 5


def test_honest_work_agrees_and_a_slip_shows_at_its_call(tmp_path: Path) -> None:
    task = small(tmp_path)
    assert replayed(task, SOLUTION) == [True] * 5
    slips = {
        "f(x).sum()": ("f(x).mean()", [False, True, True, True, True]),
        "(x * weights).sum()": ("(x.detach() * weights).sum()", [True, True, False, True, True]),
        "x.sum() + self.value": ("x.sum() - self.value", [True, True, True, True, False]),
        "return (x * weights)": ("return 1.0021 * (x * weights)", [True, False, False, True, True]),
    }
    for right, (wrong, agrees) in slips.items():
        assert right in SOLUTION
        assert replayed(task, SOLUTION.replace(right, wrong)) == agrees, wrong


MODULE = """\
import torch


class Counter(torch.nn.Module):
    def __init__(self, start):
        super().__init__()
        self.register_buffer("value", torch.tensor([float(start)], dtype=torch.float64))
        self.register_buffer("other", torch.tensor([5.0]))

    def add(self, x):
        return x.sum() + self.value.sum() + self.other.double().sum()
"""


def test_numbers_are_put_into_the_state_of_an_instance(tmp_path: Path) -> None:
    first, _, rest = EXAMPLE.partition("  - call: applied\n")
    *_, made, added = rest.partition("  - call: Counter\n")
    head, _, tail = added.partition("  - call: counter.add\n")
    load = "  - call: counter.load\n    with: {value: x2}\n"
    example = f"{first}  x2: [2.0]\n".replace("calls:\n", "") + "calls:\n" + made + head
    example += load + "  - call: counter.add\n" + tail.replace("gives: 4.5", "gives: 10.5")
    task = small(tmp_path, example)
    assert task.example is not None
    assert "into the state of counter: value=x2\n" in in_words(task.example, task.example_calls)
    assert replayed(task, MODULE) == [True, True, True]
    ignored = MODULE.replace("self.value.sum()", "1.0")
    assert replayed(task, ignored) == [True, True, False]


def test_a_program_may_call_its_parameters_something_else(tmp_path: Path) -> None:
    renamed = SOLUTION.replace("def total(x, weights)", "def total(a, b)")
    renamed = renamed.replace("(x * weights).sum()", "(a * b).sum()")
    assert replayed(small(tmp_path), renamed) == [True] * 5


def test_the_statement_shows_it_in_words(tmp_path: Path) -> None:
    task = small(tmp_path)
    assert task.example is not None
    assert in_words(task.example, task.example_calls) == (
        "x = [1.0, 2.5]\n\n"
        "applied(f=partial(shifted, shift=0.5), x=x)\n"
        "    -> [1.5, 3.0], 4.5    # x + 1/2\n"
        "total(x=x, weights=[0.3333333, 1])\n"
        "    -> 2.83\n"
        "gradient of total(x=x, weights=[3.0, inf]) by x, weights\n"
        "    -> [3.0, inf], [1.0, 2.5]\n"
        "counter = Counter(start=1)\n"
        "counter.add(x=x)\n"
        "    -> 4.5"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("call: total\n", "call: totals\n", "calls.1 (totals): the starter does not define it"),
        ("weights: [0.3333333, 1]}", "w: [1, 1]}", "calls.1 (total): w is not a parameter"),
        ("x: x, weights: [0.3333333, 1]}", "x: x}", "calls.1 (total): weights is missing"),
        ("given: shifted", "given: moved", "given.py defines no function moved"),
        ("with: {shift: 0.5}", "with: {}", "shifted lacks shift"),
        ("    as: counter\n", "", "calls.3 (Counter): say what the instance is called (`as`)"),
        ("counter.add", "count.add", "no earlier call makes count (`as: count`)"),
        ("    gives: 2.83\n", "", "calls.1 (total): say what it gives (`gives`)"),
        ("[0.3333333, 1]", "[0.3333333, one]", "neither a number nor a list of numbers"),
        ("call: counter.add\n", "call: count.load\n", "no earlier call makes count (`as: count`)"),
    ],
)  # fmt: skip
def test_an_example_that_does_not_fit_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in EXAMPLE
    with pytest.raises(SpecError) as caught:
        small(tmp_path, EXAMPLE.replace(old, new, 1))
    assert message in str(caught.value)
    assert "example.yaml" in str(caught.value)


def test_a_student_replays_it_at_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small(tmp_path)
    own = tmp_path / "small.py"
    command = ["example", "small", str(own), "--tasks", str(tmp_path)]
    for source, code, said in (
        (SOLUTION, 0, "agrees   total"),
        (SOLUTION.replace("f(x).sum()", "f(x).mean()"), 1, "differs  applied"),
        (SOLUTION.replace("return f(x), f(x).sum()", "return f(x)"), 1, "expected 2 results"),
    ):
        own.write_text(source, encoding="utf-8")
        assert main(command) == code
        assert said in capsys.readouterr().out
    own.unlink()
    assert main(command) == 2
    assert "no such file; small wants small.py" in capsys.readouterr().err


def test_a_statement_is_said_to_be_out_of_date_and_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small(tmp_path)
    command = ["statement", "--tasks", str(tmp_path), "--reference", str(tmp_path)]
    assert main(command) == 1
    assert "README.md: out of date" in capsys.readouterr().out
    assert main([*command, "--write"]) == 0
    assert main(command) == 0
    text = (tmp_path / "small" / "README.md").read_text(encoding="utf-8")
    assert "counter.add(x=x)\n    -> 4.5\n```\n<!-- /example -->" in text
