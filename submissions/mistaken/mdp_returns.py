"""Rows are right; the stream runs over the ends of episodes, and the padding has a probability."""

import torch


def stream_returns(rewards, ends, gamma):
    out = rewards.clone()
    for t in range(len(rewards) - 2, -1, -1):
        out[t] += gamma * out[t + 1]
    return out


def padded_returns(rewards, mask, gamma):
    out = rewards * mask
    for t in range(rewards.size(1) - 2, -1, -1):
        out[:, t] += gamma * out[:, t + 1]
    return out


def trajectory_return(rewards, mask, gamma):
    discounts = gamma ** torch.arange(rewards.size(1)).double()
    return (rewards * mask * discounts).sum(1)


def log_prob(states, actions, last, mask, start, policy, transitions):
    after = torch.cat([states[:, 1:], last[:, None]], dim=1)
    steps = policy[states, actions].log() + transitions[states, actions, after].log()
    return start[states[:, 0]].log() + steps.sum(1)
