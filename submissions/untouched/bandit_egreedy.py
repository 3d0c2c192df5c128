"""Estimates of a bandit's arms, and the ε-greedy method. Fill in the bodies; keep the signatures.

Tensors are float64, counts and arms Int64. Each of the b rows is a bandit of its own with a arms,
numbered from 0; t trials follow each other. Where an array is called `Q`, it holds an estimate for
every arm of every bandit.
"""

import torch
from jaxtyping import Float64, Int64
from torch import Tensor


def update_average(
    Q: Float64[Tensor, "b a"],
    N: Int64[Tensor, "b a"],
    action: Int64[Tensor, " b"],
    reward: Float64[Tensor, " b"],
) -> tuple[Float64[Tensor, "b a"], Int64[Tensor, "b a"]]:
    """Q and N after one more trial of each bandit; Q is the mean of N rewards, arm by arm."""
    raise NotImplementedError


def update_constant(
    Q: Float64[Tensor, "b a"],
    action: Int64[Tensor, " b"],
    reward: Float64[Tensor, " b"],
    alpha: float,
) -> Float64[Tensor, "b a"]:
    """Q after one more trial of each bandit, with the step size α."""
    raise NotImplementedError


def estimates(
    initial: Float64[Tensor, "b a"],
    action: Int64[Tensor, "b t"],
    reward: Float64[Tensor, "b t"],
) -> Float64[Tensor, "b t a"]:
    """Q_t of every trial: sample averages of the trials before it, `initial` without any."""
    raise NotImplementedError


def share_within(
    reward: Float64[Tensor, "r t"], value: float, radius: float
) -> Float64[Tensor, " t"]:
    """For n = 1 … t the share of the r runs with |mean of the first n rewards - value| < radius."""
    raise NotImplementedError


def action_probabilities(
    Q: Float64[Tensor, "b a"], epsilon: Float64[Tensor, " b"]
) -> Float64[Tensor, "b a"]:
    """The probability of every arm under the ε-greedy method, each bandit with an ε of its own."""
    raise NotImplementedError


def act(
    Q: Float64[Tensor, "b a"], epsilon: Float64[Tensor, " b"], generator: torch.Generator
) -> Int64[Tensor, " b"]:
    """One arm for each bandit, drawn by the ε-greedy method with `generator` alone."""
    raise NotImplementedError
