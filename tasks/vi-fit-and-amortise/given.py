"""Evidence lower bounds in closed form, in nats: q = N(μ, diag σ²) a row, [b k] each, to [b]."""

import math

from jaxtyping import Float64
from torch import Tensor


def elbo_linear(
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    x: Float64[Tensor, "b d"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
) -> Float64[Tensor, " b"]:
    """The bound of z ~ N(0, I), x | z ~ N(W z + b, η I)."""
    residual = x - bias - mu @ weight.T
    spread = (2 * log_sigma).exp() @ (weight**2).T
    constant = 0.5 * x.shape[1] * (math.log(2 * math.pi) + eta.log())
    rec = -(residual**2 + spread).sum(dim=1) / (2 * eta) - constant
    return rec - kl_prior(mu, log_sigma)


def elbo_exponential(
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    x: Float64[Tensor, "b d"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
) -> Float64[Tensor, " b"]:
    """The bound of z ~ N(0, I), x_d | z exponential with mean exp(W z + b)_d, independently."""
    log_mean = mu @ weight.T + bias
    spread = (2 * log_sigma).exp() @ (weight**2).T
    rec = -(log_mean + x * (0.5 * spread - log_mean).exp()).sum(dim=1)
    return rec - kl_prior(mu, log_sigma)


def kl_prior(
    mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"]
) -> Float64[Tensor, " b"]:
    """KL(q ‖ N(0, I))."""
    return 0.5 * ((2 * log_sigma).exp() + mu**2 - 1 - 2 * log_sigma).sum(dim=1)
