"""A PixelCNN for three colours. Fill in the bodies; keep the names.

Tensors and parameters are float64. b is the batch, h and w are height and width. Images are
[b 3 h w]: red, green, blue. The values stand in one order: pixels in raster order (row by row, each
row from left to right), and within a pixel red, then green, then blue. Every layer has its channels
in three blocks of equal size, in this order. A kernel of radius r has k = 2r + 1 rows and columns.
`sees_itself` is False for type A and True for type B.
"""

import torch
from jaxtyping import Float64
from torch import Tensor


def rgb_mask(
    n_in: int, n_out: int, radius: int, sees_itself: bool
) -> Float64[Tensor, "c_out c_in k k"]:
    """1 where an output channel may see an input channel at a tap, else 0.

    n_in and n_out are channels a colour: c_in = 3 · n_in and c_out = 3 · n_out.
    """
    raise NotImplementedError


class RGBStack(torch.nn.Module):
    """Masked layers, one after the other, kept as `layers` in this order, with ReLUs in between.

    Every layer has `weight` [c_out c_in k k] and `bias` [c_out]; how they begin is up to you.
    """

    def __init__(self, features: int, radius: int, depth: int) -> None:
        """1 -> features channels a colour, type A; `depth` times features -> features, type B; and
        a 1 x 1 kernel, features -> 1, type B. All but the last have this radius.
        """
        raise NotImplementedError

    def forward(self, x: Float64[Tensor, "b 3 h w"]) -> Float64[Tensor, "b 3 h w"]:
        """The logit of "this value is 1" given the earlier values, for all values at once."""
        raise NotImplementedError

    def log_prob(self, x: Float64[Tensor, "b 3 h w"]) -> Float64[Tensor, " b"]:
        """log p(x) of every image, in nats; values are 0 or 1."""
        raise NotImplementedError

    def next_value(
        self, x: Float64[Tensor, "b 3 h w"], row: int, column: int, colour: int
    ) -> Float64[Tensor, " b"]:
        """p(this value = 1 | all earlier values); it and the later ones are not known yet."""
        raise NotImplementedError
