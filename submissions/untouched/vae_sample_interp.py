"""What a trained VAE is good for: samples, interpolations, aggregate moments. Fill in the bodies.

Tensors are float64. b counts rows, k latent dimensions, d entries of an observation. `log_sigma` is
ln σ, the natural logarithm of the standard deviation, and `eta` the variance of the decoder's
noise. `decode` is the decoder G: it takes codes z [b k] and returns one output a row, [b d].
No gradient is asked for.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor


def two_rows(
    decode: Callable[[Float64[Tensor, "b k"]], Float64[Tensor, "b d"]],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    eta: Float64[Tensor, ""],
    eps: Float64[Tensor, "b k"],
    noise: Float64[Tensor, "b d"],
) -> tuple[Float64[Tensor, "b d"], Float64[Tensor, "b d"]]:
    """(reconstructed, generated): x ~ N(G(z), η I) at z ~ q(z | x), and at z ~ p(z)."""
    raise NotImplementedError


def generate_bits(
    decode: Callable[[Float64[Tensor, "b k"]], Float64[Tensor, "b d"]],
    eps: Float64[Tensor, "b k"],
    u: Float64[Tensor, "b d"],
) -> Float64[Tensor, "b d"]:
    """Generated zeros and ones, from a decoder whose outputs are logits."""
    raise NotImplementedError


def interpolate(
    decode: Callable[[Float64[Tensor, "b k"]], Float64[Tensor, "b d"]],
    z1: Float64[Tensor, " k"],
    z2: Float64[Tensor, " k"],
    lams: Float64[Tensor, " b"],
) -> Float64[Tensor, "b d"]:
    """The decoder's outputs on the way from z2 (λ = 0) to z1 (λ = 1), one a λ."""
    raise NotImplementedError


def aggregate_moments(
    mu: Float64[Tensor, "m k"], log_sigma: Float64[Tensor, "m k"]
) -> tuple[Float64[Tensor, " k"], Float64[Tensor, " k"]]:
    """(E z, E z²) of every latent dimension, over m data points and the q of each."""
    raise NotImplementedError


def sample(
    decode: Callable[[Float64[Tensor, "b k"]], Float64[Tensor, "b d"]],
    eta: Float64[Tensor, ""],
    k: int,
    n: int,
    generator: torch.Generator,
) -> Float64[Tensor, "n d"]:
    """n generated observations, from noise that is drawn here with `generator`."""
    raise NotImplementedError
