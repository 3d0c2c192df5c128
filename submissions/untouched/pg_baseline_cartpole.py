"""REINFORCE with a learnt baseline on a cart-pole. Fill in the bodies; keep the signatures.

Rewards, values, logits and observations are float64, actions int64. n is the number of episodes of
a batch, t the number of steps of the longest one, a the number of actions, b any number of
observations and o the number of their components. `rewards[i, t]` follows `actions[i, t]`;
`mask[i, t]` says that episode i was still running when that action was taken; `values[i, t]` is
what the value network says of the state in which it was taken.
"""

import gymnasium
import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def advantages(
    rewards: Float64[Tensor, "n t"],
    values: Float64[Tensor, "n t"],
    mask: Bool[Tensor, "n t"],
    gamma: float,
) -> Float64[Tensor, "n t"]:
    """G_t - V(s_t) where the mask is True, else 0."""
    raise NotImplementedError


def others_mean(
    rewards: Float64[Tensor, "n t"], mask: Bool[Tensor, "n t"], gamma: float
) -> Float64[Tensor, "n t"]:
    """The mean G_t of the other episodes that are running at step t; 0 if there are none."""
    raise NotImplementedError


def policy_loss(
    logits: Float64[Tensor, "n t a"],
    actions: Int64[Tensor, "n t"],
    rewards: Float64[Tensor, "n t"],
    values: Float64[Tensor, "n t"],
    mask: Bool[Tensor, "n t"],
    gamma: float,
) -> Float64[Tensor, ""]:
    """-(1/n) Σ_i Σ_t (G_t - V(s_t)) log π(a_t|s_t); the advantages are numbers."""
    raise NotImplementedError


def value_loss(
    values: Float64[Tensor, "n t"],
    rewards: Float64[Tensor, "n t"],
    mask: Bool[Tensor, "n t"],
    gamma: float,
) -> Float64[Tensor, ""]:
    """The mean of (V(s_t) - G_t)² over all steps where the mask is True; G_t is a number."""
    raise NotImplementedError


class Agent:
    """A policy network and a value network that learn in one environment; then it acts."""

    def __init__(self, observations: int, actions: int, generator: torch.Generator) -> None:
        """Fresh networks for so many components of an observation and so many actions."""
        raise NotImplementedError

    def learn(self, env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
        """Learns with at most so many calls of env.step(); returns how many were made."""
        raise NotImplementedError

    def act(self, observations: Float64[Tensor, "b o"]) -> Int64[Tensor, " b"]:
        """The most probable action for every row; learns nothing."""
        raise NotImplementedError
