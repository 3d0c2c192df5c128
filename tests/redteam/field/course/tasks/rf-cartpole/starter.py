# ruff: noqa: F722
"""An agent that learns to balance a pole. Fill in the bodies; keep the signatures."""

import gymnasium
import torch
from jaxtyping import Float64, Int64
from torch import Tensor


class Agent:
    """Learns in one environment, then acts."""

    def __init__(self, observations: int, actions: int) -> None:
        raise NotImplementedError

    def learn(self, env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
        """Learns with at most so many steps of the vector environment; returns those used."""
        raise NotImplementedError

    def act(self, observations: Float64[Tensor, "b o"]) -> Int64[Tensor, " b"]:
        """One action a row."""
        raise NotImplementedError

    def evaluate(
        self, env: gymnasium.vector.VectorEnv, episodes: int
    ) -> Float64[Tensor, " episodes"]:
        """Plays whole episodes and reports their returns."""
        raise NotImplementedError
