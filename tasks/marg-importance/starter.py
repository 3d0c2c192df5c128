"""p(x) by importance sampling, and the bounds that are made of the weights. Fill in the bodies;
keep the signatures.

Tensors are float64. M is the number of samples, B the batch, D and K are the dimensions of x and
z. `log_sigma` is ln σ, the logarithm of a standard deviation; `eta` is the variance of the
decoder's noise. Logarithms are natural, results in nats where they are logarithms.
"""

import torch
from jaxtyping import Float64
from torch import Tensor


def jensen_gap(w: Float64[Tensor, "m b"], p: Float64[Tensor, " m"]) -> Float64[Tensor, " b"]:
    """log E[w] - E[log w], one a column, where row j of w has the probability p_j."""
    raise NotImplementedError


def log_weights(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
    eps: Float64[Tensor, "m b k"],
) -> Float64[Tensor, "m b"]:
    """log w = log p(x | z) + log p(z) - log q(z) at z = μ + σ ⊙ ε, sample by sample."""
    raise NotImplementedError


def log_px_is(log_w: Float64[Tensor, "m b"]) -> Float64[Tensor, " b"]:
    """The logarithm of the mean weight of all M samples, one a column."""
    raise NotImplementedError


def iw_bound(log_w: Float64[Tensor, "m b"], n: int) -> Float64[Tensor, " b"]:
    """The same for every group of n consecutive samples, averaged over the groups; n divides M."""
    raise NotImplementedError


def rel_var(log_w: Float64[Tensor, "m b"]) -> Float64[Tensor, " b"]:
    """Variance of the weights over their squared mean, both over the M samples (divided by M)."""
    raise NotImplementedError


def estimate(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
    n: int,
    generator: torch.Generator,
) -> Float64[Tensor, " b"]:
    """log of an unbiased estimate of p(x), from n samples of each row's q drawn here."""
    raise NotImplementedError
