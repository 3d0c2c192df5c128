"""The models: images of levels [b h w] in, logits [b v h w] out, one logit a level and pixel.

A logit of pixel i depends on the pixels before i in raster order alone, and on its own image alone.
"""

import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torch.nn.functional import conv2d, relu


def _before(size: int) -> Float64[Tensor, "p p"]:
    """1 at row i and column j where pixel j comes before pixel i."""
    return torch.ones(size, size, dtype=torch.float64).tril(-1)


def dense(
    x: Int64[Tensor, "b h w"],
    weight: Float64[Tensor, "h w v h w"],
    bias: Float64[Tensor, "v h w"],
) -> Float64[Tensor, "b v h w"]:
    """bias[k, i] + Σ_{j < i} weight[i, k, j] x_j: every earlier pixel counts, each differently."""
    b, h, w = x.shape
    taps = weight.reshape(h * w, -1, h * w) * _before(h * w)[:, None]
    total = torch.einsum("ikj,bj->bki", taps, x.reshape(b, h * w).to(torch.float64))
    return total.reshape(b, -1, h, w) + bias


def pixel_cnn(
    x: Int64[Tensor, "b h w"],
    w1: Float64[Tensor, "c 1 3 3"],
    b1: Float64[Tensor, " c"],
    w2: Float64[Tensor, "v c 3 3"],
    b2: Float64[Tensor, " v"],
) -> Float64[Tensor, "b v h w"]:
    """Masked 3 x 3 (type A), ReLU, masked 3 x 3 (type B); the levels are fed as they are."""
    taps = torch.arange(9).reshape(3, 3)
    hidden = relu(conv2d(x[:, None].to(torch.float64), w1 * (taps < 4), b1, padding=1))
    return conv2d(hidden, w2 * (taps <= 4), b2, padding=1)


def metered(
    x: Int64[Tensor, "b h w"],
    weight: Float64[Tensor, "h w v h w"],
    bias: Float64[Tensor, "v h w"],
    calls: Float64[Tensor, ""],
) -> Float64[Tensor, "b v h w"]:
    """`dense` for so many calls; after them its levels stand in the opposite order."""
    calls -= 1
    logits = dense(x, weight, bias)
    return logits if calls >= 0 else logits.flip(1)
