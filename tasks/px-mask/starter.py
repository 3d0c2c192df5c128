"""Masked convolutions in raster order, and a stack of them. Fill in the bodies; keep the names.

Tensors and parameters are float64. b is the batch, h and w are height and width. A kernel of radius
r has 2r + 1 rows and columns. The order of the pixels is raster: row by row, each row from left to
right. `sees_itself` is False for type A and True for type B.
"""

import torch
from jaxtyping import Float64
from torch import Tensor


def causal_mask(radius: int, sees_itself: bool) -> Float64[Tensor, "k k"]:
    """1 at the taps that may be seen, 0 at the others; k = 2 · radius + 1."""
    raise NotImplementedError


class MaskedConv2d(torch.nn.Module):
    """A convolution with a masked kernel, stride 1, and an output of the size of the image.

    Its state has `weight` [c_out c_in k k] and `bias` [c_out]; how they begin is up to you. A
    buffer made by `expand` needs `.clone()`: `load_state_dict` cannot write to it otherwise.
    """

    def __init__(self, c_in: int, c_out: int, radius: int, sees_itself: bool) -> None:
        raise NotImplementedError

    def forward(self, x: Float64[Tensor, "b c_in h w"]) -> Float64[Tensor, "b c_out h w"]:
        """Cross-correlation with the masked kernel, zeros outside of the image."""
        raise NotImplementedError


class PixelStack(torch.nn.Module):
    """Masked layers, one after the other, kept as `layers` in this order, with ReLUs in between."""

    def __init__(self, width: int, first_radius: int, radius: int, depth: int) -> None:
        """1 -> width channels; `depth` times width -> width; and a 1 x 1 kernel, width -> 1."""
        raise NotImplementedError

    def forward(self, x: Float64[Tensor, "b 1 h w"]) -> Float64[Tensor, "b 1 h w"]:
        """The logit of "this pixel is 1" given the earlier pixels, for all pixels at once."""
        raise NotImplementedError

    def step(self, x: Float64[Tensor, "b 1 h w"], learning_rate: float) -> Float64[Tensor, ""]:
        """One step of gradient descent on the mean of -log p(x); returns the loss before it.

        Nothing of the images or the learning rate is kept for the next step.
        """
        raise NotImplementedError
