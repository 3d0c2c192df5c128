"""Sums of P (r + γ V) over the successors, from the last one to the first; the last best action."""

import math

import torch


def backup(P, R, terminal, gamma, V):
    Q = torch.zeros_like(R)
    for successor in reversed(range(len(V))):
        value = 0.0 if terminal[successor] else float(V[successor])
        Q += P[:, :, successor] * (R + gamma * value)
    Q[terminal] = 0.0
    return Q


def value_iteration(P, R, terminal, gamma, tol, max_sweeps):
    sequence = [torch.zeros_like(R)]
    change = math.inf
    while len(sequence) <= max_sweeps and change > tol * (1 / gamma - 1):
        values = torch.stack([row.max() for row in sequence[-1]])
        sequence.append(backup(P, R, terminal, gamma, values))
        change = float((sequence[-1] - sequence[-2]).abs().max())
    return sequence[-1], len(sequence) - 1


def greedy(Q):
    policy = torch.zeros_like(Q)
    for s, row in enumerate(Q.tolist()):
        policy[s, max(range(len(row)), key=lambda a: (row[a], a))] = 1.0
    return policy


def effective_horizon(gamma, r_max, tol):
    if r_max <= tol * (1 - gamma):
        return 0
    return math.ceil((math.log(r_max) - math.log(tol) - math.log1p(-gamma)) / -math.log(gamma))


def star_grid(stars, width, step, bonus):
    S = stars.numel()
    P, R = torch.zeros((2, S, 4, S), dtype=torch.float64)
    for s in range(S):
        moves = [
            s + 1 if (s + 1) % width else s,
            s - 1 if s % width else s,
            s - width if s >= width else s,
            s + width if s + width < S else s,
        ]
        for a, t in enumerate(moves):
            P[s, a, s if stars[s] else t] = 1
            R[s, a, t] = 0 if stars[s] else step + bonus * int(stars[t])
    return P, R.sum(2)
