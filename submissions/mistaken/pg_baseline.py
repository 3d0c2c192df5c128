"""Policy gradient with a baseline."""

import torch


def pg_baseline(states, actions, rewards, theta, baseline):
    N, T = states.shape
    pi = torch.softmax(theta, dim=1)
    G = rewards.sum(dim=1)
    grad = torch.zeros(N, *theta.shape, dtype=theta.dtype)
    for i in range(N):
        for t in range(T):
            s, a = states[i, t], actions[i, t]
            adv = G[i] - baseline[t, s]
            grad[i, s] -= adv * pi[s]
            grad[i, s, a] += adv
    return grad


def optimal_baseline(scores, returns, weights):
    return (weights * returns).sum() / weights.sum()


def optimal_state_baseline(states, actions, rewards, theta, weights):
    # the slides say that the value function minimises the variance
    G = rewards.flip(1).cumsum(1).flip(1)
    T, S = states.shape[1], theta.shape[0]
    V = torch.zeros(T, S, dtype=theta.dtype)
    for t in range(T):
        for s in range(S):
            w = weights * (states[:, t] == s)
            if w.sum() > 0:
                V[t, s] = (w * G[:, t]).sum() / w.sum()
    return V


def ema_baseline(returns, beta):
    b = torch.zeros_like(returns)
    for i in range(1, len(returns)):
        b[i] = beta * b[i - 1] + (1 - beta) * returns[i - 1]
    return b


def fit_baseline(states, actions, rewards, theta):
    w = torch.ones(len(states), dtype=theta.dtype) / len(states)
    return optimal_state_baseline(states, actions, rewards, theta, w)
