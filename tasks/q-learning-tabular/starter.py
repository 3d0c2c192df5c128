"""Q-learning with a table of values. Fill in the bodies; keep the signatures.

States are numbered 0 to s - 1 and actions 0 to a - 1. In q_update and epsilon_greedy, b counts
tables that have nothing to do with each other. In a record, entry [t, i] belongs to step t of copy
i of a vector environment with n copies, all of which learn in one table.
"""

import gymnasium
import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def q_update(
    Q: Float64[Tensor, "b s a"],
    state: Int64[Tensor, " b"],
    action: Int64[Tensor, " b"],
    reward: Float64[Tensor, " b"],
    next_state: Int64[Tensor, " b"],
    terminated: Bool[Tensor, " b"],
    alpha: Float64[Tensor, " b"],
    gamma: Float64[Tensor, " b"],
) -> Float64[Tensor, "b s a"]:
    """Each table after one transition of its own, with a step size and a discount of its own."""
    raise NotImplementedError


def epsilon_greedy(
    Q: Float64[Tensor, "b s a"], state: Int64[Tensor, " b"], epsilon: Float64[Tensor, " b"]
) -> Float64[Tensor, "b a"]:
    """The probability of every action in one state of each table."""
    raise NotImplementedError


def q_replay(
    Q: Float64[Tensor, "s a"],
    N: Int64[Tensor, "s a"],
    states: Int64[Tensor, "t n"],
    actions: Int64[Tensor, "t n"],
    rewards: Float64[Tensor, "t n"],
    next_states: Int64[Tensor, "t n"],
    terminated: Bool[Tensor, "t n"],
    truncated: Bool[Tensor, "t n"],
    omega: float,
    gamma: float,
) -> tuple[Float64[Tensor, "s a"], Int64[Tensor, "s a"]]:
    """The table and the numbers of updates after a record; one transition after the other."""
    raise NotImplementedError


def learn(
    env: gymnasium.vector.VectorEnv,
    Q: Float64[Tensor, "s a"],
    steps: int,
    epsilon: float,
    omega: float,
    gamma: float,
    generator: torch.Generator,
) -> tuple[Float64[Tensor, "s a"], Int64[Tensor, "s a"]]:
    """The table and the numbers of updates after so many calls of env.step()."""
    raise NotImplementedError
