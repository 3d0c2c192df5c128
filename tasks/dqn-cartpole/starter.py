"""Deep Q-learning on a cart-pole. Fill in the bodies; keep the signatures.

Rewards, values and targets are float64 where the grader calls you. b is the number of transitions
of a batch, a the number of actions. The values of the next states come from the network that learns
(`q_next`) and from the one that is copied from it now and then (`q_next_target`).
"""

import gymnasium
import torch
from jaxtyping import Bool, Float64
from torch import Tensor


def double_targets(
    rewards: Float64[Tensor, " b"],
    q_next: Float64[Tensor, "b a"],
    q_next_target: Float64[Tensor, "b a"],
    terminated: Bool[Tensor, " b"],
    truncated: Bool[Tensor, " b"],
    gamma: float,
) -> Float64[Tensor, " b"]:
    """r + γ Q⁻(s', argmax_a Q(s', a)), and r where s' is terminal."""
    raise NotImplementedError


def train(env: gymnasium.vector.VectorEnv, steps: int, generator: torch.Generator) -> int:
    """Learns with at most so many calls of env.step(); returns how many were made."""
    raise NotImplementedError
