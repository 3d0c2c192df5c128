"""Advantage actor-critic on a cart-pole. Fill in the bodies; keep the signatures.

Rewards, values and advantages are float64 where the grader calls you. t is the number of steps of a
rollout, n the number of poles, which are moved side by side. Step i of pole j is taken in a state
of value `values[i, j]` and leads to one of value `next_values[i, j]`.
"""

import gymnasium
import torch
from jaxtyping import Bool, Float64
from torch import Tensor


def advantages(
    rewards: Float64[Tensor, "t n"],
    values: Float64[Tensor, "t n"],
    next_values: Float64[Tensor, "t n"],
    terminated: Bool[Tensor, "t n"],
    truncated: Bool[Tensor, "t n"],
    over: Bool[Tensor, " n"],
    gamma: float,
    lam: float,
) -> Float64[Tensor, "t n"]:
    """Σ_k (γλ)^k δ_{t+k} up to the end of the episode or rollout; 0 where an episode begins."""
    raise NotImplementedError


def train(env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
    """Learns with at most so many calls of env.step(); returns how many were made."""
    raise NotImplementedError
