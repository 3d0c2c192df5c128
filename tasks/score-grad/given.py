"""The functions whose expectations are differentiated: samples [m b …] in, values [m b] out."""

from jaxtyping import Float64
from torch import Tensor


def square(z: Float64[Tensor, "m b k"]) -> Float64[Tensor, "m b"]:
    """f(z) = Σ z²."""
    return (z**2).sum(dim=-1)


def signs(z: Float64[Tensor, "m b k"]) -> Float64[Tensor, "m b"]:
    """f(z) = 3 + Σ sign z: constant almost everywhere, so its own gradient says nothing."""
    return 3 + z.sign().sum(dim=-1)


def linear(
    z: Float64[Tensor, "m b k"], weight: Float64[Tensor, "k d"], x: Float64[Tensor, "b d"]
) -> Float64[Tensor, "m b"]:
    """f(z) = -‖x - Σ_k z_k weight_k‖²: how well z, decoded, reconstructs x."""
    return -((x - z @ weight) ** 2).sum(dim=-1)


def codebook(
    z: Float64[Tensor, "m b c"], codes: Float64[Tensor, "c d"], x: Float64[Tensor, "b d"]
) -> Float64[Tensor, "m b"]:
    """f(z) = -‖x - Σ_c z_c codes_c‖²: how well the code that z selects reconstructs x."""
    return -((x - z @ codes) ** 2).sum(dim=-1)
