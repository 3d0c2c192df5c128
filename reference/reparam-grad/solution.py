"""Pathwise gradients: put z = μ + σ ⊙ ε into the integrand, average over M samples, differentiate.

Sources: S4 "The reparameterization trick" for (1/M) Σ ∇ r(μ + ε σ), S4 "Another way to look at
it…" for the ELBO; S0 "Variational Auto-Encoders (VAEs)" for ∇θ; Kingma & Welling 2014, section 2.3.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor


def _pathwise(objective, *parameters):
    """∇ of a scalar objective; parameters that it does not depend on have gradient 0."""
    leaves = [parameter.detach().requires_grad_() for parameter in parameters]
    return torch.autograd.grad(
        objective(*leaves), leaves, allow_unused=True, materialize_grads=True
    )


def _z(mu, log_sigma, eps):
    """z = μ + σ ⊙ ε, so that z ~ q while ε is independent of the parameters."""
    sigma = log_sigma.exp()
    return mu + sigma * eps


def grad_pathwise(
    f: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """(1/M) Σ_j ∇ f(μ + σ ⊙ ε_j); rows do not interact, so their sum has every row's gradient."""
    return _pathwise(
        lambda mu, log_sigma: f(_z(mu, log_sigma, eps)).mean(dim=0).sum(), mu, log_sigma
    )


def grad_elbo(
    log_joint: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """As above with r = log p(x, z), and the entropy H(q) = Σ ln σ + const in closed form."""

    def elbo(mu, log_sigma):
        entropy = log_sigma.sum(dim=1)
        return (log_joint(_z(mu, log_sigma, eps)).mean(dim=0) + entropy).sum()

    return _pathwise(elbo, mu, log_sigma)


def grad_theta(
    log_lik: Callable[
        [Float64[Tensor, "m b k"], Float64[Tensor, "d k"], Float64[Tensor, " d"]],
        Float64[Tensor, "m b"],
    ],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> tuple[Float64[Tensor, "d k"], Float64[Tensor, " d"]]:
    """(1/N) Σ_i (1/M) Σ_j ∇θ log p_θ(x_i | z_ij); q has no θ in it, so ∇θ moves into E_q."""
    z = _z(mu, log_sigma, eps)
    return _pathwise(lambda weight, bias: log_lik(z, weight, bias).mean(), weight, bias)
