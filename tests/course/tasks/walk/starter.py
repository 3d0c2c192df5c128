"""A line, a descent and a game. Fill in the bodies; keep the signatures."""

from collections.abc import Callable

import gymnasium
import torch
from jaxtyping import Float64
from torch import Tensor


class Line(torch.nn.Module):
    """y = a x + b with parameters a and b."""

    def __init__(self, a: float, b: float) -> None:
        raise NotImplementedError

    def predict(self, x: Float64[Tensor, " n"]) -> Float64[Tensor, " n"]:
        """a x + b."""
        raise NotImplementedError


def minimise(
    f: Callable[[Float64[Tensor, " d"]], Float64[Tensor, ""]], start: Float64[Tensor, " d"]
) -> Float64[Tensor, " d"]:
    """A point near the minimum of f."""
    raise NotImplementedError


def play(env: gymnasium.vector.VectorEnv, episodes: int) -> int:
    """Plays at least so many episodes; the number of steps of the vector environment."""
    raise NotImplementedError
