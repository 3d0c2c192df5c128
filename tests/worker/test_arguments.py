"""Arguments that a program changes in place: seen however it is done, and what is none of that."""

import numpy as np
import pytest

from harness.collect.bare import LocalChannel
from harness.collect.proxy import ProgramProxy
from harness.contract import read_contract
from harness.errors import ProgramError
from tests.sandbox.lab import LIMITS

STARTER = """
import torch
from jaxtyping import Bool, Float32, Float64, Int64, UInt8
from torch import Tensor


def f(x: Float64[Tensor, "b k"]) -> Float64[Tensor, "..."]: ...


def two(mu: Float64[Tensor, " n"], eps: Float64[Tensor, " n"]) -> Float64[Tensor, " n"]: ...


def real(x: Float32[Tensor, " n"]) -> Float64[Tensor, ""]: ...


def whole(x: Int64[Tensor, " n"]) -> Float64[Tensor, ""]: ...


def byte(x: UInt8[Tensor, " n"]) -> Float64[Tensor, ""]: ...


def truth(x: Bool[Tensor, " n"]) -> Float64[Tensor, ""]: ...


def number(x: Float64[Tensor, ""]) -> Float64[Tensor, ""]: ...


def drawn(x: Float64[Tensor, " n"], generator: torch.Generator) -> Float64[Tensor, " n"]: ...


class Model:
    def __init__(self, w: Float64[Tensor, " n"]) -> None: ...

    def step(
        self, x: Float64[Tensor, " n"], *, rate: Float64[Tensor, ""]
    ) -> Float64[Tensor, " n"]: ...


def use(model: Model, x: Float64[Tensor, " n"]) -> Float64[Tensor, " n"]: ...
"""
X = np.arange(6.0).reshape(3, 2)
#: Bodies of ``f(x)`` that change x, which is [[0, 1], [2, 3], [4, 5]].
CHANGES = {
    "operator": "x += 1",
    "method": "x.mul_(2)",
    "item": "x[0, 0] = 9",
    "one bit": "x[0, 0] = -0.0",
    "not a number": "x[0, 0] = float('nan')",
    "numpy": "x.numpy()[1] = 9",
    "asarray": "numpy.asarray(x)[1] = 9",
    "detached": "x.detach().zero_()",
    "data": "x.data.zero_()",
    "other data": "x.data = x * 2",
    "view": "x.view(-1)[3] = 9",
    "row": "row = x[2]\n    row -= row.mean()",
    "transposed": "x.T[0] = 9",
    "out": "torch.exp(x, out=x)",
    "initialised": "torch.nn.init.ones_(x)",
    "parameter": "p = torch.nn.Parameter(x)\n    with torch.no_grad(): p -= 1",
    "optimiser": (
        "p = torch.nn.Parameter(x)\n    p.square().sum().backward()\n"
        "    torch.optim.SGD([p], lr=0.1).step()"
    ),
    "normalised": "torch.nn.functional.relu(x.sub_(x.mean()), inplace=True)",
    "shape": "x.unsqueeze_(0)",
    "transpose of it": "x.t_()",
    "emptied": "x.set_()",
    "swapped": "torch.utils.swap_tensors(x, x + 1)",
}
#: Bodies of ``f(x)`` that leave x as it was.
HARMLESS = {
    "itself": "return x",
    "a view": "return x[1:].T",
    "a copy": "x = x.clone()\n    x += 1",
    "rebound": "x = x + 1",
    "differentiated": "x.requires_grad_()\n    x.square().sum().backward()\n    return x.grad",
    "the same bits": "x.neg_().neg_()",
    "renamed": "x.note = 3",
}


@pytest.fixture
def run(tmp_path):
    """Makes a program of these functions, and returns it as a measurement sees it."""
    (tmp_path / "starter.py").write_text(STARTER)
    contract = read_contract(tmp_path / "starter.py")

    def made(source):
        (tmp_path / "program.py").write_text(f"import numpy, torch\n{source}\n")
        load = {"op": "load", "module": "changing", "file": "program.py", "given": False}
        return ProgramProxy(LocalChannel(tmp_path, load), contract, np.random.default_rng(1))

    return made


def refused(call):
    with pytest.raises(ProgramError) as caught:
        call()
    return caught.value.cause, caught.value.message


@pytest.mark.parametrize("how", CHANGES)
def test_a_changed_argument_is_an_error_however_it_is_changed(run, how):
    student = run(f"def f(x):\n    {CHANGES[how]}\n    return torch.zeros(3, dtype=x.dtype)")
    cause, message = refused(lambda: student.f(X))
    assert cause == "changed-argument"
    assert "f changed its argument x in place: clone it first (x = x.clone())" in message


@pytest.mark.parametrize("how", HARMLESS)
def test_what_leaves_an_argument_as_it_was_is_no_error(run, how):
    student = run(f"def f(x):\n    {HARMLESS[how]}\n    return torch.zeros(3, dtype=x.dtype)")
    assert np.isfinite(student.f(X)).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("real", np.ones(4, dtype=np.float32)),
        ("whole", np.ones(4, dtype=np.int64)),
        ("byte", np.ones(4, dtype=np.uint8)),
        ("truth", np.ones(4, dtype=bool)),
        ("number", np.ones(())),
        ("whole", np.ones(20_001, dtype=np.int64)),
        ("byte", np.ones(20_001, dtype=np.uint8)),
    ],
)
def test_every_dtype_and_size_is_watched(run, name, value):
    student = run(
        f"def {name}(x):\n    x.view(-1)[-1:] = 0\n    return torch.zeros((), dtype=torch.float64)"
    )
    assert refused(lambda: getattr(student, name)(value))[0] == "changed-argument"


def test_values_that_are_no_numbers_are_left_alone(run):
    student = run("def f(x):\n    return x")
    odd = np.array([[np.nan, -0.0], [np.inf, -np.inf]])
    assert student.f(odd).tobytes() == odd.tobytes()
    assert student.f(np.zeros((0, 2))).shape == (0, 2)


def test_arrays_of_any_strides_are_watched_and_never_reach_the_program(run):
    student = run("def f(x):\n    if x[0, 0] > 0: x[0] = 0\n    return x")
    wide = np.asfortranarray(np.arange(20_000.0).reshape(100, 200))[::2, ::-1]
    assert refused(lambda: student.f(wide))[0] == "changed-argument"
    assert wide[0, 0] == 199
    assert (student.f(wide - 199) == wide - 199).all()


def test_the_error_names_the_argument_as_the_statement_does(run):
    student = run("def two(a, b):\n    b.zero_()\n    return a")
    cause, message = refused(lambda: student.two(X[0], X[1]))
    assert (cause, "argument eps in place" in message) == ("changed-argument", True)


def test_a_call_after_an_error_has_its_arguments_as_they_were_sent(run):
    student = run("def f(x):\n    if x[0, 0] == 0: x += 1\n    return x")
    assert refused(lambda: student.f(X))[0] == "changed-argument"
    assert (student.f(X + 1) == X + 1).all()
    assert refused(lambda: student.f(X))[0] == "changed-argument"
    assert X[0, 0] == 0


def test_constructors_and_methods_are_watched(run):
    source = (
        "class Model:\n    def __init__(self, w):\n        w /= 2\n"
        "    def step(self, x, *, rate):\n        {}\n        return x"
    )
    cause, message = refused(lambda: run(source.format("pass")).new("Model", X[1]))
    assert (cause, "Model changed its argument w" in message) == ("changed-argument", True)
    kept = source.replace("w /= 2", "self.w = w.clone()")
    half = np.array(0.5)
    for body, name in (("x -= 1", "x"), ("rate.zero_()", "rate")):
        model = run(kept.format(body)).new("Model", X[1])
        cause, message = refused(lambda model=model: model.step(X[0], rate=half))
        assert cause == "changed-argument"
        assert f"step changed its argument {name}" in message


def test_what_an_object_keeps_is_its_own(run):
    source = (
        "class Model:\n    def __init__(self, w):\n        self.w = w\n"
        "    def step(self, x, *, rate):\n        self.w -= rate * x\n        return self.w"
    )
    model = run(source).new("Model", X[1])
    model.step(X[0], rate=np.array(1.0))
    assert model.step(X[0], rate=np.array(1.0)).tolist() == [2.0, 1.0]


def test_what_is_meant_to_be_changed_is_not_watched(run):
    student = run(
        "class Model:\n    def __init__(self, w):\n        self.w = w.clone()\n"
        "def use(model, x):\n    model.w += x\n    return model.w\n"
        "def drawn(x, generator):\n"
        "    return x + torch.randn(len(x), generator=generator, dtype=x.dtype)"
    )
    assert student.use(student.new("Model", X[1]), X[1]).tolist() == [4.0, 6.0]
    assert student.drawn(X[0], student.generator()).shape == (2,)


def test_a_gradient_is_refused_where_an_argument_was_changed(run):
    student = run("def two(mu, eps):\n    eps *= 2\n    return mu * eps")
    cause, message = refused(lambda: student.vjp("two", (X[1], X[2]), (0,), X[1]))
    assert (cause, "two changed its argument eps" in message) == ("changed-argument", True)


def test_a_backward_of_ones_own_is_watched_too(run):
    student = run(
        "class Twice(torch.autograd.Function):\n"
        "    @staticmethod\n    def forward(ctx, mu, eps):\n"
        "        ctx.save_for_backward(eps)\n        return 2 * mu\n"
        "    @staticmethod\n    def backward(ctx, g):\n"
        "        ctx.saved_tensors[0].zero_()\n        return 2 * g, None\n"
        "two = Twice.apply\n"
    )
    cause, _ = refused(lambda: student.vjp("two", (X[1], X[2]), (0,), X[1]))
    assert cause == "changed-argument"


def test_a_change_is_seen_in_a_sandbox_and_the_worker_goes_on(lab):
    source = "def square(x):\n    return x.square_() if x[0, 0] == 0 else x.square()\n"
    with lab.session("changes", source=source) as session:
        pids = set()
        for _ in range(2):
            with pytest.raises(ProgramError, match="square changed its argument x") as caught:
                with session.trial(LIMITS):
                    lab.student(session).square(X)
            assert caught.value.cause == "changed-argument"
            with session.trial(LIMITS):
                assert (lab.student(session).square(X + 1) == (X + 1) ** 2).all()
                pids.add(session.worker_pid)
        assert len(pids) == 1
