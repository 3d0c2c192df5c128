"""The ten-armed testbed: many runs of the ε-greedy method at once. Fill in the bodies.

Tensors are float64, arms and actions Int64, `explores` Bool. Each run has a bandit of its own with
a arms, numbered from 0, and t trials that follow each other.
"""

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def play(
    value: Float64[Tensor, "b a"],
    explores: Bool[Tensor, "b t"],
    arm: Int64[Tensor, "b t"],
    key: Float64[Tensor, "b t a"],
    noise: Float64[Tensor, "b t"],
) -> tuple[Int64[Tensor, "b t"], Float64[Tensor, "b t"]]:
    """Actions and rewards of b runs from the beginning; all chance is in the arguments."""
    raise NotImplementedError


def curves(
    value: Float64[Tensor, "r a"],
    action: Int64[Tensor, "r t"],
    reward: Float64[Tensor, "r t"],
) -> tuple[Float64[Tensor, " t"], Float64[Tensor, " t"]]:
    """Of each trial: the average reward of r runs, and the share of runs with an optimal action."""
    raise NotImplementedError


def testbed(
    epsilon: float, runs: int, steps: int, arms: int, generator: torch.Generator
) -> tuple[
    Float64[Tensor, "runs arms"], Int64[Tensor, "runs steps"], Float64[Tensor, "runs steps"]
]:
    """(value, action, reward) of independent runs, all drawn with `generator` alone."""
    raise NotImplementedError
