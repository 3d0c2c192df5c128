"""Evidence lower bounds in closed form, in nats: q = N(μ, diag σ²) a row, [b k] each, to [b].

Each is written as one sum, its terms in no order of the lectures.
"""

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
    data, latents, sigma2 = x.shape[1], mu.shape[1], (2 * log_sigma).exp()
    squares = ((x - bias - mu @ weight.T) ** 2 + sigma2 @ (weight**2).T).sum(dim=1) / eta
    squares = squares + (mu**2 + sigma2).sum(dim=1)
    constant = latents - data * (math.log(2 * math.pi) + eta.log())
    return log_sigma.sum(dim=1) + 0.5 * (constant - squares)


def elbo_exponential(
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    x: Float64[Tensor, "b d"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
) -> Float64[Tensor, " b"]:
    """The bound of z ~ N(0, I), x_d | z exponential with mean exp(W z + b)_d, independently."""
    log_mean, sigma2 = mu @ weight.T + bias, (2 * log_sigma).exp()
    inverse_mean = (0.5 * sigma2 @ (weight**2).T - log_mean).exp()
    squares = (mu**2 + sigma2).sum(dim=1) - mu.shape[1]
    return log_sigma.sum(dim=1) - 0.5 * squares - (log_mean + x * inverse_mean).sum(dim=1)
