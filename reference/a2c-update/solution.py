"""Losses and update of advantage actor-critic, as on S1 "Actor-Critic Algorithm".

A_t = Σ_{t' ≥ t} γ^{t'-t} r_{t'} - V_φ(s_t), where the sum ends after n steps, or where the episode
or the rollout does, and V_φ stands for what is left of it. θ goes up A ∇ log π, and φ goes down
∇ (G - V_φ)².
Sources: Mnih et al. 2016, algorithm S3 (n-step returns and both losses); Pardo et al. 2018 for
episodes that are cut off.
"""

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor
from torch.nn.functional import one_hot


def _returns(
    rewards: Float64[Tensor, "n t"],
    next_values: Float64[Tensor, "n t"],
    terminated: Bool[Tensor, "n t"],
    truncated: Bool[Tensor, "n t"],
    gamma: float,
    n_steps: int,
) -> Float64[Tensor, "n t"]:
    """G_t^(n) = r_t + γ G_{t+1}^(n-1); V(s'_t), or 0 if s'_t is terminal, where the sum ends."""
    last = torch.arange(rewards.shape[1]) == rewards.shape[1] - 1
    ends = terminated | truncated | last
    future = torch.where(terminated, 0.0, next_values)
    returns = rewards + gamma * future
    for _ in range(n_steps - 1):
        later = returns.roll(-1, dims=1)
        returns = rewards + gamma * torch.where(ends, future, later)
    return returns


def _log_pi(
    logits: Float64[Tensor, "... a"], actions: Int64[Tensor, "..."]
) -> Float64[Tensor, "..."]:
    """log π(a|s) of the actions that were taken."""
    return logits.log_softmax(dim=-1).gather(-1, actions[..., None]).squeeze(-1)


def _entropy(logits: Float64[Tensor, "... a"]) -> Float64[Tensor, "..."]:
    """H = -Σ_a π log π."""
    log_pi = logits.log_softmax(dim=-1)
    return -(log_pi.exp() * log_pi).sum(dim=-1)


def n_step_returns(
    rewards: Float64[Tensor, "n t"],
    next_values: Float64[Tensor, "n t"],
    terminated: Bool[Tensor, "n t"],
    truncated: Bool[Tensor, "n t"],
    gamma: float,
    n_steps: int,
) -> Float64[Tensor, "n t"]:
    """G_t^(n), see above."""
    return _returns(rewards, next_values, terminated, truncated, gamma, n_steps)


def advantage(q: Float64[Tensor, "b a"], logits: Float64[Tensor, "b a"]) -> Float64[Tensor, "b a"]:
    """A = Q - V with V(s) = Σ_a π(a|s) Q(s, a)."""
    pi = logits.softmax(dim=1)
    v = (pi * q).sum(dim=1, keepdim=True)
    return q - v


def actor_loss(
    logits: Float64[Tensor, "b a"],
    actions: Int64[Tensor, " b"],
    advantages: Float64[Tensor, " b"],
) -> Float64[Tensor, ""]:
    """L_π = -1/B Σ A log π(a|s), A constant."""
    weights = advantages.detach()
    return -(weights * _log_pi(logits, actions)).mean()


def critic_loss(
    values: Float64[Tensor, " b"], returns: Float64[Tensor, " b"]
) -> Float64[Tensor, ""]:
    """L_V = 1/B Σ (G - V)², G constant."""
    target = returns.detach()
    return ((target - values) ** 2).mean()


def entropy(logits: Float64[Tensor, "b a"]) -> Float64[Tensor, " b"]:
    """H(π(·|s))."""
    return _entropy(logits)


def a2c_loss(
    theta: Float64[Tensor, "d a"],
    phi: Float64[Tensor, " d"],
    features: Float64[Tensor, "n t d"],
    next_features: Float64[Tensor, "n t d"],
    actions: Int64[Tensor, "n t"],
    rewards: Float64[Tensor, "n t"],
    terminated: Bool[Tensor, "n t"],
    truncated: Bool[Tensor, "n t"],
    gamma: float,
    n_steps: int,
    value_weight: float,
    entropy_weight: float,
) -> Float64[Tensor, ""]:
    """L = L_π + c_V L_V - c_H H."""
    logits, values, next_values = features @ theta, features @ phi, next_features @ phi
    g = _returns(rewards, next_values, terminated, truncated, gamma, n_steps).detach()
    weights = (g - values).detach()
    actor = -(weights * _log_pi(logits, actions)).mean()
    critic = ((g - values) ** 2).mean()
    return actor + value_weight * critic - entropy_weight * _entropy(logits).mean()


def a2c_update(
    theta: Float64[Tensor, "d a"],
    phi: Float64[Tensor, " d"],
    features: Float64[Tensor, "n t d"],
    next_features: Float64[Tensor, "n t d"],
    actions: Int64[Tensor, "n t"],
    rewards: Float64[Tensor, "n t"],
    terminated: Bool[Tensor, "n t"],
    truncated: Bool[Tensor, "n t"],
    gamma: float,
    n_steps: int,
    alpha: float,
    beta: float,
) -> tuple[Float64[Tensor, "d a"], Float64[Tensor, " d"]]:
    """θ + α Σ_i Σ_t A ∇ log π and φ - β Σ_i Σ_t ∇ (G - V_φ)², both from the old φ."""
    g = _returns(rewards, next_features @ phi, terminated, truncated, gamma, n_steps)
    error = g - features @ phi
    score = one_hot(actions, theta.shape[1]) - (features @ theta).softmax(dim=-1)
    delta_theta = torch.einsum("nt,ntd,nta->da", error, features, score)
    delta_phi = torch.einsum("nt,ntd->d", -2 * error, features)
    return theta + alpha * delta_theta, phi - beta * delta_phi
