"""Entropy and KL divergences of diagonal Gaussians, term by term as in the lectures.

q = N(μ, diag σ²) with K dimensions, ln σ given. Sources: S4 "A brief aside… Entropy" for H(q);
Kingma & Welling 2014, appendix B, and S2 "Training" for KL(q ‖ N(0, I)).
"""

import math

from jaxtyping import Float64
from torch import Tensor


def gaussian_entropy(log_sigma: Float64[Tensor, "b k"]) -> Float64[Tensor, " b"]:
    """H(q) = K/2 (1 + ln 2π) + Σ ln σ, in nats."""
    k = log_sigma.shape[1]
    return 0.5 * k * (1 + math.log(2 * math.pi)) + log_sigma.sum(dim=1)


def kl_std_normal(
    mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"]
) -> Float64[Tensor, " b"]:
    """KL(q ‖ N(0, I)) = ½ Σ (σ² + μ² - 1 - ln σ²), in nats."""
    sigma2 = (2 * log_sigma).exp()
    return 0.5 * (sigma2 + mu**2 - 1 - 2 * log_sigma).sum(dim=1)


def kl_diag(
    mu1: Float64[Tensor, "b k"],
    log_sigma1: Float64[Tensor, "b k"],
    mu2: Float64[Tensor, "b k"],
    log_sigma2: Float64[Tensor, "b k"],
) -> Float64[Tensor, " b"]:
    """KL(q₁ ‖ q₂) = Σ ln σ₂/σ₁ + (σ₁² + (μ₁ - μ₂)²) / 2σ₂² - ½, in nats."""
    var1, var2 = (2 * log_sigma1).exp(), (2 * log_sigma2).exp()
    ratio = (var1 + (mu1 - mu2) ** 2) / (2 * var2)
    return (log_sigma2 - log_sigma1 + ratio - 0.5).sum(dim=1)
