"""The path derivative: ∇_z [log p(x, z) - log q(z)] · ∇_φ z, without ∂_φ log q(z).

Sources: S0 "Variational Auto-Encoders (VAEs)", where ∇_φ L is written in this form; Roeder, Wu &
Duvenaud 2017, section 3, for what it leaves out and why nothing is left at the posterior.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor


def _z(mu, log_sigma, eps):
    """z = μ + σ ⊙ ε."""
    sigma = log_sigma.exp()
    return mu + sigma * eps


def _log_q(z, mu, log_sigma):
    """log N(z; μ, diag σ²) up to a constant, [m b]."""
    return (-0.5 * ((z - mu) / log_sigma.exp()) ** 2 - log_sigma).sum(dim=-1)


def _gradients(objective, mu, log_sigma):
    """∇ of (1/M) Σ_j of an objective [m b]; rows do not interact."""
    leaves = mu.detach().requires_grad_(), log_sigma.detach().requires_grad_()
    estimate = objective(*leaves).mean(dim=0)
    return torch.autograd.grad(estimate.sum(), leaves, allow_unused=True, materialize_grads=True)


def grad_total(
    log_joint: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """d/dφ of log p(x, z) - log q_φ(z), through z and through q's own parameters."""

    def integrand(mu, log_sigma):
        z = _z(mu, log_sigma, eps)
        return log_joint(z) - _log_q(z, mu, log_sigma)

    return _gradients(integrand, mu, log_sigma)


def score_term(
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """∂_φ log q_φ(z) at fixed z; its expectation is zero, its variance is not."""
    fixed = _z(mu, log_sigma, eps).detach()
    return _gradients(lambda *phi: _log_q(fixed, *phi), mu, log_sigma)


def grad_path_derivative(
    log_joint: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """∇_z [log p(x, z) - log q(z)] · ∂z/∂φ: q is held still, and only z moves with φ."""
    still = mu.detach(), log_sigma.detach()

    def integrand(mu, log_sigma):
        along = _z(mu, log_sigma, eps)
        return log_joint(along) - _log_q(along, *still)

    return _gradients(integrand, mu, log_sigma)
