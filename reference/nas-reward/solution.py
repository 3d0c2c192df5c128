"""Reward and controller of an architecture search, as in the lecture.

Sources: S2 "EfficientNet Search" for the reward, β and the counts, S2 "Neural Architecture Search:
NASNet, 2017" for a controller that is trained by REINFORCE with a baseline. The cell of the
controller is Elman's; Zoph & Le 2017, section 3.2, for the moving average.
"""

import math

import torch
from jaxtyping import Float64, Int64
from torch import Tensor


def reward(
    accuracy: Float64[Tensor, " b"], flops: Float64[Tensor, " b"], target: float, exponent: float
) -> Float64[Tensor, " b"]:
    """ACC(m) · (T / FLOPS(m))^w."""
    ratio = target / flops
    return accuracy * ratio**exponent


def balance(factor: Float64[Tensor, " b"], gain: Float64[Tensor, " b"]) -> Float64[Tensor, " b"]:
    """β = log(1 + gain) / log(factor)."""
    return torch.log1p(gain) / torch.log(factor)


def decisions(cells: int, blocks: int, parameters: int) -> int:
    """Every block of every cell has its own parameters."""
    return cells * blocks * parameters


def log_prob(
    sequences: Int64[Tensor, "b t"],
    last: Int64[Tensor, " t"],
    W: Float64[Tensor, "h h"],
    E: Float64[Tensor, "k h"],
    c: Float64[Tensor, " h"],
    V: Float64[Tensor, "k h"],
    d: Float64[Tensor, "t k"],
) -> Float64[Tensor, " b"]:
    """Σ_t log π(a_t | a_0, ..., a_{t-1}), with h_t = tanh(W h_{t-1} + E[a_{t-1}] + c)."""
    b, steps = sequences.shape
    closed = torch.arange(len(V)) > last[:, None]
    h = torch.zeros(b, len(c), dtype=torch.float64)
    log_p = torch.zeros(b, dtype=torch.float64)
    for t in range(steps):
        before = E[sequences[:, t - 1]] if t > 0 else torch.zeros_like(h)
        h = torch.tanh(h @ W.T + before + c)
        logits = h @ V.T + d[t]
        log_pi = torch.log_softmax(logits.masked_fill(closed[t], -math.inf), dim=1)
        log_p = log_p + log_pi[torch.arange(b), sequences[:, t]]
    return log_p


def controller_loss(
    log_probs: Float64[Tensor, " b"], rewards: Float64[Tensor, " b"], baseline: float
) -> Float64[Tensor, ""]:
    """-(1/B) Σ_i (R_i - baseline) log p_i."""
    advantage = rewards - baseline
    return -(advantage * log_probs).mean()


def moving_baseline(
    baseline: float, rewards: Float64[Tensor, " b"], decay: float
) -> Float64[Tensor, ""]:
    """decay · baseline + (1 - decay) · mean reward."""
    return decay * baseline + (1 - decay) * rewards.mean()
