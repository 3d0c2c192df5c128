"""The path derivative of the evidence lower bound. Fill in the bodies; keep the signatures.

Tensors are float64. M is the number of samples, B the batch, K the number of latent dimensions;
`log_sigma` is ln σ, the natural logarithm of the standard deviation. Gradients are returned as
numbers, without a graph.
"""

from collections.abc import Callable

from jaxtyping import Float64
from torch import Tensor


def grad_total(
    log_joint: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """All of the derivative of log p(x, z) - log q(z) by μ and by ln σ, averaged over samples."""
    raise NotImplementedError


def score_term(
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """The derivative of log q(z) by μ and by ln σ with z held fixed, averaged over samples."""
    raise NotImplementedError


def grad_path_derivative(
    log_joint: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """The derivative along the path alone: by z of log p(x, z) - log q(z), times that of z."""
    raise NotImplementedError
