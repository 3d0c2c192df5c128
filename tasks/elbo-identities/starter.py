"""log p(x), the terms of its lower bound, and the gap. Fill in the bodies; keep the signatures.

Tensors are float64. B is the batch, D and K are the dimensions of x and z, C the number of
components, M that of samples. `log_sigma` is ln σ, the logarithm of a standard deviation; `eta` is
the variance of the decoder's noise. Results are in nats.
"""

from jaxtyping import Float64
from torch import Tensor


def log_marginal_mixture(
    x: Float64[Tensor, "b d"],
    log_pi: Float64[Tensor, " c"],
    mu: Float64[Tensor, "c d"],
    log_sigma: Float64[Tensor, "c d"],
) -> Float64[Tensor, " b"]:
    """log Σ_c π_c N(x; μ_c, diag σ_c²), one value a row."""
    raise NotImplementedError


def log_marginal(
    x: Float64[Tensor, "b d"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
) -> Float64[Tensor, " b"]:
    """log p(x) of the linear Gaussian model."""
    raise NotImplementedError


def reconstruction(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
) -> Float64[Tensor, " b"]:
    """E_q log p(x | z)."""
    raise NotImplementedError


def kl_prior(
    mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"]
) -> Float64[Tensor, " b"]:
    """KL(q ‖ p(z)), p(z) = N(0, I)."""
    raise NotImplementedError


def kl_posterior(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
) -> Float64[Tensor, " b"]:
    """KL(q ‖ p(z | x))."""
    raise NotImplementedError


def expected_log_joint(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
) -> Float64[Tensor, " b"]:
    """E_q log p(x, z)."""
    raise NotImplementedError


def entropy(log_sigma: Float64[Tensor, "b k"]) -> Float64[Tensor, " b"]:
    """H(q)."""
    raise NotImplementedError


def log_weight(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
    eps: Float64[Tensor, "m b k"],
) -> Float64[Tensor, "m b"]:
    """log p(x, z) - log q(z) at z = μ + σ ⊙ ε, sample by sample."""
    raise NotImplementedError
