"""Value iteration, as on S1 "Value Iteration Algorithm": Q_{i+1} = E[r + γ max_a' Q_i(s', a')].

Sources: Bellman 1957 for the equation; Puterman 1994, section 6.3, for the contraction and the
stopping rule; the star grid is S1 "A simple MDP", its tables with -1 for every action and +10 on
top for the one that reaches a star.
"""

import torch
from jaxtyping import Bool, Float64
from torch import Tensor


def backup(
    P: Float64[Tensor, "s a s"],
    R: Float64[Tensor, "s a"],
    terminal: Bool[Tensor, " s"],
    gamma: float,
    V: Float64[Tensor, " s"],
) -> Float64[Tensor, "s a"]:
    """Q(s, a) = R(s, a) + γ Σ_s' P(s'|s, a) V(s'), with value 0 and no action after the end."""
    V = V.masked_fill(terminal, 0.0)
    Q = R + gamma * torch.einsum("sat,t->sa", P, V)
    return Q.masked_fill(terminal[:, None], 0.0)


def value_iteration(
    P: Float64[Tensor, "s a s"],
    R: Float64[Tensor, "s a"],
    terminal: Bool[Tensor, " s"],
    gamma: float,
    tol: float,
    max_sweeps: int,
) -> tuple[Float64[Tensor, "s a"], int]:
    """Sweeps until ‖Q_n - Q_{n-1}‖ ≤ tol (1 - γ)/γ, whence ‖Q_n - Q*‖ ≤ tol."""
    Q = torch.zeros_like(R)
    for n in range(1, max_sweeps + 1):
        V = Q.max(dim=1).values
        previous, Q = Q, backup(P, R, terminal, gamma, V)
        if (Q - previous).abs().max() <= tol * (1 - gamma) / gamma:
            return Q, n
    return Q, max_sweeps


def greedy(Q: Float64[Tensor, "s a"]) -> Float64[Tensor, "s a"]:
    """Uniform over argmax_a Q(s, a)."""
    best = (Q == Q.max(dim=1, keepdim=True).values).double()
    return best / best.sum(dim=1, keepdim=True)


def effective_horizon(gamma: float, r_max: float, tol: float) -> int:
    """The first n with γⁿ ‖Q_0 - Q*‖ ≤ γⁿ r_max/(1 - γ) ≤ tol, counted: logarithms are rounded."""
    worst = r_max / (1 - gamma)
    n = 0
    while gamma**n * worst > tol:
        n += 1
    return n


def star_grid(
    stars: Bool[Tensor, " s"], width: int, step: float, bonus: float
) -> tuple[Float64[Tensor, "s 4 s"], Float64[Tensor, "s 4"]]:
    """Every action costs `step`; the one that reaches a star also earns `bonus`."""
    S = len(stars)
    height = S // width
    P = torch.zeros(S, 4, S, dtype=torch.float64)
    R = torch.zeros(S, 4, dtype=torch.float64)
    for s in range(S):
        row, column = divmod(s, width)
        for a, (down, right) in enumerate(((0, 1), (0, -1), (-1, 0), (1, 0))):
            if stars[s]:
                P[s, a, s] = 1.0
                continue
            i = min(max(row + down, 0), height - 1)
            j = min(max(column + right, 0), width - 1)
            P[s, a, i * width + j] = 1.0
            R[s, a] = step + (bonus if stars[i * width + j] else 0.0)
    return P, R
