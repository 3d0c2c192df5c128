"""One of everything that a contract can ask for."""

from collections.abc import Callable

import gymnasium
import numpy
import torch
from jaxtyping import Bool, Float32, Float64, Int64, UInt8
from torch import Tensor


def square(x: Float64[Tensor, "b k"]) -> Float64[Tensor, "b k"]: ...


def product(a: Float64[Tensor, " n"], b: Float64[Tensor, " n"]) -> Float64[Tensor, ""]: ...


def kinds(
    a: Float64[Tensor, " n"],
    b: Float32[Tensor, " n"],
    c: Int64[Tensor, " n"],
    d: UInt8[Tensor, " n"],
    e: Bool[Tensor, " n"],
) -> tuple[
    Float64[Tensor, " n"],
    Float32[Tensor, " n"],
    Int64[Tensor, " n"],
    UInt8[Tensor, " n"],
    Bool[Tensor, " n"],
]: ...


def scalars(i: int, x: float, b: bool, s: str) -> tuple[int, float, bool]: ...


def scaled(x: Float64[Tensor, ""], factor: float = 2.0) -> Float64[Tensor, ""]: ...


def noise(n: int, generator: torch.Generator) -> Float64[Tensor, " n"]: ...


def numpy_noise(n: int, generator: numpy.random.Generator) -> Float64[Tensor, " n"]: ...


def global_noise(n: int) -> Float64[Tensor, "n 3"]: ...


def apply(
    f: Callable[[Float64[Tensor, " d"]], Float64[Tensor, ""]], x: Float64[Tensor, " d"]
) -> Float64[Tensor, ""]: ...


def read(path: str) -> int: ...


def play(env: gymnasium.vector.VectorEnv, steps: int) -> tuple[int, float]: ...


def choose(env: gymnasium.vector.VectorEnv, action: int) -> int: ...


def predict(model: "Model", x: Float64[Tensor, " n"]) -> Float64[Tensor, " n"]: ...


def nothing() -> None: ...


class Model(torch.nn.Module):
    def __init__(self, slope: float, offset: float = 0.0) -> None: ...

    def predict(self, x: Float64[Tensor, " n"]) -> Float64[Tensor, " n"]: ...

    def count(self) -> int: ...


class Plain:
    def __init__(self) -> None: ...
