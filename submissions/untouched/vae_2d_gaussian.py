"""A variational autoencoder of points in the plane. Fill in the bodies; keep the signatures.

Tensors that come in and go out are float64. b is the batch, k the number of latent dimensions,
d that of the data (both are 2 in the model). `log_sigma` is ln σ, the natural logarithm of the
standard deviation (not of the variance), for q(z | x) as for p(x | z). Results are in nats.
"""

import torch
from jaxtyping import Float64
from torch import Tensor


def sample(
    mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"], eps: Float64[Tensor, "b k"]
) -> Float64[Tensor, "b k"]:
    """One z a row of q = N(μ, diag σ²), from standard normal noise; differentiable in μ, ln σ."""
    raise NotImplementedError


def elbo_terms(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    x_mean: Float64[Tensor, "b d"],
    x_log_sigma: Float64[Tensor, "b d"],
) -> tuple[Float64[Tensor, " b"], Float64[Tensor, " b"]]:
    """(-log p(x | z), KL(q(z | x) ‖ N(0, I))) of every row, with p(x | z) = N(x_mean, diag)."""
    raise NotImplementedError


def loss(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    x_mean: Float64[Tensor, "b d"],
    x_log_sigma: Float64[Tensor, "b d"],
) -> Float64[Tensor, ""]:
    """What training minimises: the mean over the batch of the one-sample -ELBO."""
    raise NotImplementedError


class VAE(torch.nn.Module):
    """Encoder and decoder of the statement, with its seven linear layers in float64, untrained."""

    def __init__(self) -> None:
        raise NotImplementedError

    def fit(self, x: Float64[Tensor, "n 2"], generator: torch.Generator) -> float:
        """Trains both networks on the rows of x; returns the last loss, which isn't marked."""
        raise NotImplementedError

    def encode(
        self, x: Float64[Tensor, "b 2"]
    ) -> tuple[Float64[Tensor, "b 2"], Float64[Tensor, "b 2"]]:
        """(μ, ln σ) of q(z | x)."""
        raise NotImplementedError

    def decode(
        self, z: Float64[Tensor, "b 2"]
    ) -> tuple[Float64[Tensor, "b 2"], Float64[Tensor, "b 2"]]:
        """(mean, ln σ) of p(x | z)."""
        raise NotImplementedError
