"""Reparameterised samples of a diagonal Gaussian, line by line as in the lectures.

q = N(μ, diag σ²) with ln σ given. Sources: S2 "Reparametrization Trick" and S0 for z = μ + σ ⊙ ε;
S3 "Reparameterization Trick" for the backward rule; S2 "Training" for exp and softplus;
Kingma & Welling 2014, section 2.4.
"""

import torch
from jaxtyping import Float64
from torch import Tensor


def rsample(
    mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"], eps: Float64[Tensor, "m b k"]
) -> Float64[Tensor, "m b k"]:
    """z = μ + σ ⊙ ε."""
    sigma = log_sigma.exp()
    return mu + sigma * eps


def backward_rule(
    zbar: Float64[Tensor, "m b k"],
    eps: Float64[Tensor, "m b k"],
    log_sigma: Float64[Tensor, "b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """μ̄ = Σ z̄, σ̄ = Σ z̄ ε, and by the chain rule σ̄ σ for ln σ; the sums run over the samples."""
    mu_bar = zbar.sum(dim=0)
    sigma_bar = (zbar * eps).sum(dim=0)
    log_sigma_bar = sigma_bar * log_sigma.exp()
    return mu_bar, sigma_bar, log_sigma_bar


def sigma_exp(raw: Float64[Tensor, "b k"]) -> Float64[Tensor, "b k"]:
    """σ = e^raw."""
    return torch.exp(raw)


def sigma_softplus(raw: Float64[Tensor, "b k"]) -> Float64[Tensor, "b k"]:
    """σ = ln(1 + e^raw) = max(raw, 0) + ln(1 + e^-|raw|), which neither over- nor underflows."""
    return torch.logaddexp(raw, torch.zeros_like(raw))


def sample(
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    m: int,
    generator: torch.Generator,
) -> Float64[Tensor, "m b k"]:
    """z = μ + σ ⊙ ε with a fresh ε ~ N(0, 1) for every sample, row and dimension."""
    eps = torch.randn(m, *mu.shape, generator=generator, dtype=mu.dtype)
    return rsample(mu, log_sigma, eps)
