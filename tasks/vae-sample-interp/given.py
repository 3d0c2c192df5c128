"""Two decoders. Each takes codes z [b k], one a row, and returns one output a row, [b d]."""

from jaxtyping import Float64
from torch import Tensor


def linear(
    z: Float64[Tensor, "b k"], weight: Float64[Tensor, "d k"], bias: Float64[Tensor, " d"]
) -> Float64[Tensor, "b d"]:
    """G(z) = W z + b."""
    return z @ weight.T + bias


def network(
    z: Float64[Tensor, "b k"],
    inner: Float64[Tensor, "h k"],
    outer: Float64[Tensor, "d h"],
    bias: Float64[Tensor, " d"],
) -> Float64[Tensor, "b d"]:
    """G(z) = V tanh(U z) + b."""
    return (z @ inner.T).tanh() @ outer.T + bias
