"""Policies over observations in a grid whose cells may look alike. Fill in the bodies.

Keep the signatures. Cells are numbered row by row from the top left, `width` cells a row. Actions
are 0 right, 1 left, 2 up, 3 down. An observation is a number from 0 to 15: the sum of 2^a over
the actions a that a wall, or the edge of the grid, blocks. pi[o, a] is the probability of action a
where o is observed.
"""

from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def observe(walls: Bool[Tensor, " s"], width: int) -> Int64[Tensor, " s"]:
    """What is observed in each cell, 0 to 15; -1 in cells that are walls themselves."""
    raise NotImplementedError


def policy_values(
    walls: Bool[Tensor, " s"],
    ends: Bool[Tensor, " s"],
    prize: Float64[Tensor, " s"],
    width: int,
    step: float,
    pi: Float64[Tensor, "16 4"],
    gamma: float,
) -> Float64[Tensor, " s"]:
    """The expected discounted sum of rewards from each cell on; 0 in walls and ends."""
    raise NotImplementedError


def expected_steps(
    walls: Bool[Tensor, " s"],
    ends: Bool[Tensor, " s"],
    width: int,
    pi: Float64[Tensor, "16 4"],
) -> Float64[Tensor, " s"]:
    """The expected number of steps from each cell to an end; infinity where it may never come."""
    raise NotImplementedError


def best_right(start: Float64[Tensor, " n"], diamond: int) -> float:
    """The probability of "right" in the cells that look alike that needs the fewest steps."""
    raise NotImplementedError
