"""Per-sample gradient estimators by μ, their total variance, and the baselines of the score.

Sources: S4 "Reparameterization trick vs. policy gradient" for the two estimators, S3 "Reward
Baselines" for b*; Greensmith, Bartlett & Baxter 2004, Mohamed et al. 2020, sections 4 and 5.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor


def pathwise_samples(
    f: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> Float64[Tensor, "m b k"]:
    """∇_μ f(μ + σ ⊙ ε_j) = ∇_z f(z_j), sample by sample."""
    sigma = log_sigma.exp()
    z = (mu + sigma * eps).requires_grad_()
    (zbar,) = torch.autograd.grad(f(z).sum(), z)
    return zbar


def score_samples(
    f: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
    baseline: Float64[Tensor, " b"],
) -> Float64[Tensor, "m b k"]:
    """(f(z_j) - b) ∇_μ log q(z_j), where the score is (z - μ)/σ² = ε/σ."""
    value = f(mu + log_sigma.exp() * eps)
    advantage = value - baseline
    return advantage.unsqueeze(-1) * _score(log_sigma, eps)


def _score(log_sigma, eps):
    """∇_μ log q(μ + σ ⊙ ε)."""
    return eps / log_sigma.exp()


def total_variance(
    samples: Float64[Tensor, "m b k"], weights: Float64[Tensor, " m"]
) -> Float64[Tensor, " b"]:
    """tr Var ĝ = E |ĝ - E ĝ|²."""
    mean = torch.einsum("m,mbk->bk", weights, samples)
    return torch.einsum("m,mbk->b", weights, (samples - mean) ** 2)


def optimal_baseline(
    f: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
    weights: Float64[Tensor, " m"],
) -> Float64[Tensor, " b"]:
    """b* = E[f |u|²] / E[|u|²] with the score u: where the derivative of E |(f - b) u|² is zero."""
    value = f(mu + log_sigma.exp() * eps)
    squared = (_score(log_sigma, eps) ** 2).sum(dim=-1)
    weights = weights.unsqueeze(-1)
    return (weights * value * squared).sum(dim=0) / (weights * squared).sum(dim=0)


def sample_gradients(
    f: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    n: int,
    generator: torch.Generator,
) -> Float64[Tensor, "n b k"]:
    """n draws; the baseline of each is the mean of f over the others."""
    eps = torch.randn(n, *mu.shape, generator=generator, dtype=mu.dtype)
    value = f(mu + log_sigma.exp() * eps)
    baseline = (value.sum(dim=0) - value) / (n - 1)
    advantage = value - baseline
    return advantage.unsqueeze(-1) * _score(log_sigma, eps)
