"""The two terms of the bound as q narrows to a point. Fill in the bodies; keep the signatures.

Tensors are float64. K is the number of latent dimensions, D that of the observation, N that of
widths or noise levels; an entry of `log_sigmas` is ln σ, the natural logarithm of a standard
deviation, and `eta` is a variance. Results are in nats.
"""

from jaxtyping import Float64
from torch import Tensor


def kl_as_sigma_to_zero(
    mu: Float64[Tensor, " k"], log_sigmas: Float64[Tensor, " n"]
) -> Float64[Tensor, " n"]:
    """KL(N(μ, σ² I) ‖ N(0, I)), one value a width."""
    raise NotImplementedError


def best_point(
    x: Float64[Tensor, " d"], weight: Float64[Tensor, "d k"], bias: Float64[Tensor, " d"]
) -> Float64[Tensor, " k"]:
    """The z that minimises ‖x - (W z + b)‖²."""
    raise NotImplementedError


def recon_term(
    x: Float64[Tensor, " d"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
    mu: Float64[Tensor, " k"],
    log_sigmas: Float64[Tensor, " n"],
) -> Float64[Tensor, " n"]:
    """E_q log p(x | z) for q = N(μ, σ² I), one value a width."""
    raise NotImplementedError


def loglik_vs_eta(
    x: Float64[Tensor, " d"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    etas: Float64[Tensor, " n"],
) -> Float64[Tensor, " n"]:
    """log p(x) with z integrated out, one value a noise level."""
    raise NotImplementedError
