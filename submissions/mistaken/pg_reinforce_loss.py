"""The REINFORCE loss."""

import torch


def log_prob(states, actions, theta, start, transitions):
    # the transition probabilities drop out anyway
    log_pi = torch.log_softmax(theta, dim=1)
    return log_pi[states, actions].sum(dim=1)


def prob_gradient(states, actions, theta, start, transitions):
    pi = torch.softmax(theta, dim=1)
    b, t = states.shape
    out = torch.zeros(b, *theta.shape, dtype=theta.dtype)
    for i in range(b):
        p = start[states[i, 0]]
        for k in range(t):
            p = p * pi[states[i, k], actions[i, k]]
            if k + 1 < t:
                p = p * transitions[states[i, k], actions[i, k], states[i, k + 1]]
            out[i, states[i, k]] -= pi[states[i, k]]
            out[i, states[i, k], actions[i, k]] += 1
        out[i] = out[i] * p
    return out


def total_return(rewards, gamma):
    steps = torch.arange(rewards.shape[1], dtype=rewards.dtype)
    return (gamma**steps * rewards).sum(dim=1, keepdim=True)


def reward_to_go(rewards, gamma):
    # discounted from the first step on
    steps = torch.arange(rewards.shape[1], dtype=rewards.dtype)
    return (gamma**steps * rewards).flip(1).cumsum(1).flip(1)


def discounted_reward_to_go(rewards, gamma):
    steps = torch.arange(rewards.shape[1], dtype=rewards.dtype)
    return gamma**steps * reward_to_go(rewards, gamma)


def reinforce_loss(logits, actions, weights):
    log_pi = torch.log_softmax(logits, dim=2)
    chosen = log_pi.gather(2, actions.unsqueeze(2)).squeeze(2)
    return -(weights * chosen).sum(dim=1)


def total_return_loss(logits, actions, returns):
    log_pi = torch.log_softmax(logits, dim=2)
    chosen = log_pi.gather(2, actions.unsqueeze(2)).squeeze(2)
    return -(returns * chosen.sum(dim=1)).mean()
