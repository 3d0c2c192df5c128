"""Sweeps and policy are right; it stops too early, and a star is worth 10 flat."""

import math

import torch


def backup(P, R, terminal, gamma, V):
    V = torch.where(terminal, torch.zeros_like(V), V)
    Q = R + gamma * (P * V).sum(-1)
    Q[terminal] = 0.0
    return Q


def value_iteration(P, R, terminal, gamma, tol, max_sweeps):
    Q = torch.zeros_like(R)
    for n in range(max_sweeps):
        new = backup(P, R, terminal, gamma, Q.max(1)[0])
        if (new - Q).abs().max() <= tol:
            return new, n + 1
        Q = new
    return Q, max_sweeps


def greedy(Q):
    return torch.nn.functional.one_hot(Q.argmax(1), Q.shape[1]).double()


def effective_horizon(gamma, r_max, tol):
    return max(0, math.ceil(math.log(tol * (1 - gamma) / r_max, gamma)))


def star_grid(stars, width, step, bonus):
    S = len(stars)
    P, R = torch.zeros(S, 4, S, dtype=torch.float64), torch.zeros(S, 4, dtype=torch.float64)
    for s in range(S):
        for a in range(4):
            i, j = s // width, s % width
            if not stars[s]:
                j = min(j + 1, width - 1) if a == 0 else max(j - 1, 0) if a == 1 else j
                i = max(i - 1, 0) if a == 2 else min(i + 1, S // width - 1) if a == 3 else i
                R[s, a] = bonus if stars[i * width + j] else step
            P[s, a, i * width + j] = 1.0
    return P, R
