"""Estimates are right but for those of a sequence; the first of the best arms, one coin for all."""

import torch


def update_average(Q, N, action, reward):
    i = torch.arange(len(Q))
    Q, N = Q.clone(), N.clone()
    N[i, action] += 1
    Q[i, action] = Q[i, action] + (reward - Q[i, action]) / N[i, action]
    return Q, N


def update_constant(Q, action, reward, alpha):
    i = torch.arange(len(Q))
    Q = Q.clone()
    Q[i, action] = (1 - alpha) * Q[i, action] + alpha * reward
    return Q


def estimates(initial, action, reward):
    Q, N, rows = initial, torch.zeros_like(initial, dtype=torch.int64), []
    for t in range(action.shape[1]):
        Q, N = update_average(Q, N, action[:, t], reward[:, t])
        rows.append(Q)
    return torch.stack(rows, 1)


def share_within(reward, value, radius):
    n = torch.arange(1, reward.shape[1] + 1)
    return ((reward.cumsum(1) / n - value).abs() <= radius).double().mean(0)


def action_probabilities(Q, epsilon):
    p = epsilon[:, None] / Q.shape[1] * torch.ones_like(Q)
    p[torch.arange(len(Q)), Q.argmax(1)] += 1 - epsilon
    return p


def act(Q, epsilon, generator):
    explore = torch.rand(1, generator=generator) < epsilon
    random_arm = torch.randint(Q.shape[1], (len(Q),), generator=generator)
    return torch.where(explore, random_arm, Q.argmax(1))
