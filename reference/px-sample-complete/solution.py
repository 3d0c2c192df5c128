"""Sampling and completion with an autoregressive model of images.

p(x) = Π_i p(x_i | x_0, ..., x_{i-1}) in raster order (S1 "Decompose An Image"), so that pixels are
drawn one after the other (S1 "PixelRNN", cons), and those that are known stay (S1 "PixelRNN",
"Results: Image completion"). A likelihood needs one pass, a sample one for each pixel.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor


def _inverse_cdf(
    logits: Float64[Tensor, "b v"], u: Float64[Tensor, " b"]
) -> Int64[Tensor, " b"]:
    """The number of levels k with F(k) <= u, where F(k) = p(0) + ... + p(k)."""
    cdf = logits.softmax(dim=1).cumsum(dim=1)
    below = cdf[:, :-1] <= u[:, None]  # F of the last level is one
    return below.sum(dim=1)


def _filled(
    model: Callable[[Int64[Tensor, "b h w"]], Float64[Tensor, "b v h w"]],
    x: Int64[Tensor, "b h w"],
    hidden: Bool[Tensor, "b h w"],
    u: Float64[Tensor, "b h w"],
) -> Int64[Tensor, "b h w"]:
    """x with its hidden pixels drawn in raster order, each given all before it."""
    x = x.clone()
    _, height, width = x.shape
    for row in range(height):
        for column in range(width):
            here = hidden[:, row, column]
            if here.any():
                logits = model(x)[:, :, row, column]
                drawn = _inverse_cdf(logits, u[:, row, column])
                x[:, row, column] = torch.where(here, drawn, x[:, row, column])
    return x


def sample(
    model: Callable[[Int64[Tensor, "b h w"]], Float64[Tensor, "b v h w"]],
    u: Float64[Tensor, "b h w"],
) -> Int64[Tensor, "b h w"]:
    """x_i = F_i⁻¹(u_i), F_i the CDF of p(x_i | x_<i)."""
    empty = torch.zeros(u.shape, dtype=torch.int64)
    everywhere = torch.ones(u.shape, dtype=torch.bool)
    return _filled(model, empty, everywhere, u)


def complete(
    model: Callable[[Int64[Tensor, "b h w"]], Float64[Tensor, "b v h w"]],
    x: Int64[Tensor, "b h w"],
    observed: Bool[Tensor, "b h w"],
    u: Float64[Tensor, "b h w"],
) -> Int64[Tensor, "b h w"]:
    """x_i where it is observed, F_i⁻¹(u_i) elsewhere."""
    return _filled(model, x, ~observed, u)


def log_completion(
    model: Callable[[Int64[Tensor, "b h w"]], Float64[Tensor, "b v h w"]],
    x: Int64[Tensor, "b h w"],
    observed: Bool[Tensor, "b h w"],
) -> Float64[Tensor, " b"]:
    """Σ log p(x_i | x_<i) over the pixels that are not observed: all of them in one pass."""
    log_p = model(x).log_softmax(dim=1)
    log_p_of_x = log_p.gather(1, x[:, None])[:, 0]
    return (log_p_of_x * ~observed).sum(dim=(1, 2))


def draw(
    model: Callable[[Int64[Tensor, "b h w"]], Float64[Tensor, "b v h w"]],
    n: int,
    h: int,
    w: int,
    generator: torch.Generator,
) -> Int64[Tensor, "n h w"]:
    """x_i = F_i⁻¹(u_i) with u uniform on [0, 1)."""
    u = torch.rand(n, h, w, generator=generator, dtype=torch.float64)
    empty = torch.zeros(n, h, w, dtype=torch.int64)
    return _filled(model, empty, empty == 0, u)
