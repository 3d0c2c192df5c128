"""Lists of numbers, episode by episode; each return is summed from its first reward on."""

import math

import torch


def _sum(rewards, gamma):
    total, factor = 0.0, 1.0
    for reward in rewards:
        total += factor * reward
        factor *= gamma
    return total


def _episode(rewards, gamma):
    return [_sum(rewards[t:], gamma) for t in range(len(rewards))]


def stream_returns(rewards, ends, gamma):
    found, episode = [], []
    for reward, end in zip(rewards.tolist(), ends.tolist(), strict=True):
        episode.append(reward)
        if end:
            found += _episode(episode, gamma)
            episode = []
    return torch.tensor(found + _episode(episode, gamma), dtype=torch.float64)


def padded_returns(rewards, mask, gamma):
    G = torch.zeros_like(rewards)
    for row, kept, target in zip(rewards, mask, G, strict=True):
        target[kept] = torch.tensor(_episode(row[kept].tolist(), gamma), dtype=torch.float64)
    return G


def trajectory_return(rewards, mask, gamma):
    rows = [_sum(row[kept].tolist(), gamma) for row, kept in zip(rewards, mask, strict=True)]
    return torch.tensor(rows, dtype=torch.float64)


def _log(p):
    return math.log(p) if p > 0 else -math.inf


def log_prob(states, actions, last, mask, start, policy, transitions):
    found = []
    for i in range(len(states)):
        s = [*states[i][mask[i]].tolist(), int(last[i])]
        total = _log(float(start[s[0]]))
        for t, a in enumerate(actions[i][mask[i]].tolist()):
            total += _log(float(policy[s[t], a])) + _log(float(transitions[s[t], a, s[t + 1]]))
        found.append(total)
    return torch.tensor(found, dtype=torch.float64)
