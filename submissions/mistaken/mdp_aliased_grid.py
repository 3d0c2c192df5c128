"""Observations and values are right; steps that may end count as sure, and p is that of five cells."""

import torch


def moves(walls, width):
    height = len(walls) // width
    table, bits = [], []
    for s in range(len(walls)):
        r, c = s // width, s % width
        row, seen = [], 0
        for a, (y, x) in enumerate(((r, c + 1), (r, c - 1), (r - 1, c), (r + 1, c))):
            blocked = y < 0 or x < 0 or y >= height or x >= width
            blocked = blocked or bool(walls[y * width + x])
            row.append(s if blocked else y * width + x)
            seen += blocked * 2**a
        table.append(row)
        bits.append(-1 if walls[s] else seen)
    return table, bits


def observe(walls, width):
    return torch.tensor(moves(walls, width)[1])


def chain(walls, ends, width, pi):
    table, bits = moves(walls, width)
    P = torch.zeros(len(walls), len(walls), dtype=torch.float64)
    for s, row in enumerate(table):
        if not walls[s] and not ends[s]:
            for a, t in enumerate(row):
                P[s, t] += pi[bits[s], a]
    return P


def policy_values(walls, ends, prize, width, step, pi, gamma):
    P = chain(walls, ends, width, pi)
    r = P.sum(1) * step + P @ torch.where(ends, prize, 0.0)
    return torch.linalg.solve(torch.eye(len(P)) - gamma * P, r)


def expected_steps(walls, ends, width, pi):
    P = chain(walls, ends, width, pi)
    t = torch.zeros(len(P), dtype=torch.float64)
    alive = (~walls & ~ends).double()
    for _ in range(3000):
        t = alive + P @ t
    t[t > 1500] = torch.inf
    return t


def best_right(start, diamond):
    a, b = float(start[:diamond].sum()) ** 0.5, float(start[diamond + 1 :].sum()) ** 0.5
    return a / (a + b) if a + b > 0 else 0.5
