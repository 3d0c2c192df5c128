"""Sampling from an autoregressive model of images, pixel by pixel. Fill in the bodies.

b and n count images, h and w are height and width, v is the number of levels of a pixel. Images
hold whole numbers from 0 to v - 1. `model` takes images [b h w] and returns logits [b v h w], one
for each level of each pixel; those of a pixel depend on the earlier pixels of its image alone, in
raster order: row by row from the top, each row from left to right. No gradient is asked for.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def sample(
    model: Callable[[Int64[Tensor, "b h w"]], Float64[Tensor, "b v h w"]],
    u: Float64[Tensor, "b h w"],
) -> Int64[Tensor, "b h w"]:
    """Images drawn pixel by pixel: the level of a pixel is the inverse of its CDF at u."""
    raise NotImplementedError


def complete(
    model: Callable[[Int64[Tensor, "b h w"]], Float64[Tensor, "b v h w"]],
    x: Int64[Tensor, "b h w"],
    observed: Bool[Tensor, "b h w"],
    u: Float64[Tensor, "b h w"],
) -> Int64[Tensor, "b h w"]:
    """x where it is observed; the other pixels drawn as in `sample`, given all earlier ones."""
    raise NotImplementedError


def log_completion(
    model: Callable[[Int64[Tensor, "b h w"]], Float64[Tensor, "b v h w"]],
    x: Int64[Tensor, "b h w"],
    observed: Bool[Tensor, "b h w"],
) -> Float64[Tensor, " b"]:
    """The logarithm, in nats, of the probability with which `complete` gives x."""
    raise NotImplementedError


def draw(
    model: Callable[[Int64[Tensor, "b h w"]], Float64[Tensor, "b v h w"]],
    n: int,
    h: int,
    w: int,
    generator: torch.Generator,
) -> Int64[Tensor, "n h w"]:
    """n independent images, from random numbers that are drawn here with `generator`."""
    raise NotImplementedError
