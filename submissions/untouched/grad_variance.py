"""Variances of gradient estimators, and baselines that lower them. Fill in the bodies; keep the
signatures.

Tensors are float64. M is the number of samples, B the batch, K the number of latent dimensions;
`log_sigma` is ln σ, the natural logarithm of the standard deviation. All gradients are by μ alone,
one estimate a sample: nothing is averaged over samples. Results have no graph.
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
    """The pathwise estimate of the gradient of E_q f(z) by μ from every single sample."""
    raise NotImplementedError


def score_samples(
    f: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
    baseline: Float64[Tensor, " b"],
) -> Float64[Tensor, "m b k"]:
    """The score-function estimate with a baseline a row, from every single sample."""
    raise NotImplementedError


def total_variance(
    samples: Float64[Tensor, "m b k"], weights: Float64[Tensor, " m"]
) -> Float64[Tensor, " b"]:
    """Trace of the covariance of the estimates of every row; the weights sum to one."""
    raise NotImplementedError


def optimal_baseline(
    f: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eps: Float64[Tensor, "m b k"],
    weights: Float64[Tensor, " m"],
) -> Float64[Tensor, " b"]:
    """The baseline of every row that gives `score_samples` the least total variance."""
    raise NotImplementedError


def sample_gradients(
    f: Callable[[Float64[Tensor, "m b k"]], Float64[Tensor, "m b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    n: int,
    generator: torch.Generator,
) -> Float64[Tensor, "n b k"]:
    """n unbiased estimates of the gradient by μ with noise and a baseline of your own; n >= 2."""
    raise NotImplementedError
