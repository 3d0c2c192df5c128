"""Dictionaries of cells, one equation a cell; the derivative of the steps for the best p."""

import math

import torch


def _world(walls, ends, width):
    """For each open cell what is seen there and where the four actions lead."""
    blocked, height = walls.tolist(), len(walls) // width
    cells = {}
    for s in range(len(blocked)):
        if blocked[s]:
            continue
        i, j = s // width, s % width
        seen, to = 0, []
        for a, (y, x) in enumerate([(i, j + 1), (i, j - 1), (i - 1, j), (i + 1, j)]):
            if y < 0 or x < 0 or y == height or x == width or blocked[y * width + x]:
                seen += 1 << a
                to.append(s)
            else:
                to.append(y * width + x)
        cells[s] = seen, to
    over = {s for s in cells if ends[s]} if ends is not None else set()
    return cells, over


def observe(walls, width):
    cells, _ = _world(walls, None, width)
    return torch.tensor([cells[s][0] if s in cells else -1 for s in range(len(walls))])


def _equations(cells, over, pi, gamma):
    """The going cells, I - γ P among them, and the probabilities of reaching ends."""
    going = [s for s in cells if s not in over]
    index = {s: k for k, s in enumerate(going)}
    A = torch.eye(len(going), dtype=torch.float64)
    out = [[] for _ in going]
    for s in going:
        seen, to = cells[s]
        for a in range(4):
            if to[a] in over:
                out[index[s]].append((float(pi[seen, a]), to[a]))
            else:
                A[index[s], index[to[a]]] -= gamma * pi[seen, a]
    return going, A, out


def policy_values(walls, ends, prize, width, step, pi, gamma):
    cells, over = _world(walls, ends, width)
    going, A, out = _equations(cells, over, pi, gamma)
    b = [step + sum(p * float(prize[t]) for p, t in leaving) for leaving in out]
    v = torch.zeros(len(walls), dtype=torch.float64)
    v[going] = torch.linalg.inv(A) @ torch.tensor(b, dtype=torch.float64)
    return v


def expected_steps(walls, ends, width, pi):
    cells, over = _world(walls, ends, width)
    follows = {
        s: set() if s in over else {t for t, p in zip(to, pi[seen].tolist(), strict=True) if p > 0}
        for s, (seen, to) in cells.items()
    }

    def back(targets):
        found = set(targets)
        while True:
            more = {s for s in cells if s not in found and follows[s] & found}
            if not more:
                return found
            found |= more

    lost = back(set(cells) - back(over))
    t = torch.zeros(len(walls), dtype=torch.float64)
    for s in lost:
        t[s] = math.inf
    inner = {s: cell for s, cell in cells.items() if s not in lost}
    going = [s for s in inner if s not in over]
    index = {s: k for k, s in enumerate(going)}
    A = torch.eye(len(going), dtype=torch.float64)
    for s in going:
        seen, to = inner[s]
        for a in range(4):
            if to[a] in index and pi[seen, a] > 0:
                A[index[s], index[to[a]]] -= pi[seen, a]
    if going:
        t[going] = torch.linalg.solve(A, torch.ones(len(going), dtype=torch.float64))
    return t


def _slope(weights, p):
    """d/dp of the mean steps of one side at its probability p of a step inwards."""
    tau, slope, reached, total = 1.0, 0.0, 0.0, 0.0
    for j, weight in enumerate(weights):
        if j:
            ratio = 1 / p - 1
            tau, slope = 1 / p + ratio * tau, -(1 + tau) / p**2 + ratio * slope
        reached += weight
        total += reached * slope
    return total


def best_right(start, diamond):
    left, right = start[:diamond].tolist(), start[diamond + 1 :].tolist()[::-1]
    low, high = 1e-14, 1 - 1e-14
    for _ in range(60):
        p = (low + high) / 2
        if _slope(left, p) > _slope(right, 1 - p):
            high = p
        else:
            low = p
    return p
