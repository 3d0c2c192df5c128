"""KL divergences and entropy of diagonal Gaussians. Fill in the bodies; keep the signatures.

Tensors are float64. B is the batch, K the number of latent dimensions; `log_sigma` is ln σ, the
natural logarithm of the standard deviation (not of the variance). Results are in nats.
"""

from jaxtyping import Float64
from torch import Tensor


def gaussian_entropy(log_sigma: Float64[Tensor, "b k"]) -> Float64[Tensor, " b"]:
    """Entropy of N(μ, diag σ²), one value a row."""
    raise NotImplementedError


def kl_std_normal(
    mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"]
) -> Float64[Tensor, " b"]:
    """KL(N(μ, diag σ²) ‖ N(0, I)), one value a row."""
    raise NotImplementedError


def kl_diag(
    mu1: Float64[Tensor, "b k"],
    log_sigma1: Float64[Tensor, "b k"],
    mu2: Float64[Tensor, "b k"],
    log_sigma2: Float64[Tensor, "b k"],
) -> Float64[Tensor, " b"]:
    """KL(N(μ₁, diag σ₁²) ‖ N(μ₂, diag σ₂²)), one value a row."""
    raise NotImplementedError
