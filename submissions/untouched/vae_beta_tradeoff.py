"""The weight of the KL in a variational autoencoder of images. Fill in; keep the signatures.

b is the batch, d the number of pixels, k that of latent dimensions. `log_sigma` is ln σ, the
natural logarithm of the standard deviation (not of the variance). Results are in nats.
"""

import torch
from jaxtyping import Float32, Float64
from torch import Tensor


def terms(
    x: Float64[Tensor, "b d"],
    logits: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
) -> tuple[Float64[Tensor, " b"], Float64[Tensor, " b"]]:
    """(-log p(x | z), KL(q(z | x) ‖ N(0, I))) of every row; the pixels are Bernoulli, of logits."""
    raise NotImplementedError


def beta_loss(
    x: Float64[Tensor, "b d"],
    logits: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    beta: float,
) -> Float64[Tensor, ""]:
    """What training minimises: the mean over the batch of reconstruction + β · KL."""
    raise NotImplementedError


class VAE(torch.nn.Module):
    """Encoder and decoder with the statement's eight entries of the state, float32, untrained."""

    def __init__(self) -> None:
        raise NotImplementedError

    def fit(self, x: Float32[Tensor, "n 64"], beta: float, generator: torch.Generator) -> float:
        """Trains both networks on the rows of x; returns the last loss, which isn't marked."""
        raise NotImplementedError

    def encode(
        self, x: Float32[Tensor, "b 64"]
    ) -> tuple[Float32[Tensor, "b 8"], Float32[Tensor, "b 8"]]:
        """(μ, ln σ) of q(z | x)."""
        raise NotImplementedError

    def decode(self, z: Float32[Tensor, "b 8"]) -> Float32[Tensor, "b 64"]:
        """The logits of p(x | z)."""
        raise NotImplementedError
