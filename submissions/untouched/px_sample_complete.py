"""Samples and completions of an autoregressive model. Fill in the bodies; keep the signatures.

Tensors are float64, `observed` is bool. b is the batch, h and w are height and width, k is the
number of latent dimensions; s and t are the height and width of small images. Pixels are in raster
order: row by row, each row from left to right. A model gives the logits of "this pixel is 1", each
given the earlier pixels, for all pixels of any number of images at once.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float64
from torch import Tensor


def sample(
    model: Callable[[Float64[Tensor, "b 1 h w"]], Float64[Tensor, "b 1 h w"]],
    u: Float64[Tensor, "b 1 h w"],
) -> Float64[Tensor, "b 1 h w"]:
    """Images of zeros and ones; pixel i is 1 where u_i < p(x_i = 1 | earlier pixels)."""
    raise NotImplementedError


def complete(
    model: Callable[[Float64[Tensor, "b 1 h w"]], Float64[Tensor, "b 1 h w"]],
    x: Float64[Tensor, "b 1 h w"],
    observed: Bool[Tensor, "b 1 h w"],
    u: Float64[Tensor, "b 1 h w"],
) -> Float64[Tensor, "b 1 h w"]:
    """The images with what is not observed sampled, in raster order, and the rest as it is in x."""
    raise NotImplementedError


def draw(
    model: Callable[[Float64[Tensor, "b 1 h w"]], Float64[Tensor, "b 1 h w"]],
    x: Float64[Tensor, "b 1 h w"],
    observed: Bool[Tensor, "b 1 h w"],
    generator: torch.Generator,
) -> Float64[Tensor, "b 1 h w"]:
    """The same with randomness of your own, all of it from this generator."""
    raise NotImplementedError


def log_conditional(
    model: Callable[[Float64[Tensor, "b 1 s t"]], Float64[Tensor, "b 1 s t"]],
    x: Float64[Tensor, "b 1 s t"],
    observed: Bool[Tensor, "b 1 s t"],
) -> Float64[Tensor, " b"]:
    """log p(x where not observed | x where observed) in nats, exact for every mask."""
    raise NotImplementedError


def sample_vae(
    decoder: Callable[[Float64[Tensor, "b k"]], Float64[Tensor, "b 1 h w"]],
    z: Float64[Tensor, "b k"],
    u: Float64[Tensor, "b 1 h w"],
) -> Float64[Tensor, "b 1 h w"]:
    """Images of zeros and ones given latent vectors, in one pass."""
    raise NotImplementedError
