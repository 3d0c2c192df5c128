"""Returns and trajectory probabilities, as on S2 "Markov Decision Process" and S3
"Markov Decision Processes".

G_t = r_t + γ G_{t+1} up to the end of the episode of step t, R(τ) = Σ_t γ^t r_t, and
p(τ) = h(s_0) Π_t π(a_t|s_t) P(s_{t+1}|s_t, a_t) with as many moves as actions.
"""

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def stream_returns(
    rewards: Float64[Tensor, " t"], ends: Bool[Tensor, " t"], gamma: float
) -> Float64[Tensor, " t"]:
    """G_t = r_t + γ G_{t+1}, where nothing follows the last step of an episode."""
    G = torch.zeros_like(rewards)
    ahead = torch.zeros((), dtype=rewards.dtype)
    for t in reversed(range(len(rewards))):
        if ends[t]:
            ahead = torch.zeros_like(ahead)
        ahead = rewards[t] + gamma * ahead
        G[t] = ahead
    return G


def padded_returns(
    rewards: Float64[Tensor, "b t"], mask: Bool[Tensor, "b t"], gamma: float
) -> Float64[Tensor, "b t"]:
    """G_t = r_t + γ G_{t+1} in every row, 0 in the padding."""
    r = rewards.masked_fill(~mask, 0.0)
    G = torch.zeros_like(r)
    ahead = torch.zeros_like(r[:, 0])
    for t in reversed(range(r.shape[1])):
        ahead = r[:, t] + gamma * ahead
        G[:, t] = ahead
    return G


def trajectory_return(
    rewards: Float64[Tensor, "b t"], mask: Bool[Tensor, "b t"], gamma: float
) -> Float64[Tensor, " b"]:
    """R(τ) = Σ_t γ^t r_t, with 0^0 = 1."""
    r = rewards.masked_fill(~mask, 0.0)
    t = torch.arange(r.shape[1], dtype=r.dtype)
    return (gamma**t * r).sum(dim=1)


def log_prob(
    states: Int64[Tensor, "b t"],
    actions: Int64[Tensor, "b t"],
    last: Int64[Tensor, " b"],
    mask: Bool[Tensor, "b t"],
    start: Float64[Tensor, " s"],
    policy: Float64[Tensor, "s a"],
    transitions: Float64[Tensor, "s a s"],
) -> Float64[Tensor, " b"]:
    """ln h(s_0) + Σ_t (ln π(a_t|s_t) + ln P(s_{t+1}|s_t, a_t)), with s_T = last."""
    following = torch.cat([states[:, 1:], last[:, None]], dim=1)
    goes_on = torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], dim=1)
    following = torch.where(goes_on, following, last[:, None])
    log_pi = policy[states, actions].log()
    log_P = transitions[states, actions, following].log()
    steps = (log_pi + log_P).masked_fill(~mask, 0.0)
    return start[states[:, 0]].log() + steps.sum(dim=1)
