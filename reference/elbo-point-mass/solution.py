"""The two terms of the bound for q = N(μ, σ² I), and log p(x) as the decoder loses its noise.

Sources: S3 "Variational Inference" (the exercise and z*), S3 "Observation Model" (η); Kingma &
Welling 2014, appendix B, for the divergence; Tipping & Bishop 1999, section 3, for log p(x).
"""

import math

import torch
from jaxtyping import Float64
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


def kl_as_sigma_to_zero(
    mu: Float64[Tensor, " k"], log_sigmas: Float64[Tensor, " n"]
) -> Float64[Tensor, " n"]:
    """KL(q ‖ N(0, I)) = ½ Σ (μ² - 1) + K (½ σ² - ln σ): -K ln σ is left as σ → 0."""
    k = len(mu)
    sigma2 = (2 * log_sigmas).exp()
    return 0.5 * (mu**2 - 1).sum() + k * (0.5 * sigma2 - log_sigmas)


def best_point(
    x: Float64[Tensor, " d"], weight: Float64[Tensor, "d k"], bias: Float64[Tensor, " d"]
) -> Float64[Tensor, " k"]:
    """z* = argmin ‖x - G(z)‖², from Wᵀ W z* = Wᵀ (x - b)."""
    return torch.linalg.solve(weight.T @ weight, weight.T @ (x - bias))


def recon_term(
    x: Float64[Tensor, " d"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
    mu: Float64[Tensor, " k"],
    log_sigmas: Float64[Tensor, " n"],
) -> Float64[Tensor, " n"]:
    """-E‖x - G(z)‖² / 2η - D/2 ln 2πη, and E‖x - G(z)‖² = ‖x - G(μ)‖² + σ² tr W Wᵀ."""
    d = len(x)
    at_mean = ((x - weight @ mu - bias) ** 2).sum()
    sigma2 = (2 * log_sigmas).exp()
    squared_error = at_mean + sigma2 * (weight**2).sum()
    return -squared_error / (2 * eta) - 0.5 * d * (LOG_2PI + eta.log())


def loglik_vs_eta(
    x: Float64[Tensor, " d"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    etas: Float64[Tensor, " n"],
) -> Float64[Tensor, " n"]:
    """log N(x; b, W Wᵀ + η I), along the axes of W: variance s_i² + η in its range, η across it."""
    d, k = weight.shape
    axes, s, _ = torch.linalg.svd(weight, full_matrices=True)
    coordinates = axes.T @ (x - bias)
    variance = torch.cat([s**2, torch.zeros(d - k, dtype=s.dtype)]) + etas[:, None]
    return -0.5 * (coordinates**2 / variance + variance.log() + LOG_2PI).sum(dim=1)
