"""Bellman's equation of a policy: v_π(s) = Σ_a π(a|s) q_π(s, a), q_π(s, a) = E[r + γ v_π(s')].

Sources: S2 "(State-)Value and Action-Value Functions", S1 "Bellman equation"; Sutton & Barto 2018,
sections 3.5 and 4.1, for the sweeps. S2 "Episodic and Continuing Tasks" for γ = 1.
"""

import torch
from jaxtyping import Bool, Float64
from torch import Tensor


def _under(P: Tensor, r: Tensor, pi: Tensor, terminal: Tensor) -> tuple[Tensor, Tensor]:
    """P_π(s'|s) and the expected reward r_π(s) of a step; in terminal states both are 0."""
    pi = pi.masked_fill(terminal[:, None], 0.0)
    P = P.masked_fill(terminal[:, None, None], 0.0)
    return torch.einsum("sa,sat->st", pi, P), torch.einsum("sa,sat,sat->s", pi, P, r)


def v_from_q(
    q: Float64[Tensor, "s a"], pi: Float64[Tensor, "s a"], terminal: Bool[Tensor, " s"]
) -> Float64[Tensor, " s"]:
    """v(s) = Σ_a π(a|s) q(s, a), and 0 after the end."""
    v = (pi * q).sum(dim=1)
    return v.masked_fill(terminal, 0.0)


def q_from_v(
    P: Float64[Tensor, "s a s"],
    r: Float64[Tensor, "s a s"],
    terminal: Bool[Tensor, " s"],
    gamma: float,
    v: Float64[Tensor, " s"],
) -> Float64[Tensor, "s a"]:
    """q(s, a) = Σ_s' P(s'|s, a) (r(s, a, s') + γ v(s')), with v = 0 and no action after the end."""
    v = v.masked_fill(terminal, 0.0)
    q = (P * (r + gamma * v)).sum(dim=2)
    return q.masked_fill(terminal[:, None], 0.0)


def sweeps(
    P: Float64[Tensor, "s a s"],
    r: Float64[Tensor, "s a s"],
    pi: Float64[Tensor, "s a"],
    terminal: Bool[Tensor, " s"],
    gamma: float,
    v: Float64[Tensor, " s"],
    count: int,
) -> Float64[Tensor, " s"]:
    """v ← r_π + γ P_π v."""
    P_pi, r_pi = _under(P, r, pi, terminal)
    v = v.masked_fill(terminal, 0.0)
    for _ in range(count):
        v = r_pi + gamma * P_pi @ v
    return v


def sweeps_in_place(
    P: Float64[Tensor, "s a s"],
    r: Float64[Tensor, "s a s"],
    pi: Float64[Tensor, "s a"],
    terminal: Bool[Tensor, " s"],
    gamma: float,
    v: Float64[Tensor, " s"],
    count: int,
) -> Float64[Tensor, " s"]:
    """v(s) ← r_π(s) + γ Σ_s' P_π(s'|s) v(s'), one state after the other."""
    P_pi, r_pi = _under(P, r, pi, terminal)
    v = v.masked_fill(terminal, 0.0)
    for _ in range(count):
        for s in range(len(v)):
            v[s] = r_pi[s] + gamma * P_pi[s] @ v
    return v


def policy_eval(
    P: Float64[Tensor, "s a s"],
    r: Float64[Tensor, "s a s"],
    pi: Float64[Tensor, "s a"],
    terminal: Bool[Tensor, " s"],
    gamma: float,
) -> Float64[Tensor, " s"]:
    """(I - γ P_π) v_π = r_π."""
    P_pi, r_pi = _under(P, r, pi, terminal)
    identity = torch.eye(len(r_pi), dtype=torch.float64)
    return torch.linalg.solve(identity - gamma * P_pi, r_pi)


def total_reward(
    P: Float64[Tensor, "s a s"],
    r: Float64[Tensor, "s a s"],
    pi: Float64[Tensor, "s a"],
    terminal: Bool[Tensor, " s"],
) -> tuple[Bool[Tensor, " s"], Float64[Tensor, " s"]]:
    """The episode surely ends where no state can follow from which no terminal state can."""
    P_pi, r_pi = _under(P, r, pi, terminal)
    step = P_pi > 0
    can_end = terminal
    for _ in terminal:
        can_end = can_end | (step & can_end).any(dim=1)
    may_stay = ~can_end
    for _ in terminal:
        may_stay = may_stay | (step & may_stay).any(dim=1)
    ends = ~may_stay
    v = torch.zeros_like(r_pi)
    identity = torch.eye(int(ends.sum()), dtype=torch.float64)
    v[ends] = torch.linalg.solve(identity - P_pi[ends][:, ends], r_pi[ends])
    return ends, v
