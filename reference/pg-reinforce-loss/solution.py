"""The REINFORCE loss with its three kinds of weight, as in the lectures.

p(τ; θ) = h(s_0) Π_t π(a_t|s_t) Π_t P(s_{t+1}|s_t, a_t), π(a|s) = softmax θ[s, ·]. Sources: S3
"REINFORCE" ("Important Trick!", "Unpacking the REINFORCE gradient", future rewards); S1 "REINFORCE
algorithm" (the box with γ^t G_t) and "Variance reduction" (Ideas 1 and 2); S2 "REINFORCE Algorithm"
(the weighted variant of NLL); Williams 1992.
"""

import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torch.nn.functional import one_hot


def _log_pi(
    logits: Float64[Tensor, "b t a"], actions: Int64[Tensor, "b t"]
) -> Float64[Tensor, "b t"]:
    """ln π(a_t|s_t)."""
    return logits.log_softmax(dim=2).gather(2, actions[:, :, None]).squeeze(2)


def _log_p(
    states: Int64[Tensor, "b t"],
    actions: Int64[Tensor, "b t"],
    theta: Float64[Tensor, "s a"],
    start: Float64[Tensor, " s"],
    transitions: Float64[Tensor, "s a s"],
) -> Float64[Tensor, " b"]:
    """ln h(s_0) + Σ_t ln π(a_t|s_t) + Σ_t ln P(s_{t+1}|s_t, a_t)."""
    policy = _log_pi(theta[states], actions).sum(dim=1)
    moves = transitions[states[:, :-1], actions[:, :-1], states[:, 1:]]
    return start[states[:, 0]].log() + policy + moves.log().sum(dim=1)


def _to_go(rewards: Float64[Tensor, "b t"], gamma: float) -> Float64[Tensor, "b t"]:
    """G_t = r_t + γ G_{t+1}, from the last step backwards."""
    G = rewards.clone()
    for t in reversed(range(rewards.shape[1] - 1)):
        G[:, t] = rewards[:, t] + gamma * G[:, t + 1]
    return G


def _discounts(rewards: Float64[Tensor, "b t"], gamma: float) -> Float64[Tensor, " t"]:
    """γ^t, and 1 for t = 0 whatever γ is."""
    return gamma ** torch.arange(rewards.shape[1], dtype=rewards.dtype)


def log_prob(
    states: Int64[Tensor, "b t"],
    actions: Int64[Tensor, "b t"],
    theta: Float64[Tensor, "s a"],
    start: Float64[Tensor, " s"],
    transitions: Float64[Tensor, "s a s"],
) -> Float64[Tensor, " b"]:
    """ln p(τ; θ); by θ only the terms of the policy have a gradient."""
    return _log_p(states, actions, theta, start, transitions)


def prob_gradient(
    states: Int64[Tensor, "b t"],
    actions: Int64[Tensor, "b t"],
    theta: Float64[Tensor, "s a"],
    start: Float64[Tensor, " s"],
    transitions: Float64[Tensor, "s a s"],
) -> Float64[Tensor, "b s a"]:
    """∇p(τ) = p(τ) ∇ ln p(τ) = p(τ) Σ_t ∇ ln π(a_t|s_t)."""
    n_states, n_actions = theta.shape
    p = _log_p(states, actions, theta, start, transitions).exp()
    row = one_hot(actions, n_actions) - theta.softmax(dim=1)[states]
    visits = one_hot(states, n_states).to(theta.dtype)
    return p[:, None, None] * torch.einsum("bts,bta->bsa", visits, row)


def total_return(rewards: Float64[Tensor, "b t"], gamma: float) -> Float64[Tensor, "b 1"]:
    """R(τ) = Σ_t γ^t r_t."""
    return (_discounts(rewards, gamma) * rewards).sum(dim=1, keepdim=True)


def reward_to_go(rewards: Float64[Tensor, "b t"], gamma: float) -> Float64[Tensor, "b t"]:
    """G_t = Σ_{t' ≥ t} γ^(t' - t) r_t'."""
    return _to_go(rewards, gamma)


def discounted_reward_to_go(
    rewards: Float64[Tensor, "b t"], gamma: float
) -> Float64[Tensor, "b t"]:
    """γ^t G_t, the factor of S1's box."""
    return _discounts(rewards, gamma) * _to_go(rewards, gamma)


def reinforce_loss(
    logits: Float64[Tensor, "b t a"],
    actions: Int64[Tensor, "b t"],
    weights: Float64[Tensor, "b t"],
) -> Float64[Tensor, " b"]:
    """-Σ_t w_t ln π(a_t|s_t): the weighted NLL of the actions taken."""
    w = weights.detach()
    return -(w * _log_pi(logits, actions)).sum(dim=1)


def total_return_loss(
    logits: Float64[Tensor, "n t a"],
    actions: Int64[Tensor, "n t"],
    returns: Float64[Tensor, "n 1"],
) -> Float64[Tensor, ""]:
    """-(1/n) Σ_i R_i Σ_t ln π(a_t|s_t)."""
    R = returns.detach().squeeze(1)
    log_pi = _log_pi(logits, actions).sum(dim=1)
    return -(R * log_pi).mean()
