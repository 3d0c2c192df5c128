"""Score-function gradient estimators, Gaussian and categorical. Fill in the bodies; keep the
signatures.

Tensors are float64. M is the number of samples, B the batch, K the number of latent dimensions, C
that of categories; `log_sigma` is ln σ, the natural logarithm of the standard deviation. Gradients
are returned as numbers, without a graph.
"""

from collections.abc import Callable

from jaxtyping import Float64
from torch import Tensor


def score(
    z: Float64[Tensor, "m b k"], mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"]
) -> tuple[Float64[Tensor, "m b k"], Float64[Tensor, "m b k"]]:
    """Gradients of log q(z) by μ and by ln σ, for every sample of every row."""
    raise NotImplementedError


def grad_score(
    f: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """Score-function estimates of the gradients of E_q f(z) by μ and by ln σ, row by row."""
    raise NotImplementedError


def grad_score_loo(
    f: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "n b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """The same with the leave-one-out baseline, from at least two samples (n)."""
    raise NotImplementedError


def grad_score_categorical(
    f: Callable[[Float64[Tensor, "m b c"]], Float64[Tensor, "m b"]],
    logits: Float64[Tensor, "b c"],
    z: Float64[Tensor, "m b c"],
) -> Float64[Tensor, "b c"]:
    """Score-function estimate of the gradient of E_q f(z) by the logits, from one-hot samples."""
    raise NotImplementedError
