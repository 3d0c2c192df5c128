"""Pathwise gradient estimators for q = N(μ, diag σ²). Fill in the bodies; keep the signatures.

Tensors are float64. M is the number of samples, B the batch, K the number of latent dimensions,
D that of an observation; `log_sigma` is ln σ, the natural logarithm of the standard deviation.
Gradients are returned as numbers, without a graph.
"""

from collections.abc import Callable

from jaxtyping import Float64
from torch import Tensor


def grad_pathwise(
    f: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """Estimates of the gradients of E_q f(z) by μ and by ln σ, row by row."""
    raise NotImplementedError


def grad_elbo(
    log_joint: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """Estimates of the gradients of E_q log p(x, z) + H(q) by μ and by ln σ, row by row."""
    raise NotImplementedError


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
    """Estimates of the gradients by θ = (W, b) of the batch's mean of E_q log p_θ(x | z)."""
    raise NotImplementedError
