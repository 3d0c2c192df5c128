"""The chain rule over pixels with a tiny PixelCNN, as in the lecture.

p(x) = Π_i p(x_i | x_0, ..., x_{i-1}) in raster order. Sources: S1 "Decompose An Image", "PixelCNN";
the masks are those of van den Oord, Kalchbrenner & Kavukcuoglu 2016, figure 2 and section 3.4.
"""

import math

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.nn.functional import conv2d, logsigmoid, relu


def _mask(kind: str) -> Float64[Tensor, "3 3"]:
    """1 at the taps above, and left in the same row; type B keeps the centre, type A does not."""
    mask = torch.zeros(3, 3, dtype=torch.float64)
    mask[0, :] = 1
    mask[1, 0] = 1
    mask[1, 1] = 1 if kind == "B" else 0
    return mask


def logits(
    x: Float64[Tensor, "b 1 h w"],
    w1: Float64[Tensor, "c 1 3 3"],
    b1: Float64[Tensor, " c"],
    w2: Float64[Tensor, "c c 3 3"],
    b2: Float64[Tensor, " c"],
    w3: Float64[Tensor, "1 c 1 1"],
    b3: Float64[Tensor, " 1"],
) -> Float64[Tensor, "b 1 h w"]:
    """l_i: masked 3 x 3 (A), ReLU, masked 3 x 3 (B), ReLU, 1 x 1."""
    first, second = _mask("A"), _mask("B")
    hidden = relu(conv2d(x, w1 * first, b1, padding=1))
    hidden = relu(conv2d(hidden, w2 * second, b2, padding=1))
    return conv2d(hidden, w3, b3)


def log_prob(
    x: Float64[Tensor, "b 1 h w"],
    w1: Float64[Tensor, "c 1 3 3"],
    b1: Float64[Tensor, " c"],
    w2: Float64[Tensor, "c c 3 3"],
    b2: Float64[Tensor, " c"],
    w3: Float64[Tensor, "1 c 1 1"],
    b3: Float64[Tensor, " 1"],
) -> Float64[Tensor, " b"]:
    """log p(x) = Σ_i log σ(l_i) where x_i = 1, log σ(-l_i) where x_i = 0."""
    sign = 2 * x - 1
    terms = logsigmoid(sign * logits(x, w1, b1, w2, b2, w3, b3))
    return terms.sum(dim=(1, 2, 3))


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
    """p(x_i = 1 | x_<i) = σ(l_i), i = row · width + column."""
    row, column = divmod(index, x_prefix.shape[3])
    logit = logits(x_prefix, w1, b1, w2, b2, w3, b3)[:, 0, row, column]
    return logit.sigmoid()


def bits_per_dim(
    nll_nats: Float64[Tensor, " b"], channels: int, height: int, width: int
) -> Float64[Tensor, " b"]:
    """-log₂ p(x) / D with D = C·H·W dimensions."""
    dimensions = channels * height * width
    return nll_nats / (dimensions * math.log(2))
