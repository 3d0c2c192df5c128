"""A policy over what is seen, π(a|o(s)), in a grid: the agent is not told in which cell s it is.

Source: S1 "Example - Aliased GridWorld" (features of the walls; .5 and .5 where cells look alike),
after D. Silver's course. Rewards as in S0 "A simple MDP: Grid World".
"""

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

MOVES = ((0, 1), (0, -1), (-1, 0), (1, 0))  # rows and columns: right, left, up, down
ROUNDS = 80


def _moves(walls: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Where each action leads from each cell, [s, 4], and whether it is blocked, [s, 4]."""
    s = torch.arange(len(walls))
    row, column = s // width, s % width
    to, blocked = [], []
    for down, right in MOVES:
        r, c = row + down, column + right
        inside = (r >= 0) & (r < len(walls) // width) & (c >= 0) & (c < width)
        t = torch.where(inside, r * width + c, s)
        free = inside & ~walls[t]
        to.append(torch.where(free, t, s))
        blocked.append(~free)
    return torch.stack(to, dim=1), torch.stack(blocked, dim=1)


def _seen(walls: Tensor, blocked: Tensor) -> Tensor:
    """o(s) = Σ_a 2^a [a is blocked in s], and -1 in walls."""
    o = (blocked * torch.tensor([1, 2, 4, 8])).sum(dim=1)
    return o.masked_fill(walls, -1)


def _chain(walls: Tensor, ends: Tensor, width: int, pi: Tensor) -> tuple[Tensor, Tensor]:
    """P_π(t|s) = Σ_a π(a|o(s)) [a leads from s to t], 0 from ends and walls; the ends reached."""
    to, blocked = _moves(walls, width)
    o = _seen(walls, blocked)
    P_pi = torch.zeros(len(walls), len(walls), dtype=torch.float64)
    P_pi = P_pi.scatter_add(1, to, pi[o])
    return P_pi.masked_fill((walls | ends)[:, None], 0.0), ends & ~walls


def observe(walls: Bool[Tensor, " s"], width: int) -> Int64[Tensor, " s"]:
    """The sum of 2^a over blocked actions a."""
    _, blocked = _moves(walls, width)
    return _seen(walls, blocked)


def policy_values(
    walls: Bool[Tensor, " s"],
    ends: Bool[Tensor, " s"],
    prize: Float64[Tensor, " s"],
    width: int,
    step: float,
    pi: Float64[Tensor, "16 4"],
    gamma: float,
) -> Float64[Tensor, " s"]:
    """(I - γ P_π) v = step + P_π prize among the cells where the episode goes on."""
    P_pi, over = _chain(walls, ends, width, pi)
    r_pi = step + P_pi @ prize.masked_fill(~over, 0.0)
    r_pi = r_pi.masked_fill(walls | ends, 0.0)
    identity = torch.eye(len(walls), dtype=torch.float64)
    return torch.linalg.solve(identity - gamma * P_pi, r_pi)


def expected_steps(
    walls: Bool[Tensor, " s"],
    ends: Bool[Tensor, " s"],
    width: int,
    pi: Float64[Tensor, "16 4"],
) -> Float64[Tensor, " s"]:
    """t = 1 + P_π t, and infinity where a cell may follow from which no end can be reached."""
    P_pi, over = _chain(walls, ends, width, pi)
    possible = P_pi > 0
    can_end = over
    for _ in range(len(walls)):
        can_end = can_end | (possible & can_end).any(dim=1)
    stuck = ~can_end & ~walls
    for _ in range(len(walls)):
        stuck = stuck | (possible & stuck).any(dim=1)
    going = ~(walls | ends)
    finite = going & ~stuck
    t = torch.where(going, torch.inf, 0.0).double()
    A = torch.eye(int(finite.sum()), dtype=torch.float64) - P_pi[finite][:, finite]
    t[finite] = torch.linalg.solve(A, torch.ones(len(A), dtype=torch.float64))
    return t


def _one_side(weights: list[float], p: float) -> float:
    """Σ_j weights[j] E[steps to the diamond's column], from the end cell j = 0 inwards.

    τ_j is the expected number of steps from cell j to the next one inwards, which a step towards
    the diamond reaches: τ_0 = 1, τ_j = 1 + (1 - p) (τ_{j-1} + τ_j).
    """
    tau = total = reached = 0.0
    for j, weight in enumerate(weights):
        tau = (1.0 + (1.0 - p) * tau) / p if j else 1.0
        reached += weight
        total += reached * tau
    return total


def best_right(start: Float64[Tensor, " n"], diamond: int) -> float:
    """The least of Σ_s start(s) E[steps from s], convex in p, by ternary search."""
    left = start[:diamond].tolist()
    right = start[diamond + 1 :].flip(0).tolist()

    def steps(p: float) -> float:
        return _one_side(left, p) + _one_side(right, 1.0 - p)

    low, high = 0.0, 1.0
    for _ in range(ROUNDS):
        third = (high - low) / 3
        if steps(low + third) < steps(high - third):
            high -= third
        else:
            low += third
    return (low + high) / 2
