"""The states that are not over are cut out of the tables; everything is computed among them."""

import torch


def v_from_q(q, pi, terminal):
    return torch.einsum("sa,sa->s", pi, q) * (~terminal).double()


def q_from_v(P, r, terminal, gamma, v):
    going = (~terminal).double()
    R = torch.einsum("sat,sat->sa", P, r)
    return (R + gamma * P @ (going * v)) * going[:, None]


def _cut(P, r, pi, terminal):
    """The living states, P_π among them, the expected reward, where a step can end."""
    alive = torch.nonzero(~terminal).flatten()
    P, r, pi = P[alive], r[alive], pi[alive]
    R = (P * r).sum(-1)
    P_pi = torch.bmm(pi.unsqueeze(1), P).squeeze(1)
    return alive, P_pi[:, alive], (pi * R).sum(-1), P_pi[:, terminal].sum(1) > 0


def _filled(values, alive, like):
    full = torch.zeros(len(like), dtype=torch.float64)
    full[alive] = values
    return full


def sweeps(P, r, pi, terminal, gamma, v, count):
    alive, P_pi, r_pi, _ = _cut(P, r, pi, terminal)
    u = v[alive]
    for _ in range(count):
        u = torch.addmv(r_pi, P_pi, u, alpha=gamma)
    return _filled(u, alive, v)


def sweeps_in_place(P, r, pi, terminal, gamma, v, count):
    alive, P_pi, r_pi, _ = _cut(P, r, pi, terminal)
    u = v[alive].tolist()
    rows = (gamma * P_pi).tolist()
    for _ in range(count):
        for i, reward in enumerate(r_pi.tolist()):
            u[i] = reward + sum(p * x for p, x in zip(rows[i], u, strict=True))
    return _filled(torch.tensor(u, dtype=torch.float64), alive, v)


def policy_eval(P, r, pi, terminal, gamma):
    alive, P_pi, r_pi, _ = _cut(P, r, pi, terminal)
    inverse = torch.linalg.inv(torch.eye(len(alive), dtype=torch.float64) - gamma * P_pi)
    return _filled(inverse @ r_pi, alive, terminal)


def total_reward(P, r, pi, terminal):
    alive, P_pi, r_pi, out = _cut(P, r, pi, terminal)
    n = len(alive)
    reach = torch.eye(n, dtype=torch.bool) | (P_pi > 0)
    for k in range(n):
        reach = reach | (reach[:, k : k + 1] & reach[k : k + 1, :])
    lost = ~(reach & out).any(1)
    sure = ~(reach & lost).any(1)
    A = torch.eye(n, dtype=torch.float64) - P_pi
    values = torch.zeros(n, dtype=torch.float64)
    values[sure] = torch.linalg.solve(A[sure][:, sure], r_pi[sure])
    ends = terminal.clone()
    ends[alive] = sure
    return ends, _filled(values, alive, terminal)
