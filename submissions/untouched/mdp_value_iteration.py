"""Value iteration on a finite MDP with known tables. Fill in the bodies; keep the signatures.

Tensors are float64. S is the number of states, A the number of actions. P[s, a, t] is the
probability of state t after action a in state s, R[s, a] the expected reward of that step. Where
`terminal` is True the episode is over: the state is worth 0, and what stands in its rows of P
and R is never used.
"""

from jaxtyping import Bool, Float64
from torch import Tensor


def backup(
    P: Float64[Tensor, "s a s"],
    R: Float64[Tensor, "s a"],
    terminal: Bool[Tensor, " s"],
    gamma: float,
    V: Float64[Tensor, " s"],
) -> Float64[Tensor, "s a"]:
    """One sweep over all states and actions: E[r + γ V(s') | s, a]; 0 in terminal states."""
    raise NotImplementedError


def value_iteration(
    P: Float64[Tensor, "s a s"],
    R: Float64[Tensor, "s a"],
    terminal: Bool[Tensor, " s"],
    gamma: float,
    tol: float,
    max_sweeps: int,
) -> tuple[Float64[Tensor, "s a"], int]:
    """Q_n and n: sweeps from Q_0 = 0 until ‖Q_n - Q_{n-1}‖ ≤ tol (1 - γ)/γ or n = max_sweeps."""
    raise NotImplementedError


def greedy(Q: Float64[Tensor, "s a"]) -> Float64[Tensor, "s a"]:
    """Probabilities π(a|s) of a policy that is greedy with respect to Q; ties as you like."""
    raise NotImplementedError


def effective_horizon(gamma: float, r_max: float, tol: float) -> int:
    """The smallest n ≥ 0 with γⁿ r_max / (1 - γ) ≤ tol, for 0 < γ < 1."""
    raise NotImplementedError


def star_grid(
    stars: Bool[Tensor, " s"], width: int, step: float, bonus: float
) -> tuple[Float64[Tensor, "s 4 s"], Float64[Tensor, "s 4"]]:
    """P and R of a grid of `width` columns, row by row; actions right, left, up, down."""
    raise NotImplementedError
