"""Baselines in policy gradients, as in the lectures.

π(a|s) = softmax θ[s, ·]. G_t = Σ_{t' ≥ t} r_t' is the reward to go and u_t = ∇_θ log π(a_t|s_t)
the score of step t. Sources: S1 "Variance reduction" (Idea 1 and Baseline), S2 "REINFORCE with
Baseline", S3 "Reward Baselines"; for the best baselines Weaver & Tao 2001 and Greensmith,
Bartlett & Baxter 2004, section 4.
"""

import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torch.nn.functional import one_hot


def _step_scores(
    states: Int64[Tensor, "n t"], actions: Int64[Tensor, "n t"], theta: Float64[Tensor, "s a"]
) -> Float64[Tensor, "n t s a"]:
    """u_t: row s_t holds 1{a = a_t} - π(a|s_t), the other rows are zero."""
    n_states, n_actions = theta.shape
    pi = theta.softmax(dim=1)
    row = one_hot(actions, n_actions) - pi[states]
    return one_hot(states, n_states)[..., None] * row[:, :, None, :]


def _reward_to_go(rewards: Float64[Tensor, "n t"]) -> Float64[Tensor, "n t"]:
    """G_t = Σ_{t' ≥ t} r_t'."""
    return rewards.flip(1).cumsum(1).flip(1)


def pg_baseline(
    states: Int64[Tensor, "n t"],
    actions: Int64[Tensor, "n t"],
    rewards: Float64[Tensor, "n t"],
    theta: Float64[Tensor, "s a"],
    baseline: Float64[Tensor, "t s"],
) -> Float64[Tensor, "n s a"]:
    """Σ_t (G_t - b_t(s_t)) u_t for every trajectory."""
    steps = torch.arange(states.shape[1])
    b = baseline[steps, states]
    advantage = _reward_to_go(rewards) - b
    return torch.einsum("nt,ntsa->nsa", advantage, _step_scores(states, actions, theta))


def optimal_baseline(
    scores: Float64[Tensor, "n p"],
    returns: Float64[Tensor, " n"],
    weights: Float64[Tensor, " n"],
) -> Float64[Tensor, ""]:
    """b* = E[R |u|²] / E[|u|²], where ∂/∂b of E|(R - b) u|² is zero."""
    squared = (scores**2).sum(dim=1)
    return (weights * returns * squared).sum() / (weights * squared).sum()


def optimal_state_baseline(
    states: Int64[Tensor, "n t"],
    actions: Int64[Tensor, "n t"],
    rewards: Float64[Tensor, "n t"],
    theta: Float64[Tensor, "s a"],
    weights: Float64[Tensor, " n"],
) -> Float64[Tensor, "t s"]:
    """b_t*(s) = E[1{s_t = s} u_t·g] / E[1{s_t = s} |u_t|²] with g = Σ_t' G_t' u_t'.

    The scores of different steps are uncorrelated given the earlier one, so the normal equations
    of min_b E|g - Σ_t b_t(s_t) u_t|² are diagonal. States that are never visited at t get 0.
    """
    u = _step_scores(states, actions, theta)
    g = torch.einsum("nt,ntsa->nsa", _reward_to_go(rewards), u)
    along = torch.einsum("ntsa,nsa->nt", u, g)
    squared = (u**2).sum(dim=(2, 3))
    visits = weights[:, None, None] * one_hot(states, theta.shape[0])
    above = torch.einsum("nts,nt->ts", visits, along)
    below = torch.einsum("nts,nt->ts", visits, squared)
    return torch.where(below > 0, above / below, 0.0)


def ema_baseline(returns: Float64[Tensor, " n"], beta: float) -> Float64[Tensor, " n"]:
    """b_0 = 0, b_{i+1} = β b_i + (1 - β) R_i: trajectory i is judged by the earlier ones."""
    b = torch.zeros_like(returns)
    for i in range(len(returns) - 1):
        b[i + 1] = beta * b[i] + (1 - beta) * returns[i]
    return b


def fit_baseline(
    states: Int64[Tensor, "n t"],
    actions: Int64[Tensor, "n t"],
    rewards: Float64[Tensor, "n t"],
    theta: Float64[Tensor, "s a"],
) -> Float64[Tensor, "t s"]:
    """Monte-Carlo estimate of v_π: the mean reward to go of the visits to s at step t."""
    visits = one_hot(states, theta.shape[0]).to(rewards.dtype)
    total = torch.einsum("nts,nt->ts", visits, _reward_to_go(rewards))
    return total / visits.sum(dim=0).clamp(min=1)
