"""Squares and sums."""

from jaxtyping import Float64
from torch import Tensor


def square(x: Float64[Tensor, "b k"]) -> Float64[Tensor, "b k"]:
    """x²."""
    return x**2


def total(x: Float64[Tensor, "b k"]) -> Float64[Tensor, " b"]:
    """Σ_k x."""
    return x.sum(dim=1)
