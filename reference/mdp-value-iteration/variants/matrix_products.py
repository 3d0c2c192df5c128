"""State values only, episode ends removed from P and R once, and the first best action."""

import torch


def _without_ends(P, R, terminal):
    alive = (~terminal).to(R.dtype)
    return P * alive[:, None, None] * alive, R * alive[:, None]


def backup(P, R, terminal, gamma, V):
    P, R = _without_ends(P, R, terminal)
    return torch.addmv(R.reshape(-1), P.reshape(-1, len(V)), V, alpha=gamma).view_as(R)


def value_iteration(P, R, terminal, gamma, tol, max_sweeps):
    Q, n = torch.zeros_like(R), 0
    P, R = _without_ends(P, R, terminal)
    while n < max_sweeps:
        old, Q, n = Q, R + P @ (gamma * Q.amax(1)), n + 1
        if gamma * torch.dist(Q, old, p=float("inf")) <= tol * (1 - gamma):
            break
    return Q, n


def greedy(Q):
    return torch.nn.functional.one_hot(Q.argmax(1), Q.shape[1]).to(Q.dtype)


def effective_horizon(gamma, r_max, tol):
    n, error = 0, r_max / (1 - gamma)
    while error > tol:
        n, error = n + 1, gamma * error
    return n


def star_grid(stars, width, step, bonus):
    cells = torch.arange(len(stars)).view(-1, width)
    moved = torch.stack(
        [
            torch.cat([cells[:, 1:], cells[:, -1:]], 1),
            torch.cat([cells[:, :1], cells[:, :-1]], 1),
            torch.cat([cells[:1], cells[:-1]], 0),
            torch.cat([cells[1:], cells[-1:]], 0),
        ],
        dim=-1,
    ).view(-1, 4)
    moved = torch.where(stars[:, None], torch.arange(len(stars))[:, None], moved)
    P = torch.nn.functional.one_hot(moved, len(stars)).double()
    R = (step + bonus * stars.double())[moved]
    return P, R.masked_fill(stars[:, None], 0.0)
