"""Score-function gradients: (1/M) Σ_j ∇ log q(z_j) f(z_j), with samples and f(z) as constants.

Sources: S4 "Amortized variational inference" for ∇J(φ) ≈ (1/M) Σ ∇ log q(z_j | x) r(x, z_j), S1
"Score Function"; Williams 1992; Kool, van Hoof & Welling 2019 for the leave-one-out baseline.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor


def score(
    z: Float64[Tensor, "m b k"], mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"]
) -> tuple[Float64[Tensor, "m b k"], Float64[Tensor, "m b k"]]:
    """log q = Σ -½ ((z - μ)/σ)² - ln σ + const: (z - μ)/σ² by μ, ((z - μ)/σ)² - 1 by ln σ."""
    sigma = log_sigma.exp()
    by_mu = (z - mu) / sigma**2
    by_log_sigma = ((z - mu) / sigma) ** 2 - 1
    return by_mu, by_log_sigma


def _log_q(z, mu, log_sigma):
    """log q(z) up to a constant, [m b]."""
    sigma = log_sigma.exp()
    return (-0.5 * ((z - mu) / sigma) ** 2 - log_sigma).sum(dim=-1)


def _weighted_score(weight_of, mu, log_sigma, eps):
    """∇ of (1/M) Σ_j w_j log q(z_j) by μ and ln σ; rows do not interact."""
    mu, log_sigma = mu.detach().requires_grad_(), log_sigma.detach().requires_grad_()
    z = mu + log_sigma.exp() * eps
    z = z.detach()
    weight = weight_of(z)
    surrogate = weight * _log_q(z, mu, log_sigma)
    return torch.autograd.grad(surrogate.mean(dim=0).sum(), (mu, log_sigma))


def grad_score(
    f: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """(1/M) Σ_j ∇ log q(z_j) f(z_j)."""
    return _weighted_score(f, mu, log_sigma, eps)


def grad_score_loo(
    f: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """(1/M) Σ_j ∇ log q(z_j) (f(z_j) - b_j), where b_j is the mean of the M - 1 other values."""

    def advantage(z):
        value = f(z)
        baseline = (value.sum(dim=0) - value) / (len(value) - 1)
        return value - baseline

    return _weighted_score(advantage, mu, log_sigma, eps)


def grad_score_categorical(
    f: Callable[[Float64[Tensor, "m b c"]], Float64[Tensor, "m b"]],
    logits: Float64[Tensor, "b c"],
    z: Float64[Tensor, "m b c"],
) -> Float64[Tensor, "b c"]:
    """log q(z) = Σ_c z_c log softmax(logits)_c, whose gradient is z - softmax(logits)."""
    value = f(z)
    by_logits = z - torch.softmax(logits, dim=-1)
    return (value[..., None] * by_logits).mean(dim=0)
