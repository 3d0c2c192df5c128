"""REINFORCE with rewards to go on a cart-pole. Fill in the bodies; keep the signatures.

Rewards, returns, logits and observations are float64, actions int64. n is the number of episodes
of a batch, t the number of steps of the longest one, a the number of actions, b any number of
observations and o the number of their components. `rewards[i, t]` follows `actions[i, t]`;
`mask[i, t]` says that episode i was still running when that action was taken.
"""

import gymnasium
import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def reward_to_go(
    rewards: Float64[Tensor, "n t"], mask: Bool[Tensor, "n t"], gamma: float
) -> Float64[Tensor, "n t"]:
    """G_t = Σ_{t' ≥ t} γ^(t'-t) r_t' over the steps of the episode; 0 where the mask is False."""
    raise NotImplementedError


def reinforce_loss(
    logits: Float64[Tensor, "n t a"],
    actions: Int64[Tensor, "n t"],
    returns: Float64[Tensor, "n t"],
    mask: Bool[Tensor, "n t"],
) -> Float64[Tensor, ""]:
    """-(1/n) Σ_i Σ_t G_t log π(a_t|s_t) over the steps where the mask is True."""
    raise NotImplementedError


class Policy:
    """A policy network π(a|s) that learns in one environment and then acts."""

    def __init__(self, observations: int, actions: int, generator: torch.Generator) -> None:
        """A fresh network for so many components of an observation and so many actions."""
        raise NotImplementedError

    def learn(self, env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
        """Learns with at most so many calls of env.step(); returns how many were made."""
        raise NotImplementedError

    def act(self, observations: Float64[Tensor, "b o"]) -> Int64[Tensor, " b"]:
        """The most probable action for every row; learns nothing."""
        raise NotImplementedError
