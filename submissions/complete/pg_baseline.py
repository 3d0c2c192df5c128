"""Policy gradients with baselines: scores as outer products, tables by solving linear equations."""

import torch
import torch.nn.functional as F


def reward_to_go(rewards):
    return rewards.sum(1, keepdim=True) - rewards.cumsum(1) + rewards


def scores_of(states, actions, theta):
    S, A = theta.shape
    pi = F.softmax(theta, dim=-1)
    where = F.one_hot(states, S).double()
    what = F.one_hot(actions, A).double() - where @ pi
    return torch.einsum("nts,nta->ntsa", where, what)


def pg_baseline(states, actions, rewards, theta, baseline):
    where = F.one_hot(states, theta.shape[0]).double()
    b = (where * baseline).sum(-1)
    weighted = (reward_to_go(rewards) - b)[:, :, None, None] * scores_of(states, actions, theta)
    return weighted.sum(1)


def optimal_baseline(scores, returns, weights):
    # minimise the quadratic a b^2 - 2 c b
    a = (weights[:, None] * scores * scores).sum()
    c = (weights[:, None] * scores * scores * returns[:, None]).sum()
    return c / a


def optimal_state_baseline(states, actions, rewards, theta, weights):
    n, T = states.shape
    S = theta.shape[0]
    u = scores_of(states, actions, theta)
    X = torch.einsum("ntz,ntsa->ntzsa", F.one_hot(states, S).double(), u).reshape(n, T * S, -1)
    g = (reward_to_go(rewards)[:, :, None, None] * u).sum(1).reshape(n, -1)
    M = torch.einsum("n,nip,njp->ij", weights, X, X)
    r = torch.einsum("n,nip,np->i", weights, X, g)
    return (torch.linalg.pinv(M, hermitian=True) @ r).reshape(T, S)


def ema_baseline(returns, beta):
    out = []
    b = torch.zeros((), dtype=returns.dtype)
    for r in returns:
        out.append(b)
        b = beta * b + (1 - beta) * r
    return torch.stack(out)


def fit_baseline(states, actions, rewards, theta):
    G = reward_to_go(rewards)
    T, S = states.shape[1], theta.shape[0]
    flat = (torch.arange(T) * S + states).reshape(-1)
    sums = torch.zeros(T * S, dtype=G.dtype).index_add_(0, flat, G.reshape(-1))
    counts = torch.bincount(flat, minlength=T * S)
    # never visited: fall back to the average of that time step
    table = (sums / counts.clamp(min=1)).reshape(T, S)
    return torch.where(counts.reshape(T, S) > 0, table, G.mean(0)[:, None])
