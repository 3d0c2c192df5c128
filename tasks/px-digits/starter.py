"""A PixelCNN of handwritten digits, and its likelihood beside the bound of a variational
autoencoder. Fill in the bodies; keep the names.

b is the batch, h and w are height and width of an image, c is the number of channels, s that of
samples an image, m that of images that are averaged. `d` is the number of pixels of an image.
Logarithms are natural.
"""

import torch
from jaxtyping import Float32, Float64
from torch import Tensor


def logits(
    x: Float64[Tensor, "b h w"],
    w1: Float64[Tensor, "c 1 7 7"],
    b1: Float64[Tensor, " c"],
    w2: Float64[Tensor, "c c 3 3"],
    b2: Float64[Tensor, " c"],
    w3: Float64[Tensor, "c c 3 3"],
    b3: Float64[Tensor, " c"],
    w4: Float64[Tensor, "1 c 1 1"],
    b4: Float64[Tensor, " 1"],
) -> Float64[Tensor, "b h w"]:
    """The logit of "this pixel is 1" given the earlier pixels; differentiable in w1 to b4."""
    raise NotImplementedError


def nll(logits: Float64[Tensor, "b h w"], x: Float64[Tensor, "b h w"]) -> Float64[Tensor, " b"]:
    """-log p(x) of every image, in nats; differentiable in logits."""
    raise NotImplementedError


def bits_per_dim(nats: Float64[Tensor, " b"], d: int) -> Float64[Tensor, " b"]:
    """Nats an image as bits a pixel, for images of d pixels."""
    raise NotImplementedError


def nats_per_image(bits: Float64[Tensor, " b"], d: int) -> Float64[Tensor, " b"]:
    """Bits a pixel as nats an image, for images of d pixels."""
    raise NotImplementedError


def bounds(
    log_w: Float64[Tensor, "s b"],
) -> tuple[Float64[Tensor, " b"], Float64[Tensor, " b"]]:
    """(-ELBO, importance-sampled -log p(x)) of every image, from its s log-weights; in nats."""
    raise NotImplementedError


def compare(
    nats: Float64[Tensor, " m"], log_w: Float64[Tensor, "s m"], d: int
) -> tuple[Float64[Tensor, ""], Float64[Tensor, ""]]:
    """(mean, standard error) of what the VAE costs more than the PixelCNN, in bits a pixel."""
    raise NotImplementedError


def fit(
    x: Float32[Tensor, "n 8 8"], generator: torch.Generator
) -> tuple[
    Float32[Tensor, "16 1 7 7"],
    Float32[Tensor, " 16"],
    Float32[Tensor, "16 16 3 3"],
    Float32[Tensor, " 16"],
    Float32[Tensor, "16 16 3 3"],
    Float32[Tensor, " 16"],
    Float32[Tensor, "1 16 1 1"],
    Float32[Tensor, " 1"],
]:
    """Trains w1, b1, w2, b2, w3, b3, w4, b4 on the images x, in single precision."""
    raise NotImplementedError
