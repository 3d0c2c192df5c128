"""Squares and sums. Fill in the bodies; keep the signatures."""

from jaxtyping import Float64
from torch import Tensor


def square(x: Float64[Tensor, "b k"]) -> Float64[Tensor, "b k"]:
    """Every entry squared."""
    raise NotImplementedError


def total(x: Float64[Tensor, "b k"]) -> Float64[Tensor, " b"]:
    """The sum of every row."""
    raise NotImplementedError
