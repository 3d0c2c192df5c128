"""Reparameterised samples of q = N(μ, diag σ²). Fill in the bodies; keep the signatures.

Tensors are float64. M is the number of samples, B the batch, K the number of latent dimensions;
`log_sigma` is ln σ, the natural logarithm of the standard deviation (not of the variance).
"""

import torch
from jaxtyping import Float64
from torch import Tensor


def rsample(
    mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"], eps: Float64[Tensor, "m b k"]
) -> Float64[Tensor, "m b k"]:
    """Samples z from the standard normal noise `eps`, differentiable in `mu` and `log_sigma`."""
    raise NotImplementedError


def backward_rule(
    zbar: Float64[Tensor, "m b k"],
    eps: Float64[Tensor, "m b k"],
    log_sigma: Float64[Tensor, "b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """From z̄ = ∂L/∂z the gradients (μ̄, σ̄, and that by ln σ), by hand and without autograd."""
    raise NotImplementedError


def sigma_exp(raw: Float64[Tensor, "b k"]) -> Float64[Tensor, "b k"]:
    """σ > 0 from a network's output that is read as ln σ."""
    raise NotImplementedError


def sigma_softplus(raw: Float64[Tensor, "b k"]) -> Float64[Tensor, "b k"]:
    """σ > 0 from a network's output by softplus, for outputs between -50 and 50."""
    raise NotImplementedError


def sample(
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    m: int,
    generator: torch.Generator,
) -> Float64[Tensor, "m b k"]:
    """M samples for every row, from noise that is drawn here with `generator`; differentiable."""
    raise NotImplementedError
