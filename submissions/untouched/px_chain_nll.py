"""A tiny PixelCNN with given weights. Fill in the bodies; keep the signatures.

Tensors are float64. b is the batch, h and w are height and width, c is the number of hidden
channels. Pixels are 0 or 1. The order of the pixels is raster: row by row, each row from left to
right. The kernels w1 and w2 come without their masks.
"""

from jaxtyping import Float64
from torch import Tensor


def logits(
    x: Float64[Tensor, "b 1 h w"],
    w1: Float64[Tensor, "c 1 3 3"],
    b1: Float64[Tensor, " c"],
    w2: Float64[Tensor, "c c 3 3"],
    b2: Float64[Tensor, " c"],
    w3: Float64[Tensor, "1 c 1 1"],
    b3: Float64[Tensor, " 1"],
) -> Float64[Tensor, "b 1 h w"]:
    """The logit of "this pixel is 1" given the earlier pixels, for all pixels at once."""
    raise NotImplementedError


def log_prob(
    x: Float64[Tensor, "b 1 h w"],
    w1: Float64[Tensor, "c 1 3 3"],
    b1: Float64[Tensor, " c"],
    w2: Float64[Tensor, "c c 3 3"],
    b2: Float64[Tensor, " c"],
    w3: Float64[Tensor, "1 c 1 1"],
    b3: Float64[Tensor, " 1"],
) -> Float64[Tensor, " b"]:
    """log p(x) of every image, in nats."""
    raise NotImplementedError


def next_pixel(
    x_prefix: Float64[Tensor, "b 1 h w"],
    index: int,
    w1: Float64[Tensor, "c 1 3 3"],
    b1: Float64[Tensor, " c"],
    w2: Float64[Tensor, "c c 3 3"],
    b2: Float64[Tensor, " c"],
    w3: Float64[Tensor, "1 c 1 1"],
    b3: Float64[Tensor, " 1"],
) -> Float64[Tensor, " b"]:
    """p(x_index = 1 | x_0, ..., x_{index-1}); the pixels from `index` on are not known yet."""
    raise NotImplementedError


def bits_per_dim(
    nll_nats: Float64[Tensor, " b"], channels: int, height: int, width: int
) -> Float64[Tensor, " b"]:
    """Negative log-likelihoods of whole images, in nats, as bits per dimension."""
    raise NotImplementedError
