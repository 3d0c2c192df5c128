"""Sampling from a VAE, walking through its latent space, and its aggregate posterior.

Sources: S4 "Using the variational autoencoder" for z ~ p(z), x ~ p(x | z); S3 "Observation Model"
for x ~ N(G(z), η I); S0 "Example: VAEs for text" for z = λ z₁ + (1 - λ) z₂; S2 "Variational
AutoEncoders Training" for what the latent loss asks of q over all x.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor


def _observe(x_mean, eta, noise):
    """x ~ N(x_mean, η I); η is a variance."""
    return x_mean + eta.sqrt() * noise


def two_rows(
    decode: Callable[[Float64[Tensor, "b k"]], Float64[Tensor, "b d"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eta: Float64[Tensor, ""],
    eps: Float64[Tensor, "b k"],
    noise: Float64[Tensor, "b d"],
) -> tuple[Float64[Tensor, "b d"], Float64[Tensor, "b d"]]:
    """z = μ + σ ⊙ ε is a sample of q(z | x), and ε itself one of the prior N(0, I)."""
    sigma = log_sigma.exp()
    z_q = mu + sigma * eps
    z_p = eps
    return _observe(decode(z_q), eta, noise), _observe(decode(z_p), eta, noise)


def generate_bits(
    decode: Callable[[Float64[Tensor, "b k"]], Float64[Tensor, "b d"]],
    eps: Float64[Tensor, "b k"],
    u: Float64[Tensor, "b d"],
) -> Float64[Tensor, "b d"]:
    """1 where u < σ(l), so that a bit is 1 with the probability σ(l)."""
    logits = decode(eps)
    p = logits.sigmoid()
    return (u < p).to(torch.float64)


def interpolate(
    decode: Callable[[Float64[Tensor, "b k"]], Float64[Tensor, "b d"]],
    z1: Float64[Tensor, " k"],
    z2: Float64[Tensor, " k"],
    lams: Float64[Tensor, " b"],
) -> Float64[Tensor, "b d"]:
    """G(λ z₁ + (1 - λ) z₂)."""
    lam = lams[:, None]
    z = lam * z1 + (1 - lam) * z2
    return decode(z)


def aggregate_moments(
    mu: Float64[Tensor, "m k"], log_sigma: Float64[Tensor, "m k"]
) -> tuple[Float64[Tensor, " k"], Float64[Tensor, " k"]]:
    """E_x μ and E_x (μ² + σ²)."""
    sigma2 = (2 * log_sigma).exp()
    return mu.mean(dim=0), (mu**2 + sigma2).mean(dim=0)


def sample(
    decode: Callable[[Float64[Tensor, "b k"]], Float64[Tensor, "b d"]],
    eta: Float64[Tensor, ""],
    k: int,
    n: int,
    generator: torch.Generator,
) -> Float64[Tensor, "n d"]:
    """z ~ N(0, I), then x ~ N(G(z), η I), with fresh noise for both."""
    z = torch.randn(n, k, generator=generator, dtype=torch.float64)
    x_mean = decode(z)
    noise = torch.randn(x_mean.shape, generator=generator, dtype=torch.float64)
    return _observe(x_mean, eta, noise)
