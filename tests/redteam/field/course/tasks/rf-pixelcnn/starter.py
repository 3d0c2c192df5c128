# ruff: noqa: F722
"""A linear autoregressive model of binary images. Fill in the bodies; keep the signatures."""

from jaxtyping import Float64
from torch import Tensor


def fit(images: Float64[Tensor, "n d"]) -> Float64[Tensor, "d d"]:
    """Weights w for the training images."""
    raise NotImplementedError


def logits(w: Float64[Tensor, "d d"], x: Float64[Tensor, "b d"]) -> Float64[Tensor, "b d"]:
    """The logit of "this pixel is 1" given the earlier pixels, for all pixels at once."""
    raise NotImplementedError
