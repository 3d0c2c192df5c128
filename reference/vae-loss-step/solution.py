"""The loss of a VAE, L = E_q[-log p(x | z)] + KL(q(z | x) ‖ p(z)), and one step that lowers it.

Sources: S2 "Variational AutoEncoders Training" (the two terms), S3 "Variational Auto-encoder
(VAE)" and "VAE - Summary" (the flow of the step; there with the wrong sign of the KL), S4 "The
variational autoencoder".
"""

import math

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.nn.functional import logsigmoid


def bernoulli_rec(
    x: Float64[Tensor, "b d"], x_logits: Float64[Tensor, "b d"]
) -> Float64[Tensor, " b"]:
    """-Σ x ln p + (1 - x) ln(1 - p) with p = 1 / (1 + e^-l)."""
    log_p, log_not_p = logsigmoid(x_logits), logsigmoid(-x_logits)
    return -(x * log_p + (1 - x) * log_not_p).sum(dim=1)


def gaussian_rec(
    x: Float64[Tensor, "b d"], x_mean: Float64[Tensor, "b d"], eta: Float64[Tensor, ""]
) -> Float64[Tensor, " b"]:
    """‖x - x̂‖² / 2η + D/2 ln 2πη."""
    squared_error = ((x - x_mean) ** 2).sum(dim=1)
    return squared_error / (2 * eta) + 0.5 * x.shape[1] * (2 * math.pi * eta).log()


def kl(mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"]) -> Float64[Tensor, " b"]:
    """½ Σ σ² + μ² - 1 - ln σ²."""
    sigma2 = (2 * log_sigma).exp()
    return 0.5 * (sigma2 + mu**2 - 1 - 2 * log_sigma).sum(dim=1)


def vae_loss(
    x: Float64[Tensor, "b d"],
    x_logits: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
) -> tuple[Float64[Tensor, ""], Float64[Tensor, ""], Float64[Tensor, ""]]:
    """-L = reconstruction + KL, summed over dimensions, averaged over the batch."""
    rec, divergence = bernoulli_rec(x, x_logits).mean(), kl(mu, log_sigma).mean()
    return rec + divergence, rec, divergence


def network_loss(
    x: Float64[Tensor, "b d"],
    eps: Float64[Tensor, "b k"],
    v: Float64[Tensor, "k d"],
    s: Float64[Tensor, "k d"],
    u: Float64[Tensor, "d k"],
) -> Float64[Tensor, ""]:
    """Encoder (μ, ln σ) = (V x, S x), z = μ + σ ε, decoder l = U z."""
    mu, log_sigma = x @ v.T, x @ s.T
    z = mu + log_sigma.exp() * eps
    loss, _, _ = vae_loss(x, z @ u.T, mu, log_sigma)
    return loss


def sgd_step(
    x: Float64[Tensor, "b d"],
    eps: Float64[Tensor, "b k"],
    v: Float64[Tensor, "k d"],
    s: Float64[Tensor, "k d"],
    u: Float64[Tensor, "d k"],
    rate: float,
) -> tuple[Float64[Tensor, "k d"], Float64[Tensor, "k d"], Float64[Tensor, "d k"]]:
    """θ ← θ - rate ∇θ(-L), φ ← φ - rate ∇φ(-L), both at the old parameters."""
    old = [parameter.detach().clone().requires_grad_() for parameter in (v, s, u)]
    slopes = torch.autograd.grad(network_loss(x, eps, *old), old)
    new_v, new_s, new_u = ((w - rate * g).detach() for w, g in zip(old, slopes, strict=True))
    return new_v, new_s, new_u
