# ruff: noqa: F722
"""A variational autoencoder of binary images. Fill in the bodies; keep the signatures."""

import torch
from jaxtyping import Float64
from torch import Tensor


class VAE(torch.nn.Module):
    """q(z | x) and p(x | z), both with parameters in float64; p(z) is the standard normal."""

    def __init__(self, pixels: int, latent: int) -> None:
        raise NotImplementedError

    def fit(self, images: Float64[Tensor, "n d"], generator: torch.Generator) -> float:
        """Trains on the images; returns the mean of -ELBO at the end, which is not looked at."""
        raise NotImplementedError

    def encode(
        self, x: Float64[Tensor, "b d"]
    ) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
        """The mean and the logarithm of the standard deviation of q(z | x)."""
        raise NotImplementedError

    def sample(
        self,
        mu: Float64[Tensor, "b k"],
        log_sigma: Float64[Tensor, "b k"],
        generator: torch.Generator,
    ) -> Float64[Tensor, "b k"]:
        """One z a row."""
        raise NotImplementedError

    def decode(self, z: Float64[Tensor, "b k"]) -> Float64[Tensor, "b d"]:
        """The logits of p(x | z)."""
        raise NotImplementedError
