"""A denoising autoencoder of digits. Fill in the bodies; keep the signatures.

b is the batch, d the number of pixels, h that of hidden units. Noise is given: `eps` is standard
normal, `sigma` its standard deviation once it is multiplied. Results are in nats.
"""

import torch
from jaxtyping import Float32, Float64
from torch import Tensor


def corrupt(
    x: Float64[Tensor, "b d"], eps: Float64[Tensor, "b d"], sigma: float
) -> Float64[Tensor, "b d"]:
    """The noisy images."""
    raise NotImplementedError


def dae_loss(
    x: Float64[Tensor, "b d"],
    eps: Float64[Tensor, "b d"],
    sigma: float,
    w: Float64[Tensor, "h d"],
    w0: Float64[Tensor, " h"],
    v: Float64[Tensor, "d h"],
    v0: Float64[Tensor, " d"],
) -> Float64[Tensor, ""]:
    """What training minimises, the mean over the batch of -log p(x | x + σ ε)."""
    raise NotImplementedError


class DAE(torch.nn.Module):
    """The network with the statement's four entries of the state, float32, untrained."""

    def __init__(self) -> None:
        raise NotImplementedError

    def fit(self, x: Float32[Tensor, "n 64"], generator: torch.Generator) -> float:
        """Trains on the clean images in x; returns the last loss, which isn't marked."""
        raise NotImplementedError

    def denoise(self, noisy: Float32[Tensor, "b 64"]) -> Float32[Tensor, "b 64"]:
        """The probabilities that the pixels of the clean images are 1."""
        raise NotImplementedError

    def demonstrate(
        self, x: Float32[Tensor, "b 64"], eps: Float32[Tensor, "b 64"]
    ) -> tuple[Float32[Tensor, "b 64"], Float32[Tensor, "b 64"]]:
        """What a figure shows of clean images: noisy ones (σ = ½), and what becomes of these."""
        raise NotImplementedError
