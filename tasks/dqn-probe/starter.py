"""A small deep Q-learner. Fill in the bodies; keep the signatures.

Observations, rewards and values are float64, actions int64 from 0. n is the number of episodes side
by side, t the number of steps of a record, o the number of components of an observation, a the
number of actions, m the number of transitions, b any number of observations. Environments are in
Gymnasium's next-step mode.
"""

import gymnasium
import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def transitions(
    first: Float64[Tensor, "n o"],
    actions: Int64[Tensor, "t n"],
    rewards: Float64[Tensor, "t n"],
    arrived: Float64[Tensor, "t n o"],
    terminated: Bool[Tensor, "t n"],
    truncated: Bool[Tensor, "t n"],
) -> tuple[
    Float64[Tensor, "m o"],
    Int64[Tensor, " m"],
    Float64[Tensor, " m"],
    Float64[Tensor, "m o"],
    Bool[Tensor, " m"],
]:
    """(s, a, r, s', d) of what a replay memory stores of a record, step by step."""
    raise NotImplementedError


class Agent:
    """Q(s, a) by a network that learns in one environment."""

    def __init__(self, observations: int, actions: int, generator: torch.Generator) -> None:
        """A fresh network for so many components of an observation and so many actions."""
        raise NotImplementedError

    def learn(
        self,
        env: gymnasium.vector.VectorEnv,
        steps: int,
        gamma: float,
        generator: torch.Generator,
    ) -> int:
        """Learns Q* with at most so many calls of env.step(); returns how many were made."""
        raise NotImplementedError

    def q(self, observations: Float64[Tensor, "b o"]) -> Float64[Tensor, "b a"]:
        """Q(s, a) of every row and action; learns nothing."""
        raise NotImplementedError
