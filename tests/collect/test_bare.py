"""Programs without a sandbox: the worker's own code answers, and nothing is shared by mistake."""

import numpy as np
import pytest

from harness.collect.bare import LocalChannel, LocalTransport
from harness.collect.proxy import ProgramProxy
from harness.contract import read_contract
from harness.errors import ProgramError
from harness.wire import Frame
from tests.sandbox.lab import PROGRAMS

X = np.arange(6.0).reshape(3, 2)
LOAD = {"op": "load", "module": "bare_program", "file": "honest.py", "given": True}


class Env:
    num_envs = 2

    def reset(self, *, seed=None):
        self.start = np.ones((2, 1))
        return self.start, {}

    def step(self, actions):
        ended = np.ones(2, dtype=bool)
        return np.ones((2, 1)), actions * 1.0, ended, ~ended, {}


@pytest.fixture
def student():
    channel = LocalChannel(PROGRAMS, LOAD)
    return ProgramProxy(channel, read_contract(PROGRAMS / "starter.py"), np.random.default_rng(1))


def test_calls_objects_and_gradients_are_answered(student):
    assert (student.square(X) == X**2).all()
    (slope,) = student.vjp("square", (X,), (0,), np.ones_like(X))
    assert (slope == 2 * X).all()
    model = student.new("Model", 2.0)
    assert model.predict(X[0]).tolist() == (2 * X[0]).tolist()


SIZED = """
import torch
from torch import Tensor
from jaxtyping import Float64


class Layer:
    def __init__(self, k: int, weights: Float64[Tensor, "d a"]) -> None:
        {body}

    def code(self, x: Float64[Tensor, "b d"]) -> Float64[Tensor, "b k"]:
        {body}

    def values(self, x: Float64[Tensor, "b d"]) -> Float64[Tensor, "b a"]:
        {body}
"""


def test_results_of_methods_have_the_sizes_of_the_constructor(tmp_path):
    (tmp_path / "starter.py").write_text(SIZED.replace("{body}", "raise NotImplementedError"))
    wide = "return torch.zeros(len(x), self.k, dtype=torch.float64)"
    bodies = iter(["self.k = k", wide, wide])
    parts = SIZED.split("{body}")
    (tmp_path / "sized.py").write_text(
        parts[0] + "".join(next(bodies) + part for part in parts[1:])
    )
    channel = LocalChannel(tmp_path, {**LOAD, "file": "sized.py", "given": False})
    contract = read_contract(tmp_path / "starter.py")
    student = ProgramProxy(channel, contract, np.random.default_rng(1))
    layer = student.new("Layer", 3, np.ones((2, 5)))
    assert layer.code(X).shape == (3, 3)
    with pytest.raises(ProgramError, match=r"shape \[b=3, a=5\], got float64 of shape \[3, 3\]"):
        layer.values(X)


def test_a_renewed_program_has_no_objects(student):
    model = student.new("Model", 2.0)
    student.renew()
    with pytest.raises(ProgramError, match="IndexError"):
        model.count()


def test_an_environment_is_served(student):
    served = student.serve(Env(), (1,), 2, max_steps=100)
    student.play(served, 3)
    assert served.steps == 6


def test_what_a_program_raises_is_its_error(student):
    served = student.serve(Env(), (1,), 2, max_steps=2)
    with pytest.raises(ProgramError) as caught:
        student.play(served, 3)
    assert caught.value.cause == "budget"


def test_arrays_of_an_environment_are_copied_both_ways():
    sent, answered = np.zeros(2), np.zeros(2)
    received = []

    def answer(message, arrays):
        received.extend(arrays)
        return Frame({"ok": True}, (answered,))

    transport = LocalTransport()
    transport.answer = answer
    transport.send({"op": "environment"}, [sent])
    (copy,) = transport.receive().arrays
    sent[:] = answered[:] = 1
    assert received[0].tolist() == copy.tolist() == [0, 0]


def test_an_environment_that_was_not_given_breaks_the_protocol():
    with pytest.raises(ProgramError, match="no environment was given"):
        LocalTransport().send({"op": "environment"}, [])
