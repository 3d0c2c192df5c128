"""The functions whose expectations are differentiated. All take samples z [m b k], return [m b]."""

import math

from jaxtyping import Float64
from torch import Tensor


def square(z: Float64[Tensor, "m b k"]) -> Float64[Tensor, "m b"]:
    """f(z) = Σ z²."""
    return (z**2).sum(dim=-1)


def sine(z: Float64[Tensor, "m b k"]) -> Float64[Tensor, "m b"]:
    """f(z) = Σ sin z."""
    return z.sin().sum(dim=-1)


def log_lik(
    z: Float64[Tensor, "m b k"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    x: Float64[Tensor, "b d"],
    eta: Float64[Tensor, ""],
) -> Float64[Tensor, "m b"]:
    """log p_θ(x | z) of the linear decoder x = W z + b + noise of variance η, in nats."""
    residual = x - (z @ weight.T + bias)
    constant = 0.5 * x.shape[-1] * (math.log(2 * math.pi) + eta.log())
    return -(residual**2).sum(dim=-1) / (2 * eta) - constant


def log_joint(
    z: Float64[Tensor, "m b k"],
    x: Float64[Tensor, "b d"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
) -> Float64[Tensor, "m b"]:
    """log p_θ(x, z) = log p_θ(x | z) + log N(z; 0, I), in nats."""
    log_prior = -0.5 * (z**2 + math.log(2 * math.pi)).sum(dim=-1)
    return log_lik(z, weight, bias, x, eta) + log_prior
