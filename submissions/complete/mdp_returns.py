"""Returns and probabilities of trajectories."""

import torch


def stream_returns(rewards, ends, gamma):
    out = rewards.clone()
    alive = 1.0 - ends.double()
    for t in range(len(rewards) - 2, -1, -1):
        out[t] = rewards[t] + gamma * alive[t] * out[t + 1]
    return out


def padded_returns(rewards, mask, gamma):
    m = mask.double()
    out = rewards * m
    for t in range(rewards.size(1) - 2, -1, -1):
        out[:, t] += gamma * out[:, t + 1]
    return out * m


def trajectory_return(rewards, mask, gamma):
    # Horner's rule from the end
    total = torch.zeros(len(rewards), dtype=rewards.dtype)
    for r, m in zip(rewards.T.flip(0), mask.T.flip(0)):
        total = torch.where(m, r + gamma * total, total)
    return total


def log_prob(states, actions, last, mask, start, policy, transitions):
    b, t = states.shape
    rows = torch.arange(b)
    path = torch.cat([states, last[:, None]], dim=1)
    path[rows, mask.sum(dim=1)] = last
    log_p = torch.log(start[path[:, 0]])
    zero = torch.zeros_like(log_p)
    for k in range(t):
        s, a, after = path[:, k], actions[:, k], path[:, k + 1]
        step = torch.log(policy[s, a]) + torch.log(transitions[s, a, after])
        log_p = log_p + torch.where(mask[:, k], step, zero)
    return log_p
