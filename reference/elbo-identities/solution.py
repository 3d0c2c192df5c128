"""log p(x), the terms of the four forms of the bound, and the gap, in closed form.

q = N(μ, diag σ²), p(z) = N(0, I), p(x | z) = N(W z + b, η I), p(z | x) = N(m, P⁻¹) with precision
P = I + WᵀW / η and mean m = P⁻¹ Wᵀ (x - b) / η. Sources: S4 "Latent variable models", "The
variational approximation" and "A brief aside…"; S3 "Variational Inference" for the gap; S0
"Variational Auto-Encoders (VAEs)" for the first two forms; S2 "VAE – Variational (or Evidence)
Lower Bound".
"""

import math

import torch
from jaxtyping import Float64
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


def log_marginal_mixture(
    x: Float64[Tensor, "b d"],
    log_pi: Float64[Tensor, " c"],
    mu: Float64[Tensor, "c d"],
    log_sigma: Float64[Tensor, "c d"],
) -> Float64[Tensor, " b"]:
    """log p(x) = log Σ_z p(x | z) p(z), the largest term taken out of the sum first."""
    sigma = log_sigma.exp()
    standardised = (x[:, None, :] - mu) / sigma
    log_density = (-0.5 * standardised**2 - log_sigma - 0.5 * LOG_2PI).sum(dim=2)
    return torch.logsumexp(log_pi + log_density, dim=1)


def log_marginal(
    x: Float64[Tensor, "b d"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
) -> Float64[Tensor, " b"]:
    """log N(x; b, W Wᵀ + η I)."""
    d = x.shape[1]
    covariance = weight @ weight.T + eta * torch.eye(d, dtype=x.dtype)
    residual = x - bias
    quadratic = (residual * torch.linalg.solve(covariance, residual.T).T).sum(dim=1)
    return -0.5 * (quadratic + torch.logdet(covariance) + d * LOG_2PI)


def reconstruction(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
) -> Float64[Tensor, " b"]:
    """E_q log p(x | z) = -(‖x - Wμ - b‖² + tr W diag σ² Wᵀ) / 2η - D/2 ln 2πη."""
    d = x.shape[1]
    sigma2 = (2 * log_sigma).exp()
    at_mean = ((x - mu @ weight.T - bias) ** 2).sum(dim=1)
    spread = (sigma2 @ (weight**2).T).sum(dim=1)
    return -(at_mean + spread) / (2 * eta) - 0.5 * d * (LOG_2PI + eta.log())


def kl_prior(
    mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"]
) -> Float64[Tensor, " b"]:
    """KL(q ‖ p(z)) = ½ Σ (σ² + μ² - 1 - ln σ²)."""
    return 0.5 * ((2 * log_sigma).exp() + mu**2 - 1 - 2 * log_sigma).sum(dim=1)


def kl_posterior(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
) -> Float64[Tensor, " b"]:
    """KL(q ‖ p(z | x)) = ½ [tr P diag σ² + (μ - m)ᵀ P (μ - m) - K - ln det P - Σ ln σ²]."""
    k = mu.shape[1]
    precision = torch.eye(k, dtype=x.dtype) + weight.T @ weight / eta
    mean = torch.linalg.solve(precision, weight.T @ (x - bias).T / eta).T
    trace = ((2 * log_sigma).exp() * precision.diagonal()).sum(dim=1)
    distance = ((mu - mean) @ precision * (mu - mean)).sum(dim=1)
    return 0.5 * (trace + distance - k - torch.logdet(precision)) - log_sigma.sum(dim=1)


def expected_log_joint(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
) -> Float64[Tensor, " b"]:
    """E_q log p(x, z) = E_q log p(x | z) + E_q log p(z)."""
    expected_log_prior = -0.5 * (mu**2 + (2 * log_sigma).exp() + LOG_2PI).sum(dim=1)
    return reconstruction(x, mu, log_sigma, weight, bias, eta) + expected_log_prior


def entropy(log_sigma: Float64[Tensor, "b k"]) -> Float64[Tensor, " b"]:
    """H(q) = K/2 (1 + ln 2π) + Σ ln σ."""
    k = log_sigma.shape[1]
    return 0.5 * k * (1 + LOG_2PI) + log_sigma.sum(dim=1)


def log_weight(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
    eps: Float64[Tensor, "m b k"],
) -> Float64[Tensor, "m b"]:
    """log p(x | z) + log p(z) - log q(z) at z = μ + σ ⊙ ε."""
    z = mu + log_sigma.exp() * eps
    d = x.shape[1]
    log_lik = -((x - z @ weight.T - bias) ** 2).sum(dim=2) / (2 * eta)
    log_lik = log_lik - 0.5 * d * (LOG_2PI + eta.log())
    log_prior = -0.5 * (z**2 + LOG_2PI).sum(dim=2)
    log_q = -(0.5 * eps**2 + log_sigma + 0.5 * LOG_2PI).sum(dim=2)
    return log_lik + log_prior - log_q
