"""The Gaussian observation model p(x | z) = N(x; G(z), η I), η a variance.

Sources: S3 "Observation Model" and "Variational Inference" (the density written out).
"""

import math

from jaxtyping import Float64
from torch import Tensor


def gauss_loglik(
    x: Float64[Tensor, "b d"], mean: Float64[Tensor, "b d"], eta: Float64[Tensor, ""]
) -> Float64[Tensor, " b"]:
    """log p(x | z) = -‖x - G(z)‖² / 2η - D/2 ln 2πη, in nats."""
    d = x.shape[1]
    squared_error = ((x - mean) ** 2).sum(dim=1)
    return -squared_error / (2 * eta) - 0.5 * d * (2 * math.pi * eta).log()


def best_eta(x: Float64[Tensor, "b d"], mean: Float64[Tensor, "b d"]) -> Float64[Tensor, ""]:
    """Σ ‖x - G(z)‖² / 2η² = B D / 2η: the mean squared error over rows and dimensions."""
    return ((x - mean) ** 2).mean()
