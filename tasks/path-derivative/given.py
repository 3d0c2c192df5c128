"""Joint log-densities of models, in nats; each takes samples z [m b k] and returns [m b]."""

import math

import torch
from jaxtyping import Float64
from torch import Tensor


def linear_gaussian(
    z: Float64[Tensor, "m b k"],
    x: Float64[Tensor, "b d"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
) -> Float64[Tensor, "m b"]:
    """log p(x, z) of x = W z + b + noise of variance η, with z ~ N(0, I)."""
    residual = x - (z @ weight.T + bias)
    log_lik = -(residual**2).sum(dim=-1) / (2 * eta)
    log_lik = log_lik - 0.5 * x.shape[-1] * (math.log(2 * math.pi) + eta.log())
    return log_lik - 0.5 * (z**2 + math.log(2 * math.pi)).sum(dim=-1)


def mixture(z: Float64[Tensor, "m b k"], centres: Float64[Tensor, "c k"]) -> Float64[Tensor, "m b"]:
    """log of the equal mixture of N(centre, I) over all centres: a density with several modes."""
    squared = ((z.unsqueeze(-2) - centres) ** 2).sum(dim=-1)
    constant = math.log(len(centres)) + 0.5 * z.shape[-1] * math.log(2 * math.pi)
    return torch.logsumexp(-0.5 * squared, dim=-1) - constant
