"""Value iteration by tensordot; ends are handled by masks that multiply."""

import math

import torch


def backup(P, R, terminal, gamma, V):
    going = torch.logical_not(terminal).double()
    expected = torch.tensordot(P, going * V, dims=([2], [0]))
    return going.unsqueeze(1) * (R + gamma * expected)


def value_iteration(P, R, terminal, gamma, tol, max_sweeps):
    limit = tol * (1 - gamma) / gamma
    Q = torch.zeros(R.shape, dtype=torch.float64)
    sweeps = 0
    done = False
    while not done:
        new = backup(P, R, terminal, gamma, torch.max(Q, 1)[0])
        sweeps += 1
        done = bool(torch.max(torch.abs(new - Q)) <= limit) or sweeps == max_sweeps
        Q = new
    return Q, sweeps


def greedy(Q):
    order = torch.sort(Q, dim=1, descending=True, stable=True).indices
    return torch.zeros_like(Q).scatter_(1, order[:, :1], 1.0)


def effective_horizon(gamma, r_max, tol):
    worst = r_max / (1 - gamma)
    n = 0
    while gamma**n * worst > tol:
        n += 1
    return n


def star_grid(stars, width, step, bonus):
    S = stars.shape[0]
    row, column = torch.arange(S) // width, torch.arange(S) % width
    height = S // width
    P = torch.zeros(S, 4, S, dtype=torch.float64)
    R = torch.full((S, 4), step, dtype=torch.float64)
    right = row * width + torch.clamp(column + 1, max=width - 1)
    left = row * width + torch.clamp(column - 1, min=0)
    up = torch.clamp(row - 1, min=0) * width + column
    down = torch.clamp(row + 1, max=height - 1) * width + column
    for action, target in enumerate((right, left, up, down)):
        target = torch.where(stars, torch.arange(S), target)
        P[torch.arange(S), action, target] = 1.0
        R[:, action] += bonus * stars[target].double()
    R[stars] = 0.0
    return P, R
