"""PixelRNN: an LSTM over the pixels of a binary image. Fill in the bodies; keep the signatures.

All tensors are float64. b counts images, h and w are height and width, m is the number of hidden
units; the axis of 4 holds the gates in the order o, f, i, g. A state [b 2 m] holds h at 0 and c at
1 of its second axis. The order of the pixels is raster: row by row from the top, each row from left
to right.
"""

from jaxtyping import Bool, Float64
from torch import Tensor


def lstm_cell(
    e: Float64[Tensor, " b"],
    state: Float64[Tensor, "b 2 m"],
    w_x: Float64[Tensor, "4 m"],
    w_h: Float64[Tensor, "4 m m"],
    bias: Float64[Tensor, "4 m"],
) -> Float64[Tensor, "b 2 m"]:
    """The state after one step with the input e."""
    raise NotImplementedError


def logits(
    x: Float64[Tensor, "b h w"],
    start: Float64[Tensor, ""],
    w_x: Float64[Tensor, "4 m"],
    w_h: Float64[Tensor, "4 m m"],
    bias: Float64[Tensor, "4 m"],
    w_out: Float64[Tensor, " m"],
    b_out: Float64[Tensor, ""],
) -> Float64[Tensor, "b h w"]:
    """The logit of "this pixel is 1" given the earlier pixels, for every pixel."""
    raise NotImplementedError


def log_prob(
    x: Float64[Tensor, "b h w"],
    start: Float64[Tensor, ""],
    w_x: Float64[Tensor, "4 m"],
    w_h: Float64[Tensor, "4 m m"],
    bias: Float64[Tensor, "4 m"],
    w_out: Float64[Tensor, " m"],
    b_out: Float64[Tensor, ""],
) -> Float64[Tensor, " b"]:
    """log p(x) of every image, in nats."""
    raise NotImplementedError


def sample(
    u: Float64[Tensor, "b h w"],
    start: Float64[Tensor, ""],
    w_x: Float64[Tensor, "4 m"],
    w_h: Float64[Tensor, "4 m m"],
    bias: Float64[Tensor, "4 m"],
    w_out: Float64[Tensor, " m"],
    b_out: Float64[Tensor, ""],
) -> Float64[Tensor, "b h w"]:
    """Images of zeros and ones, drawn pixel by pixel from the uniform numbers u."""
    raise NotImplementedError


def complete(
    x: Float64[Tensor, "b h w"],
    observed: Bool[Tensor, "b h w"],
    u: Float64[Tensor, "b h w"],
    start: Float64[Tensor, ""],
    w_x: Float64[Tensor, "4 m"],
    w_h: Float64[Tensor, "4 m m"],
    bias: Float64[Tensor, "4 m"],
    w_out: Float64[Tensor, " m"],
    b_out: Float64[Tensor, ""],
) -> Float64[Tensor, "b h w"]:
    """x where it is observed; the other pixels drawn as in `sample`, given all earlier ones."""
    raise NotImplementedError
