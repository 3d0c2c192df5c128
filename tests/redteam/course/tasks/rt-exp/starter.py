"""Exponentials. Fill in the body; keep the signature."""

from jaxtyping import Float64
from torch import Tensor


def solve(x: Float64[Tensor, " n"]) -> Float64[Tensor, " n"]:
    """exp(x), entry by entry."""
    raise NotImplementedError
