"""Gradient ascent on every x's own q, the best linear encoder, and what either costs.

The model is p(z) = N(0, I), p(x | z) = N(W z + b, η I). log p(x, z) is quadratic in z with the
precision P = I + WᵀW / η, so that the posterior is N(m, P⁻¹), m = P⁻¹ Wᵀ (x - b) / η, and the best
q = N(μ, diag σ²) has μ = m and σ_i² = 1 / P_ii. Sources: S4 "How do we use this?", "How many
parameters are there?" and "Amortized variational inference"; S3 "Amortization".
"""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor

STEPS, LEARNING_RATE = 250, 0.08

Elbo = Callable[[Float64[Tensor, "b k"], Float64[Tensor, "b k"]], Float64[Tensor, " b"]]


def ascent_step(
    elbo: Elbo, mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"], lr: float
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """(μ_i, ln σ_i) + α ∇L_i; L_i has no parameter of another row, so one sum serves all."""
    phi = [parameter.detach().requires_grad_() for parameter in (mu, log_sigma)]
    by_mu, by_log_sigma = torch.autograd.grad(elbo(*phi).sum(), phi)
    return mu + lr * by_mu, log_sigma + lr * by_log_sigma


def fit_q(
    elbo: Elbo, mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"]
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """Many steps; the bounds are concave, with curvatures below 2/α, so α may stay as it is."""
    for _ in range(STEPS):
        mu, log_sigma = ascent_step(elbo, mu, log_sigma, LEARNING_RATE)
    return mu, log_sigma


def _precision(weight: Float64[Tensor, "d k"], eta: Float64[Tensor, ""]) -> Float64[Tensor, "k k"]:
    """P = I + WᵀW / η, of the posterior."""
    return torch.eye(weight.shape[1], dtype=weight.dtype) + weight.T @ weight / eta


def mean_field_gap(weight: Float64[Tensor, "d k"], eta: Float64[Tensor, ""]) -> Float64[Tensor, ""]:
    """KL(q ‖ p(z | x)) = (Σ ln P_ii - ln det P) / 2, whatever x; the other terms cancel."""
    precision = _precision(weight, eta)
    return 0.5 * (precision.diagonal().log().sum() - torch.logdet(precision))


def linear_encoder(
    weight: Float64[Tensor, "d k"], bias: Float64[Tensor, " d"], eta: Float64[Tensor, ""]
) -> tuple[Float64[Tensor, "k d"], Float64[Tensor, " k"], Float64[Tensor, " k"]]:
    """A = P⁻¹ Wᵀ / η, c = -A b, ln σ_i = -(ln P_ii) / 2."""
    precision = _precision(weight, eta)
    slope = torch.linalg.solve(precision, weight.T / eta)
    offset = -slope @ bias
    log_sigma = -0.5 * precision.diagonal().log()
    return slope, offset, log_sigma


def encode(
    slope: Float64[Tensor, "k d"],
    offset: Float64[Tensor, " k"],
    log_sigma: Float64[Tensor, " k"],
    x: Float64[Tensor, "b d"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """μ(x) = A x + c, and the σ that all x share."""
    mu = x @ slope.T + offset
    return mu, log_sigma.expand_as(mu)


def n_params(theta: int, n: int, d: int, k: int) -> tuple[int, int]:
    """|θ| + (|μ_i| + |σ_i|) N, and |θ| + |φ| with φ = (A, c, ln σ)."""
    mu, sigma = k, k
    phi = k * d + k + k
    return theta + (mu + sigma) * n, theta + phi
