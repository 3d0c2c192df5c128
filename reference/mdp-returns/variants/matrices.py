"""Every return as a product with a matrix of discounts; logarithms of one row after the other."""

import torch


def _discounts(number, gamma):
    """γ^(t' - t) at [t, t'], 0 for t' < t."""
    t = torch.arange(number)
    ahead = t[None, :] - t[:, None]
    return torch.where(ahead >= 0, float(gamma) ** ahead.clamp(min=0).double(), 0.0)


def stream_returns(rewards, ends, gamma):
    episode = ends.cumsum(0) - ends.long()
    same = episode[:, None] == episode[None, :]
    return (_discounts(len(rewards), gamma) * same) @ rewards


def padded_returns(rewards, mask, gamma):
    r = torch.where(mask, rewards, torch.zeros_like(rewards))
    return (r @ _discounts(r.shape[1], gamma).T) * mask


def trajectory_return(rewards, mask, gamma):
    return (rewards * mask) @ _discounts(rewards.shape[1], gamma)[0]


def log_prob(states, actions, last, mask, start, policy, transitions):
    found = []
    for s, a, end, length in zip(states, actions, last, mask.sum(1).tolist(), strict=True):
        path = torch.cat([s[:length], end[None]])
        moves = transitions[path[:-1], a[:length], path[1:]]
        found.append(
            start[s[0]].log() + moves.log().sum() + policy[path[:-1], a[:length]].log().sum()
        )
    return torch.stack(found)
