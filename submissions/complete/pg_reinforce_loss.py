"""REINFORCE homework."""

import torch
import torch.nn.functional as F


def _dynamics(states, actions, start, transitions):
    s0 = states[:, 0]
    s, a, s_next = states[:, :-1], actions[:, :-1], states[:, 1:]
    return torch.cat([start[s0].unsqueeze(1), transitions[s, a, s_next]], dim=1)


def log_prob(states, actions, theta, start, transitions):
    log_pi = F.log_softmax(theta, dim=1)
    per_step = log_pi[states, actions] + _dynamics(states, actions, start, transitions).log()
    return per_step.sum(dim=1)


def prob_gradient(states, actions, theta, start, transitions):
    S, A = theta.shape
    pi = F.softmax(theta, dim=1)
    # how often each action was taken in each state, and each state visited
    taken = F.one_hot(states * A + actions, S * A).sum(dim=1).view(-1, S, A).double()
    visited = taken.sum(dim=2, keepdim=True)
    p = (pi[states, actions] * _dynamics(states, actions, start, transitions)).prod(dim=1)
    return p.view(-1, 1, 1) * (taken - visited * pi)


def _gammas(rewards, gamma):
    T = rewards.size(1)
    out = torch.ones(T, dtype=rewards.dtype)
    for t in range(1, T):
        out[t] = out[t - 1] * gamma
    return out


def total_return(rewards, gamma):
    return rewards @ _gammas(rewards, gamma).unsqueeze(1)


def reward_to_go(rewards, gamma):
    T = rewards.size(1)
    gammas = _gammas(rewards, gamma)
    G = torch.stack([rewards[:, t:] @ gammas[: T - t] for t in range(T)])
    return G.T


def discounted_reward_to_go(rewards, gamma):
    discounted = rewards * _gammas(rewards, gamma)
    return discounted.sum(dim=1, keepdim=True) - discounted.cumsum(dim=1) + discounted


def reinforce_loss(logits, actions, weights):
    log_pi = F.log_softmax(logits, dim=-1)
    mask = F.one_hot(actions, logits.size(-1)).bool()
    chosen = log_pi[mask].view(actions.shape)
    with torch.no_grad():
        w = weights * 1.0
    return (-chosen * w).sum(dim=1)


def total_return_loss(logits, actions, returns):
    T = actions.size(1)
    return reinforce_loss(logits, actions, returns.expand(-1, T)).mean()
