"""A variational autoencoder of handwritten digits. Fill in the bodies; keep the signatures.

Tensors are float64, and so are the layers. b is the batch, d the number of pixels, h the width of
the hidden layers, k the number of latent dimensions, s that of samples an image. `log_sigma` is
ln σ, the natural logarithm of the standard deviation. Results are in nats.
"""

import torch
from jaxtyping import Float64
from torch import Tensor


class VAE(torch.nn.Module):
    """Encoder and decoder of the statement, with its five linear layers, untrained."""

    def __init__(self, d: int = 64, h: int = 128, k: int = 8) -> None:
        raise NotImplementedError

    def encode(
        self, x: Float64[Tensor, "b d"]
    ) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
        """(μ, ln σ) of q(z | x)."""
        raise NotImplementedError

    def decode(self, z: Float64[Tensor, "b k"]) -> Float64[Tensor, "b d"]:
        """The logits of the pixels, p(x_j = 1 | z) = 1 / (1 + exp(-logit_j))."""
        raise NotImplementedError

    def terms(
        self, x: Float64[Tensor, "b d"], eps: Float64[Tensor, "b k"]
    ) -> tuple[Float64[Tensor, " b"], Float64[Tensor, " b"]]:
        """(-log p(x | z), KL(q(z | x) ‖ N(0, I))) of every image, with z = μ + σ ε."""
        raise NotImplementedError

    def log_marginal(
        self, x: Float64[Tensor, "b d"], eps: Float64[Tensor, "s b k"]
    ) -> Float64[Tensor, " b"]:
        """The importance-sampled estimate of log p(x) from s samples of q(z | x) an image."""
        raise NotImplementedError

    def fit(self, x: Float64[Tensor, "n 64"], generator: torch.Generator) -> float:
        """Trains on the images x; returns the last loss, which isn't marked."""
        raise NotImplementedError
