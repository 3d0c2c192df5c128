"""Plain loops over steps and states; the best table from sums over pairs of steps."""

import torch


def _to_go(rewards):
    columns, running = [], torch.zeros(rewards.shape[0], dtype=rewards.dtype)
    for t in reversed(range(rewards.shape[1])):
        running = running + rewards[:, t]
        columns.insert(0, running)
    return torch.stack(columns, dim=1)


def _rows(states, actions, theta):
    """The non-zero row of every step's score, [n, t, a]."""
    pi = torch.exp(theta - torch.logsumexp(theta, dim=1, keepdim=True))
    rows = -pi[states]
    rows.scatter_add_(2, actions[:, :, None], torch.ones_like(rows[:, :, :1]))
    return rows


def pg_baseline(states, actions, rewards, theta, baseline):
    n, steps = states.shape
    to_go, rows = _to_go(rewards), _rows(states, actions, theta)
    gradient = torch.zeros(n, *theta.shape, dtype=theta.dtype)
    for t in range(steps):
        factor = to_go[:, t] - baseline[t].gather(0, states[:, t])
        gradient[torch.arange(n), states[:, t]] += factor[:, None] * rows[:, t]
    return gradient


def optimal_baseline(scores, returns, weights):
    squared = torch.einsum("np,np->n", scores, scores)
    mean = torch.dot(weights, squared)
    centre = torch.dot(weights, returns)
    return centre + torch.dot(weights, (returns - centre) * squared) / mean


def optimal_state_baseline(states, actions, rewards, theta, weights):
    steps = states.shape[1]
    to_go, rows = _to_go(rewards), _rows(states, actions, theta)
    table = torch.zeros(steps, theta.shape[0], dtype=theta.dtype)
    for t in range(steps):
        along = torch.zeros_like(weights)
        for other in range(steps):
            same = (states[:, t] == states[:, other]).to(theta.dtype)
            along = along + same * to_go[:, other] * (rows[:, t] * rows[:, other]).sum(dim=1)
        squared = rows[:, t].square().sum(dim=1)
        for s in range(theta.shape[0]):
            here = weights * (states[:, t] == s)
            if here.any():
                table[t, s] = torch.dot(here, along) / torch.dot(here, squared)
    return table


def ema_baseline(returns, beta):
    average, past = 0.0, []
    for value in returns.tolist():
        past.append(average)
        average += (1 - beta) * (value - average)
    return torch.tensor(past, dtype=returns.dtype)


def fit_baseline(states, actions, rewards, theta):
    """The mean reward to go weighted by |u_t|²: the best baseline of each step by itself."""
    to_go, squared = _to_go(rewards), _rows(states, actions, theta).square().sum(dim=2)
    table = torch.zeros(states.shape[1], theta.shape[0], dtype=theta.dtype)
    for t in range(states.shape[1]):
        for s in range(theta.shape[0]):
            here = states[:, t] == s
            if here.any():
                weight = squared[here, t]
                table[t, s] = (weight * to_go[here, t]).sum() / weight.sum()
    return table
