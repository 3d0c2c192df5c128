"""Values of a policy in a finite MDP with known tables. Fill in the bodies; keep the signatures.

Tensors are float64. S is the number of states, A the number of actions. P[s, a, t] is the
probability of state t after action a in state s, r[s, a, t] the reward of that step, pi[s, a] the
probability that the policy takes action a in state s. Where `terminal` is True the episode is
over: the state is worth 0, and what stands in its rows of P, r and pi is never used.
"""

from jaxtyping import Bool, Float64
from torch import Tensor


def v_from_q(
    q: Float64[Tensor, "s a"], pi: Float64[Tensor, "s a"], terminal: Bool[Tensor, " s"]
) -> Float64[Tensor, " s"]:
    """E[q(s, a)] over the policy's actions; 0 in terminal states."""
    raise NotImplementedError


def q_from_v(
    P: Float64[Tensor, "s a s"],
    r: Float64[Tensor, "s a s"],
    terminal: Bool[Tensor, " s"],
    gamma: float,
    v: Float64[Tensor, " s"],
) -> Float64[Tensor, "s a"]:
    """E[r + γ v(s')] over the next state s'; 0 in terminal states."""
    raise NotImplementedError


def sweeps(
    P: Float64[Tensor, "s a s"],
    r: Float64[Tensor, "s a s"],
    pi: Float64[Tensor, "s a"],
    terminal: Bool[Tensor, " s"],
    gamma: float,
    v: Float64[Tensor, " s"],
    count: int,
) -> Float64[Tensor, " s"]:
    """`count` backups of all states from v, each from the values before it."""
    raise NotImplementedError


def sweeps_in_place(
    P: Float64[Tensor, "s a s"],
    r: Float64[Tensor, "s a s"],
    pi: Float64[Tensor, "s a"],
    terminal: Bool[Tensor, " s"],
    gamma: float,
    v: Float64[Tensor, " s"],
    count: int,
) -> Float64[Tensor, " s"]:
    """`count` sweeps from v over the states 0, 1, ..., each from the newest values."""
    raise NotImplementedError


def policy_eval(
    P: Float64[Tensor, "s a s"],
    r: Float64[Tensor, "s a s"],
    pi: Float64[Tensor, "s a"],
    terminal: Bool[Tensor, " s"],
    gamma: float,
) -> Float64[Tensor, " s"]:
    """v_π for 0 ≤ γ < 1, the solution of Bellman's equation; 0 in terminal states."""
    raise NotImplementedError


def total_reward(
    P: Float64[Tensor, "s a s"],
    r: Float64[Tensor, "s a s"],
    pi: Float64[Tensor, "s a"],
    terminal: Bool[Tensor, " s"],
) -> tuple[Bool[Tensor, " s"], Float64[Tensor, " s"]]:
    """Whether the episode surely ends from each state, and v_π at γ = 1 where it does, else 0."""
    raise NotImplementedError
