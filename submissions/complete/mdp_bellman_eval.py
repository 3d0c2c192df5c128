"""Policy evaluation in numpy's way: the tables are cleaned of terminal rows once, then averaged."""

import torch


def clean(P, r, pi, terminal):
    P, r, pi = P.clone(), r.clone(), pi.clone()
    P[terminal] = 0
    r[terminal] = 0
    pi[terminal] = 0
    return P, r, pi


def markov_chain(P, r, pi, terminal):
    P, r, pi = clean(P, r, pi, terminal)
    chain = (pi[..., None] * P).sum(dim=1)
    reward = (pi * (P * r).sum(dim=-1)).sum(dim=-1)
    return chain, reward


def v_from_q(q, pi, terminal):
    v = torch.sum(q * pi, dim=-1)
    v[terminal] = 0
    return v


def q_from_v(P, r, terminal, gamma, v):
    P, r, _ = clean(P, r, r[:, :, 0], terminal)
    v = torch.where(terminal, torch.zeros_like(v), v)
    return (P * r).sum(-1) + gamma * torch.matmul(P, v)


def sweeps(P, r, pi, terminal, gamma, v, count):
    chain, reward = markov_chain(P, r, pi, terminal)
    v = v * (~terminal).double()
    for _ in range(count):
        v = reward + gamma * torch.mv(chain, v)
    return v


def sweeps_in_place(P, r, pi, terminal, gamma, v, count):
    chain, reward = markov_chain(P, r, pi, terminal)
    v = v * (~terminal).double()
    for _ in range(count):
        for s in range(v.numel()):
            v[s] = reward[s] + gamma * torch.dot(chain[s], v)
    return v


def policy_eval(P, r, pi, terminal, gamma):
    chain, reward = markov_chain(P, r, pi, terminal)
    A = torch.eye(len(reward)).double() - gamma * chain
    return torch.linalg.solve(A, reward.unsqueeze(1)).squeeze(1)


def total_reward(P, r, pi, terminal):
    chain, reward = markov_chain(P, r, pi, terminal)
    S = len(reward)
    path = ((chain > 0) | torch.eye(S, dtype=torch.bool)).double()
    for _ in range(5):
        path = (path @ path > 0).double()
    hopeless = (path @ terminal.double()) == 0
    ends = (path @ hopeless.double()) == 0
    keep = ends.double()
    A = torch.eye(S).double() - keep[:, None] * chain * keep
    return ends, torch.linalg.solve(A, reward * keep)
