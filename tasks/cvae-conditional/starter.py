"""A conditional variational autoencoder. Fill in the bodies; keep the signatures.

Tensors are float64, and so are the layers. b is the batch, d the number of inputs x, m that of
outputs y, h the width of the hidden layers, k the number of latent dimensions, s that of samples a
row. `log_sigma` and `log_tau` are natural logarithms of standard deviations. Results are in nats.
"""

import torch
from jaxtyping import Float64
from torch import Tensor


def kl_diag(
    mu1: Float64[Tensor, "b k"],
    log_sigma1: Float64[Tensor, "b k"],
    mu2: Float64[Tensor, "b k"],
    log_sigma2: Float64[Tensor, "b k"],
) -> Float64[Tensor, " b"]:
    """KL(N(μ₁, diag σ₁²) ‖ N(μ₂, diag σ₂²)) of every row; differentiable by every argument."""
    raise NotImplementedError


class CVAE(torch.nn.Module):
    """Encoder, prior and decoder of the statement, with its five linear layers, untrained."""

    def __init__(self, d: int = 2, m: int = 1, h: int = 32, k: int = 1) -> None:
        raise NotImplementedError

    def encode(
        self, x: Float64[Tensor, "b d"], y: Float64[Tensor, "b m"]
    ) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
        """(μ, ln σ) of q(z | x, y)."""
        raise NotImplementedError

    def conditional_prior(
        self, x: Float64[Tensor, "b d"]
    ) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
        """(μ, ln σ) of p(z | x)."""
        raise NotImplementedError

    def decode(
        self, x: Float64[Tensor, "b d"], z: Float64[Tensor, "b k"]
    ) -> tuple[Float64[Tensor, "b m"], Float64[Tensor, "b m"]]:
        """(mean, ln τ) of p(y | x, z)."""
        raise NotImplementedError

    def loss(
        self, x: Float64[Tensor, "b d"], y: Float64[Tensor, "b m"], eps: Float64[Tensor, "b k"]
    ) -> Float64[Tensor, " b"]:
        """-L of every row, from one z = μ + σ ε of q(z | x, y)."""
        raise NotImplementedError

    def step(
        self,
        x: Float64[Tensor, "b d"],
        y: Float64[Tensor, "b m"],
        eps: Float64[Tensor, "b k"],
        rate: float,
    ) -> float:
        """One step of gradient descent on the mean of `loss`, in this model's own parameters.

        Returns that mean at the parameters before the step.
        """
        raise NotImplementedError

    def log_likelihood(
        self, x: Float64[Tensor, "b d"], y: Float64[Tensor, "b m"], eps: Float64[Tensor, "s b k"]
    ) -> Float64[Tensor, " b"]:
        """The estimate of log p(y | x) of every row, from s samples of p(z | x)."""
        raise NotImplementedError

    def sample(
        self,
        x: Float64[Tensor, "b d"],
        eps: Float64[Tensor, "b k"],
        noise: Float64[Tensor, "b m"],
    ) -> Float64[Tensor, "b m"]:
        """y of every row: eps is the noise of z, noise that of y."""
        raise NotImplementedError

    def fit(
        self,
        x: Float64[Tensor, "n 2"],
        y: Float64[Tensor, "n 1"],
        generator: torch.Generator,
    ) -> float:
        """Trains on the pairs (x, y); returns the last loss, which isn't marked."""
        raise NotImplementedError
