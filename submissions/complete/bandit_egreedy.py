"""Estimates by one-hot masks and running sums; ties are broken by one random key for each arm."""

import torch
import torch.nn.functional as F


def update_average(Q, N, action, reward):
    mask = F.one_hot(action, num_classes=Q.size(1))
    new_N = N + mask
    error = reward.unsqueeze(1) - Q
    new_Q = Q + mask * error / new_N.clamp(min=1).double()
    return new_Q, new_N


def update_constant(Q, action, reward, alpha):
    mask = F.one_hot(action, num_classes=Q.size(1)).double()
    return Q + alpha * mask * (reward.unsqueeze(1) - Q)


def estimates(initial, action, reward):
    b, t = action.shape
    Q = initial.clone()
    N = torch.zeros(initial.shape, dtype=torch.float64)
    history = torch.empty(b, t, initial.size(1), dtype=torch.float64)
    for step in range(t):
        history[:, step] = Q
        a = action[:, step : step + 1]
        N.scatter_add_(1, a, torch.ones(b, 1, dtype=torch.float64))
        n = N.gather(1, a)
        q = Q.gather(1, a)
        Q.scatter_(1, a, q + (reward[:, step : step + 1] - q) / n)
    return history


def share_within(reward, value, radius):
    n = torch.arange(1, reward.size(1) + 1, dtype=torch.float64)
    distance = torch.abs(torch.cumsum(reward, 1) / n - value)
    return torch.mean((distance < radius).double(), 0)


def greedy_arms(Q):
    return Q == torch.amax(Q, dim=1, keepdim=True)


def action_probabilities(Q, epsilon):
    best = greedy_arms(Q)
    p = (epsilon / Q.size(1)).unsqueeze(1).repeat(1, Q.size(1))
    bonus = (1 - epsilon) / best.sum(1)
    p = p + best * bonus.unsqueeze(1)
    return p


def act(Q, epsilon, generator):
    key = torch.rand(Q.shape, generator=generator, dtype=torch.float64)
    exploit = key.masked_fill(~greedy_arms(Q), -1.0).argmax(1)
    explore = torch.rand(Q.shape, generator=generator, dtype=torch.float64).argmax(1)
    coin = torch.rand(Q.size(0), generator=generator, dtype=torch.float64)
    return torch.where(coin < epsilon, explore, exploit)
