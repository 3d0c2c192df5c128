"""Gradients from autograd, one surrogate objective a trajectory; tables by least squares."""

import torch


def _surrogate(theta, states, actions, advantage):
    log_pi = torch.log_softmax(theta, dim=1)
    return (log_pi[states, actions] * advantage).sum()


def _per_trajectory(theta, states, actions, advantage):
    return torch.func.vmap(torch.func.grad(_surrogate), in_dims=(None, 0, 0, 0))(
        theta, states, actions, advantage
    )


def pg_baseline(states, actions, rewards, theta, baseline):
    steps = states.shape[1]
    later = torch.ones(steps, steps, dtype=rewards.dtype).tril()
    to_go = rewards @ later
    b = torch.stack([baseline[t, states[:, t]] for t in range(steps)], dim=1)
    return _per_trajectory(theta, states, actions, to_go - b)


def optimal_baseline(scores, returns, weights):
    importance = weights * torch.linalg.vector_norm(scores, dim=1).square()
    return torch.dot(importance / importance.sum(), returns)


def optimal_state_baseline(states, actions, rewards, theta, weights):
    n, steps = states.shape
    n_states = theta.shape[0]
    root = weights.sqrt()[:, None]
    columns = []
    for t in range(steps):
        for s in range(n_states):
            here = torch.zeros(n, steps, dtype=theta.dtype)
            here[:, t] = (states[:, t] == s).to(theta.dtype)
            column = _per_trajectory(theta, states, actions, here).flatten(1)
            columns.append((root * column).ravel())
    nothing = torch.zeros(steps, n_states, dtype=theta.dtype)
    g = pg_baseline(states, actions, rewards, theta, nothing)
    target = (root * g.flatten(1)).ravel()
    design = torch.stack(columns, dim=1)
    found = torch.linalg.lstsq(design, target[:, None], driver="gelsd").solution
    return found.reshape(steps, n_states)


def ema_baseline(returns, beta):
    n = len(returns)
    age = torch.arange(n)[:, None] - torch.arange(n)[None, :] - 1
    kernel = torch.where(age >= 0, (1 - beta) * beta ** age.clamp(min=0).to(returns.dtype), 0.0)
    return kernel @ returns


def fit_baseline(states, actions, rewards, theta):
    n = len(states)
    weights = torch.full((n,), 1 / n, dtype=theta.dtype)
    return optimal_state_baseline(states, actions, rewards, theta, weights)
