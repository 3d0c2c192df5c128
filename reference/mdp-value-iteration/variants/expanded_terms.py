"""Products with masks, expectations by broadcasting, and the horizon by one logarithm."""

import math

import torch


def backup(P, R, terminal, gamma, V):
    going = (~terminal).double()
    expected = (P * (going * V)[None, None, :]).sum(dim=-1)
    return (R + gamma * expected) * going[:, None]


def value_iteration(P, R, terminal, gamma, tol, max_sweeps):
    Q = torch.zeros_like(R)
    for n in range(1, max_sweeps + 1):
        Q, old = backup(P, R, terminal, gamma, Q.max(1).values), Q
        if n == max_sweeps or torch.all((Q - old).abs() <= tol * (1.0 - gamma) / gamma):
            break
    return Q, n


def greedy(Q):
    lead = Q - Q.amax(1, keepdim=True)
    return torch.where(lead == 0, 1.0, 0.0).double() / (lead == 0).sum(1, keepdim=True)


def effective_horizon(gamma, r_max, tol):
    if r_max == 0:
        return 0
    return max(0, math.ceil(math.log(tol * (1 - gamma) / r_max) / math.log(gamma)))


def star_grid(stars, width, step, bonus):
    cells = len(stars)
    P = torch.zeros(cells, 4, cells, dtype=torch.float64)
    R = torch.zeros(cells, 4, dtype=torch.float64)
    for cell, star in enumerate(stars.tolist()):
        row, column = cell // width, cell % width
        open_sides = (column < width - 1, column > 0, row > 0, cell + width < cells)
        for action, (free, move) in enumerate(zip(open_sides, (1, -1, -width, width), strict=True)):
            target = cell + move if free and not star else cell
            P[cell, action, target] = 1.0
            if not star:
                R[cell, action] = step + bonus * float(stars[target])
    return P, R
