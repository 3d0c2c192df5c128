"""The functions whose expectations are differentiated: samples [m b k] in, values [m b] out."""

from jaxtyping import Float64
from torch import Tensor


def square(z: Float64[Tensor, "m b k"], offset: Float64[Tensor, ""]) -> Float64[Tensor, "m b"]:
    """f(z) = offset + Σ z²."""
    return offset + (z**2).sum(dim=-1)


def steps(
    z: Float64[Tensor, "m b k"], base: Float64[Tensor, ""], height: Float64[Tensor, ""]
) -> Float64[Tensor, "m b"]:
    """f(z) = base + Σ (z²/4 + height · [z > 0]): its slope misses the jumps at zero."""
    return base + (z**2 / 4 + height * (1 + z.sign()) / 2).sum(dim=-1)
