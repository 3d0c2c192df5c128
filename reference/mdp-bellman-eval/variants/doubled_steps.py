"""Sums over one step, two, four, ... for the values; loops over states, actions and successors."""

import torch


def _backup(P, r, terminal, gamma, v, s, a):
    total = 0.0
    for t in range(len(v)):
        total += float(P[s, a, t]) * float(r[s, a, t])
        if not terminal[t]:
            total += gamma * float(P[s, a, t]) * float(v[t])
    return total


def v_from_q(q, pi, terminal):
    rows = [0.0 if over else float(p @ x) for p, x, over in zip(pi, q, terminal, strict=True)]
    return torch.tensor(rows, dtype=torch.float64)


def q_from_v(P, r, terminal, gamma, v):
    q = torch.zeros(P.shape[:2], dtype=torch.float64)
    for s in range(P.shape[0]):
        for a in range(P.shape[1]):
            if not terminal[s]:
                q[s, a] = _backup(P, r, terminal, gamma, v, s, a)
    return q


def _q(P, r, terminal, gamma, v):
    v = torch.where(terminal, 0.0, v)
    return (P * r).sum(2) + (P * v).sum(2) * gamma


def sweeps(P, r, pi, terminal, gamma, v, count):
    over = terminal[:, None].expand_as(pi)
    pi = pi.masked_fill(over, 0.0)
    for _ in range(count):
        v = (pi * _q(P, r, terminal, gamma, v)).sum(1)
    return torch.where(terminal, torch.zeros_like(v), v)


def sweeps_in_place(P, r, pi, terminal, gamma, v, count):
    v = v.clone()
    v[terminal] = 0.0
    for _ in range(count):
        for s in torch.nonzero(~terminal).flatten():
            v[s] = pi[s] @ (P[s] * (r[s] + gamma * v)).sum(1)
    return v


def _step(P, r, pi, terminal):
    alive = (~terminal).double()
    weight = (pi[:, :, None] * P) * alive[:, None, None]
    return weight.sum(1), (weight * r).sum((1, 2))


def _summed(M, b):
    """(I + M)(I + M²)(I + M⁴) ... b = Σ_k M^k b."""
    for _ in range(64):
        b = b + M @ b
        M = M @ M
    return b


def policy_eval(P, r, pi, terminal, gamma):
    P_pi, r_pi = _step(P, r, pi, terminal)
    return _summed(gamma * P_pi, r_pi)


def total_reward(P, r, pi, terminal):
    P_pi, r_pi = _step(P, r, pi, terminal)
    follows = [{t for t in range(len(row)) if row[t] > 0} for row in P_pi.tolist()]

    def reachable(s):
        seen, todo = {s}, [s]
        while todo:
            new = follows[todo.pop()] - seen
            seen |= new
            todo += new
        return seen

    seen = [reachable(s) for s in range(len(follows))]
    can = [any(terminal[t] for t in after) for after in seen]
    ends = torch.tensor([all(can[t] for t in after) for after in seen])
    P_pi = P_pi * ends[:, None]
    return ends, _summed(P_pi, torch.where(ends, r_pi, 0.0))
