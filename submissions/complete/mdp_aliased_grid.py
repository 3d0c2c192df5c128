"""Loops over cells and actions; a ternary search over the log-odds of moving right."""

import math

import torch


def neighbours(walls, width, s):
    height = walls.numel() // width
    r, c = divmod(s, width)
    places = [(r, c + 1), (r, c - 1), (r - 1, c), (r + 1, c)]
    result = []
    for y, x in places:
        ok = 0 <= y < height and 0 <= x < width
        if ok and walls[y * width + x]:
            ok = False
        result.append(y * width + x if ok else None)
    return result


def observe(walls, width):
    o = torch.full((len(walls),), -1, dtype=torch.int64)
    for s in range(len(walls)):
        if not walls[s]:
            o[s] = sum(2**a for a, t in enumerate(neighbours(walls, width, s)) if t is None)
    return o


def matrix(walls, ends, width, pi):
    o = observe(walls, width)
    n = len(walls)
    P = torch.zeros((n, n), dtype=torch.float64)
    for s in range(n):
        if walls[s] or ends[s]:
            continue
        for a, t in enumerate(neighbours(walls, width, s)):
            P[s, s if t is None else t] += pi[o[s], a]
    return P


def policy_values(walls, ends, prize, width, step, pi, gamma):
    P = matrix(walls, ends, width, pi)
    alive = (~walls & ~ends).double()
    bonus = (P * prize * ends.double()).sum(1)
    reward = alive * step + bonus
    return torch.linalg.solve(torch.eye(len(P)).double() - gamma * P, reward)


def expected_steps(walls, ends, width, pi):
    P = matrix(walls, ends, width, pi)
    edges = P > 0
    good = (ends & ~walls).clone()
    while True:
        more = good | (edges & good).any(1)
        if torch.equal(more, good):
            break
        good = more
    bad = ~good & ~walls
    while True:
        more = bad | (edges & bad).any(1)
        if torch.equal(more, bad):
            break
        bad = more
    ones = (~walls & ~ends & ~bad).double()
    Q = P * ones[:, None] * ones
    t = torch.linalg.solve(torch.eye(len(P)).double() - Q, ones)
    return torch.where(bad, torch.tensor(math.inf).double(), t)


def best_right(start, diamond):
    start = start.tolist()
    n = len(start)

    def cost(z):
        p, q = 1 / (1 + math.exp(-z)), 1 / (1 + math.exp(z))
        total = 0.0
        for here, there, cells in ((p, q, range(diamond)), (q, p, range(n - 1, diamond, -1))):
            tau, mass = 1.0, 0.0
            for k, s in enumerate(cells):
                if k > 0:
                    tau = 1 / here + there / here * tau
                mass += start[s]
                total += mass * tau
        return total

    a, b = -32.0, 32.0
    for _ in range(120):
        m1, m2 = a + (b - a) / 3, b - (b - a) / 3
        if cost(m1) < cost(m2):
            b = m2
        else:
            a = m1
    return 1 / (1 + math.exp(-(a + b) / 2))
