"""Parallel Q-learning on a small Breakout. Fill in the bodies; keep the signatures.

Rewards, values and returns are float64, actions int64, observations Bool [c h w] each: c channels
of h by w cells. t is the number of steps of a rollout, n the number of games that are played side
by side, a the number of actions, b any number of observations. Step i of game j leads to the
observation whose values are `q_next[i, j]`.
"""

import gymnasium
import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def lambda_returns(
    rewards: Float64[Tensor, "t n"],
    q_next: Float64[Tensor, "t n a"],
    terminated: Bool[Tensor, "t n"],
    truncated: Bool[Tensor, "t n"],
    gamma: float,
    lam: float,
) -> Float64[Tensor, "t n"]:
    """y_t = r_t + γ ((1-λ) max_a Q(s', a) + λ y_{t+1}), with what the statement says of ends."""
    raise NotImplementedError


class Player:
    """Values Q(s, a) that are learnt in one environment, and the policy that is greedy in them."""

    def __init__(self, channels: int, actions: int, generator: torch.Generator) -> None:
        """Fresh values for observations [channels 10 10] and so many actions."""
        raise NotImplementedError

    def learn(self, env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
        """Learns with at most so many calls of env.step(); returns how many were made."""
        raise NotImplementedError

    def act(self, observations: Bool[Tensor, "b c h w"]) -> Int64[Tensor, " b"]:
        """The action of the largest value for every row; learns nothing."""
        raise NotImplementedError
