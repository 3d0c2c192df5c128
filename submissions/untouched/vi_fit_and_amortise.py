"""Fitting q = N(μ, diag σ²) for every x, and one encoder for all. Fill in; keep the signatures.

Tensors are float64. B is the batch, K the number of latent dimensions, D that of an observation;
`log_sigma` is ln σ, the natural logarithm of the standard deviation, `eta` the variance of the
decoder's noise. A graph on results does no harm.
"""

from collections.abc import Callable

from jaxtyping import Float64
from torch import Tensor


def ascent_step(
    elbo: Callable[[Float64[Tensor, "b k"], Float64[Tensor, "b k"]], Float64[Tensor, " b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    lr: float,
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """μ and ln σ of every row after one step of gradient ascent on its bound."""
    raise NotImplementedError


def fit_q(
    elbo: Callable[[Float64[Tensor, "b k"], Float64[Tensor, "b k"]], Float64[Tensor, " b"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """μ and ln σ that maximise every row's bound, from the start that is given."""
    raise NotImplementedError


def mean_field_gap(weight: Float64[Tensor, "d k"], eta: Float64[Tensor, ""]) -> Float64[Tensor, ""]:
    """log p(x) - L at the best q of the linear Gaussian model, in nats."""
    raise NotImplementedError


def linear_encoder(
    weight: Float64[Tensor, "d k"], bias: Float64[Tensor, " d"], eta: Float64[Tensor, ""]
) -> tuple[Float64[Tensor, "k d"], Float64[Tensor, " k"], Float64[Tensor, " k"]]:
    """A, c and ln σ with which q = N(A x + c, diag σ²) is the best for every x."""
    raise NotImplementedError


def encode(
    slope: Float64[Tensor, "k d"],
    offset: Float64[Tensor, " k"],
    log_sigma: Float64[Tensor, " k"],
    x: Float64[Tensor, "b d"],
) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
    """μ and ln σ of q(z | x) for every row of x, from the encoder A, c, ln σ."""
    raise NotImplementedError


def n_params(theta: int, n: int, d: int, k: int) -> tuple[int, int]:
    """How many parameters there are: with a q_i for every x_i, and with the linear encoder."""
    raise NotImplementedError
