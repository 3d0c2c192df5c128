"""The map with a border of walls around it, shifted four times; golden section for the best p."""

import torch
import torch.nn.functional as F


def _shifts(walls, width):
    """[4, h, w] of neighbours' walls and of neighbours' numbers: right, left, up, down."""
    grid = walls.view(-1, width)
    h, w = grid.shape
    framed = F.pad(grid.double(), (1, 1, 1, 1), value=1.0) > 0.5
    blocked = torch.stack(
        [framed[1:-1, 2:], framed[1:-1, :-2], framed[:-2, 1:-1], framed[2:, 1:-1]]
    )
    here = torch.arange(h * w).view(h, w)
    offset = torch.tensor([1, -1, -w, w]).view(4, 1, 1)
    return blocked, torch.where(blocked, here, here + offset)


def observe(walls, width):
    blocked, _ = _shifts(walls, width)
    bits = sum(blocked[a].long() * 2**a for a in range(4)).flatten()
    return torch.where(walls, torch.full_like(bits, -1), bits)


def _transitions(walls, ends, width, pi):
    blocked, to = _shifts(walls, width)
    o = sum(blocked[a].long() * 2**a for a in range(4)).flatten()
    onehot = F.one_hot(to.view(4, -1), len(walls)).double()
    P = torch.einsum("sa,ast->st", pi[o], onehot)
    alive = ~(walls | ends)
    return P, alive


def policy_values(walls, ends, prize, width, step, pi, gamma):
    P, alive = _transitions(walls, ends, width, pi)
    v = torch.zeros(len(walls), dtype=torch.float64)
    P = P[alive]
    r = step + P @ torch.where(ends & ~walls, prize, torch.zeros_like(prize))
    A = torch.eye(len(r), dtype=torch.float64) - gamma * P[:, alive]
    v[alive] = torch.linalg.solve(A, r)
    return v


def expected_steps(walls, ends, width, pi):
    P, alive = _transitions(walls, ends, width, pi)
    n = int(alive.sum())
    inner = P[alive][:, alive]
    out = (P[alive][:, ends & ~walls] > 0).any(1)
    reach = (inner > 0) | torch.eye(n, dtype=torch.bool)
    for k in range(n):
        reach = reach | (reach[:, k : k + 1] & reach[k])
    hopeless = ~(reach & out).any(1)
    safe = ~(reach & hopeless).any(1)
    inside = torch.full((n,), float("inf"), dtype=torch.float64)
    A = torch.eye(int(safe.sum()), dtype=torch.float64) - inner[safe][:, safe]
    inside[safe] = torch.linalg.inv(A).sum(1)
    t = torch.zeros(len(walls), dtype=torch.float64)
    t[alive] = inside
    return t


def best_right(start, diamond):
    n = len(start)

    def mean_steps(p):
        forward = [1.0]
        for _ in range(1, diamond):
            forward.append(1 / p + (1 / p - 1) * forward[-1])
        backward = [1.0]
        for _ in range(1, n - 1 - diamond):
            backward.append(1 / (1 - p) + p / (1 - p) * backward[-1])
        total = 0.0
        for s in range(n):
            if s < diamond:
                total += float(start[s]) * sum(forward[s:diamond])
            elif s > diamond:
                total += float(start[s]) * sum(backward[n - 1 - s : n - 1 - diamond])
        return total

    golden = (5**0.5 - 1) / 2
    a, b = 0.0, 1.0
    for _ in range(66):
        c, d = b - golden * (b - a), a + golden * (b - a)
        if mean_steps(c) <= mean_steps(d):
            b = d
        else:
            a = c
    return (a + b) / 2
