"""The example of a failed check: a short call, an ordinary row, code that repeats it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.arrays import decode_array
from harness.collect.bare import BareProgram
from harness.collect.job import measure
from harness.collect.proxy import ProgramProxy
from harness.marking.illustration import NOT_MADE, illustrate
from harness.records import EXAMPLE, Array, Observation, Program, Trial
from harness.report.examples import npz
from harness.seeds import PUBLIC_KEY, SeedName
from harness.spec.load import LoadedTask, load_task

STARTER = """\
from collections.abc import Callable
import torch
from jaxtyping import Float64
from torch import Tensor


def scaled(x: Float64[Tensor, "b k"], scale: float) -> Float64[Tensor, "b k"]:
    raise NotImplementedError


def applied(
    f: Callable[[Float64[Tensor, "b k"]], Float64[Tensor, " b"]], x: Float64[Tensor, "b k"]
) -> tuple[Float64[Tensor, " b"], Float64[Tensor, ""]]:
    raise NotImplementedError


def positive(x: Float64[Tensor, " n"]) -> int:
    raise NotImplementedError


class Sum:
    def __init__(self, start: float) -> None:
        raise NotImplementedError

    def add(self, x: Float64[Tensor, " n"]) -> Float64[Tensor, ""]:
        raise NotImplementedError
"""
GIVEN = """\
from jaxtyping import Float64
from torch import Tensor


def shifted(x: Float64[Tensor, "b k"], shift: Float64[Tensor, "b k"]) -> Float64[Tensor, " b"]:
    return (x + shift).sum(dim=1)
"""
SOLUTION = """\
def scaled(x, scale):
    return scale * x


def applied(f, x):
    return f(x), f(x).sum()


def positive(x):
    return int((x > 0).sum())


class Sum:
    def __init__(self, start):
        self.value = start

    def add(self, x):
        self.value = self.value + x.sum()
        return self.value
"""
SPEC = """\
id: small
version: 1
draw: 1
title: Small
lecture: [{document: S1, slide: "1"}]
tier: exact
measurements:
  standard: {}
checks:
  - {id: asked, measurement: standard, metric: y, kind: bounds, upper: 1.0, points: 1}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def task_measured_by(folder: Path, body: str) -> LoadedTask:
    task = folder / "small"
    task.mkdir(exist_ok=True)
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    for name, content in {
        "task.yaml": SPEC,
        "starter.py": STARTER,
        "given.py": GIVEN,
        "README.md": "# Small\n",
        "measure.py": (
            "import numpy as np\n\n\ndef standard(student, rng):\n"
            f"{lines}\n    return {{'y': np.zeros(1)}}\n"
        ),
    }.items():
        (task / name).write_text(content, encoding="utf-8")
    return load_task(task, None)


def observed(task: LoadedTask, source: str) -> Observation:
    program = Program("own", "submission", {task.spec.file: source.encode()})
    rng = SeedName("small", 1, "standard", 0, 0, "").generator(PUBLIC_KEY)
    with BareProgram(task, program) as own:
        student = ProgramProxy(
            own.channel, task.contract, rng.spawn(1)[0], record=True, material=task.material
        )
        measure(task, "standard", student, rng)
    trial = Trial("small", "standard", "own", "submission", EXAMPLE.stage, 0, "", "0" * 64)
    return Observation(trial, "ok", transcript=tuple(student.transcript))


FILE = "example-small.asked.npz"


def example(task: LoadedTask, wrong: str, *, not_finite: bool = False) -> dict[str, Any]:
    own, reference = observed(task, wrong), observed(task, SOLUTION)
    return illustrate(task, own, reference, file=FILE, not_finite=not_finite)


def repeated(folder: Path, code: str, source: str) -> str:
    """What a student sees who runs the code of an example beside a file."""
    (folder / "given.py").write_text(GIVEN, encoding="utf-8")
    (folder / "small.py").write_text(source, encoding="utf-8")
    (folder / "try.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "try.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_shortest_call_that_differs_is_shown_whole(folder: Path) -> None:
    body = """\
student.scaled(rng.normal(size=(9, 5)), 2.0)
student.scaled(np.array([[1.5, np.inf]]), 3.0)
student.scaled(rng.normal(size=(2, 5)), 3.0)"""
    task = task_measured_by(folder, body)
    wrong = SOLUTION.replace("scale * x", "scale * x + 1.0")
    shown = example(task, wrong)
    assert shown["got"] == "[[5.5, inf]]"
    assert shown["wanted"] == "[[4.5, inf]]"
    assert shown["note"] == "1 of 2 entries is wrong"
    assert repeated(folder, shown["call"], wrong) == (
        "tensor([[5.500000000000,            inf]], dtype=torch.float64)\n"
    )


def test_of_a_batch_one_ordinary_row_is_shown(folder: Path) -> None:
    body = """\
x = np.arange(40.0).reshape(20, 2) + 1
x[0] = 1e20
student.applied(student.given("shifted", -x / 3), x)"""
    task = task_measured_by(folder, body)
    wrong = SOLUTION.replace("return f(x), f", "return f(x) + f(x).abs() * 1e-3, f")
    shown = example(task, wrong)
    assert "result 1 of 2 is shown; row " in shown["note"]
    assert "20 of 20 rows are wrong" in shown["note"]
    assert "row 0 " not in shown["note"]
    assert "1e+20" not in shown["call"]
    got, wanted = (float(shown[part].strip("[]")) for part in ("got", "wanted"))
    assert got == pytest.approx(1.001 * wanted)
    printed = repeated(folder, shown["call"], wrong)
    assert float(printed.split("[")[1].split("]")[0]) == pytest.approx(got)


def test_single_precision_is_recognised_and_shown_with_its_digits(folder: Path) -> None:
    task = task_measured_by(folder, "student.scaled(rng.normal(size=(3, 2)), 2.0)")
    wrong = SOLUTION.replace("scale * x", "(scale * x.float()).double()")
    shown = example(task, wrong)
    assert "it agrees to 7 digits: is something computed in float32" in shown["note"]
    assert shown["got"] != shown["wanted"]
    assert "digits" not in example(task, SOLUTION.replace("scale *", "1.01 * scale *"))["note"]


def test_a_value_that_is_not_finite_comes_first_if_that_is_the_cause(folder: Path) -> None:
    body = """\
student.scaled(np.array([[1.0]]), 2.0)
student.scaled(rng.normal(size=(4, 6)), 3.0)"""
    task = task_measured_by(folder, body)
    wrong = SOLUTION.replace(
        "scale * x", "scale * x + (1.0 if scale == 2.0 else x.log() - x.log())"
    )
    assert "nan" in example(task, wrong, not_finite=True)["got"]
    assert example(task, wrong)["got"] == "[[3]]"


def test_what_an_instance_was_told_before_is_part_of_the_call(folder: Path) -> None:
    body = """\
made = student.new("Sum", 1.0)
made.add(np.array([1.0, 2.0]))
made.add(np.array([3.0]))"""
    task = task_measured_by(folder, body)
    wrong = SOLUTION.replace("self.value + x.sum()", "self.value + x.max()")
    shown = example(task, wrong)
    assert (shown["got"], shown["wanted"]) == ("3", "4")
    assert repeated(folder, shown["call"], wrong) == "tensor(3., dtype=torch.float64)\n"


def test_a_gradient_that_is_cut_off_is_said_and_can_be_repeated(folder: Path) -> None:
    body = 'student.vjp("scaled", [np.ones((2, 2)), 2.0], [0], np.ones((2, 2)))'
    task = task_measured_by(folder, body)
    wrong = SOLUTION.replace("scale * x", "scale * x * x.detach()")
    shown = example(task, wrong.replace("scale * x *", "scale * x.detach() *"))
    assert shown["note"].startswith("no gradient reaches x: the result is cut off from it")
    shown = example(task, wrong.replace("x * x.detach()", "x * x"))
    assert "4." in repeated(folder, shown["call"], wrong.replace("x * x.detach()", "x * x"))


def numbers_of(folder: Path, shown: dict[str, Any]) -> dict[str, Array]:
    """Writes the file of numbers of an example as a report does; what is in it."""
    arrays = {name: decode_array(array) for name, array in shown["arrays"].items()}
    (folder / shown["file"]).write_bytes(npz(arrays))
    return arrays


def test_what_is_too_long_to_be_read_is_loaded_and_can_be_repeated(folder: Path) -> None:
    body = """\
made = student.new("Sum", 1.0)
made.add(rng.normal(size=100))
made.add(rng.normal(size=300))"""
    task = task_measured_by(folder, body)
    wrong = SOLUTION.replace("x.sum()", "(x.sum() if len(x) < 300 else x.mean())")
    shown = example(task, wrong)
    assert shown["file"] == FILE
    assert f'arrays = numpy.load("{FILE}")' in shown["call"]
    assert f"{FILE} lies beside feedback.md" in shown["note"]
    arrays = numbers_of(folder, shown)
    assert {name: array.shape for name, array in arrays.items()} == {"x": (100,), "x_": (300,)}
    printed = repeated(folder, shown["call"], wrong)
    assert float(printed.split("(")[1].split(",")[0]) == pytest.approx(float(shown["got"]), 1e-5)


def test_many_short_calls_are_loaded_too(folder: Path) -> None:
    body = """\
made = student.new("Sum", 1.0)
for _ in range(30): made.add(rng.normal(size=5))
made.add(np.full(5, 9.0))"""
    task = task_measured_by(folder, body)
    wrong = SOLUTION.replace("x.sum()", "(x.sum() if x[0] < 9 else x.mean())")
    shown = example(task, wrong)
    assert len(numbers_of(folder, shown)) == 31
    printed = repeated(folder, shown["call"], wrong)
    assert float(printed.split("(")[1].split(",")[0]) == pytest.approx(float(shown["got"]), 1e-5)


@pytest.mark.parametrize(
    ("call", "old", "new", "names"),
    [
        (
            'student.vjp("scaled", [rng.normal(size=(1, 200)), 2.0], [0], np.ones((1, 200)))',
            *("scale * x", "scale * x * x", {"x", "cotangent"}),
        ),
        (
            'student.applied(student.given("shifted", np.ones((1, 200))), np.ones((1, 200)))',
            *("return f(x), f", "return f(x) + 1, f", {"f.shift", "x"}),
        ),
    ],
)
def test_long_gradients_and_given_functions_can_be_repeated(
    folder: Path, call: str, old: str, new: str, names: set[str]
) -> None:
    task = task_measured_by(folder, call)
    wrong = SOLUTION.replace(old, new)
    shown = example(task, wrong)
    assert set(numbers_of(folder, shown)) == names
    assert "tensor" in repeated(folder, shown["call"], wrong)


@pytest.mark.parametrize(("calls", "size"), [(1, 5000), (4, 3000)])
def test_what_is_too_large_for_a_file_is_described(folder: Path, calls: int, size: int) -> None:
    body = f"""\
made = student.new("Sum", 1.0)
for _ in range({calls}): made.add(rng.normal(size={size}) + 1)
made.add(np.full({size}, 9.0))"""
    task = task_measured_by(folder, body)
    wrong = SOLUTION.replace("x.sum()", "(x.sum() if x[0] < 9 else x.mean())")
    shown = example(task, wrong)
    assert "arrays" not in shown
    assert shown["call"] == f"add(x=float64 array of shape [{size}])" or shown["call"] == (
        f"add(x=float64 tensor of shape [{size}])"
    )


def test_a_whole_number_is_shown_however_large_the_arrays_are(folder: Path) -> None:
    task = task_measured_by(folder, "student.positive(np.arange(5000.0))")
    shown = example(task, SOLUTION.replace("x > 0", "x >= 0"))
    assert (shown["got"], shown["wanted"]) == ("5000", "4999")


def test_a_given_function_with_too_large_an_array_is_named(folder: Path) -> None:
    body = 'student.applied(student.given("shifted", np.ones((1, 5000))), np.ones((1, 5000)))'
    task = task_measured_by(folder, body)
    shown = example(task, SOLUTION.replace("return f(x), f", "return f(x) + 1, f"))
    assert "arrays" not in shown
    assert shown["call"] == "applied(f=given.shifted, x=float64 array of shape [1, 5000])"


def test_a_shorter_call_is_shown_instead_of_one_with_too_large_an_array(folder: Path) -> None:
    body = """\
for n in (5000, 3):
    student.applied(student.given("shifted", np.ones((1, n))), np.ones((1, n)))"""
    task = task_measured_by(folder, body)
    wrong = SOLUTION.replace("return f(x), f", "return f(x) + 1, f")
    assert "tensor" in repeated(folder, example(task, wrong)["call"], wrong)


def test_answers_that_agree_are_said_to_agree(folder: Path) -> None:
    task = task_measured_by(folder, "student.scaled(np.ones((1, 1)), 2.0)")
    for source in (SOLUTION, SOLUTION.replace("scale * x", "scale * x * (1 + 1e-12)")):
        assert "your answers agree with the right ones to nine" in example(task, source)["note"]


def test_an_example_that_our_side_could_not_run_says_nothing_of_answers(folder: Path) -> None:
    task = task_measured_by(folder, "student.scaled(np.ones((1, 1)), 2.0)")
    runs = observed(task, SOLUTION), observed(task, SOLUTION)
    for place in (0, 1):
        own, reference = (
            replace(run, outcome="infrastructure", transcript=()) if index == place else run
            for index, run in enumerate(runs)
        )
        shown = illustrate(task, own, reference, file=FILE, not_finite=False)
        assert shown == {"note": NOT_MADE}


def test_the_numbers_of_a_snippet_lose_nothing(folder: Path) -> None:
    task = task_measured_by(folder, "student.scaled(rng.normal(size=(2, 3)), 0.1)")
    shown = example(task, SOLUTION.replace("scale * x", "scale * x + 1"))
    scope: dict[str, object] = {}
    lines = [line for line in shown["call"].splitlines() if "small" not in line]
    exec("\n".join(lines[:-1]), scope)
    rng = SeedName("small", 1, "standard", 0, 0, "").generator(PUBLIC_KEY)
    rng.spawn(1)
    assert np.array_equal(np.asarray(scope["x"]), rng.normal(size=(2, 3)))
    assert scope["scale"] == 0.1
