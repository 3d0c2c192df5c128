"""Reward and controller of an architecture search. Fill in the bodies; keep the signatures.

Real numbers are float64, choices are int64 and count from 0. b is the batch, t the number of
decisions, h the size of the controller's state, k the largest number of choices of a decision.
"""

from jaxtyping import Float64, Int64
from torch import Tensor


def reward(
    accuracy: Float64[Tensor, " b"], flops: Float64[Tensor, " b"], target: float, exponent: float
) -> Float64[Tensor, " b"]:
    """Accuracy times (target / FLOPS) to the power of the exponent, for every architecture."""
    raise NotImplementedError


def balance(factor: Float64[Tensor, " b"], gain: Float64[Tensor, " b"]) -> Float64[Tensor, " b"]:
    """The β of 1 + gain = factor^β."""
    raise NotImplementedError


def decisions(cells: int, blocks: int, parameters: int) -> int:
    """How many choices describe an architecture."""
    raise NotImplementedError


def log_prob(
    sequences: Int64[Tensor, "b t"],
    last: Int64[Tensor, " t"],
    W: Float64[Tensor, "h h"],
    E: Float64[Tensor, "k h"],
    c: Float64[Tensor, " h"],
    V: Float64[Tensor, "k h"],
    d: Float64[Tensor, "t k"],
) -> Float64[Tensor, " b"]:
    """log p of every sequence under the controller, in nats; step t offers 0, ..., last[t]."""
    raise NotImplementedError


def controller_loss(
    log_probs: Float64[Tensor, " b"], rewards: Float64[Tensor, " b"], baseline: float
) -> Float64[Tensor, ""]:
    """The loss whose negative gradient is the estimate of REINFORCE with a baseline."""
    raise NotImplementedError


def moving_baseline(
    baseline: float, rewards: Float64[Tensor, " b"], decay: float
) -> Float64[Tensor, ""]:
    """The baseline of the next batch."""
    raise NotImplementedError
