"""Colours in order: block masks, a stack of masked layers, and its likelihood, as in the lecture.

p(x) = Π_i p(x_{i,R} | x_<i) p(x_{i,G} | x_<i, x_{i,R}) p(x_{i,B} | x_<i, x_{i,R}, x_{i,G}). Source:
S1 "Decompose An Image"; the masks are those of van den Oord, Kalchbrenner & Kavukcuoglu 2016,
section 3.4.
"""

import torch
from jaxtyping import Float64
from torch import Tensor, nn
from torch.nn.functional import conv2d, logsigmoid, relu


def rgb_mask(
    n_in: int, n_out: int, radius: int, sees_itself: bool
) -> Float64[Tensor, "c_out c_in k k"]:
    """All colours of earlier pixels; at the centre the earlier colours, and with type B the own."""
    k = 2 * radius + 1
    mask = torch.zeros(3, n_out, 3, n_in, k, k, dtype=torch.float64)
    mask[..., :radius, :] = 1
    mask[..., radius, :radius] = 1
    for to in range(3):
        earlier = to + 1 if sees_itself else to
        mask[to, :, :earlier, :, radius, radius] = 1
    return mask.reshape(3 * n_out, 3 * n_in, k, k)


class MaskedConv2d(nn.Module):
    """(w ⊙ mask) ⋆ x + b; the mask is multiplied at every call, and w is left alone."""

    def __init__(self, mask: Float64[Tensor, "c_out c_in k k"]) -> None:
        super().__init__()
        self.radius = mask.shape[-1] // 2
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty_like(mask)))
        self.bias = nn.Parameter(torch.zeros(len(mask), dtype=torch.float64))
        self.register_buffer("mask", mask)

    def forward(self, x: Float64[Tensor, "b c_in h w"]) -> Float64[Tensor, "b c_out h w"]:
        """Every output sees the taps that the mask keeps, zeros outside of the image."""
        return conv2d(x, self.weight * self.mask, self.bias, padding=self.radius)


class RGBStack(nn.Module):
    """Type A once, on the image itself; type B wherever what comes in has gone through it."""

    def __init__(self, features: int, radius: int, depth: int) -> None:
        super().__init__()
        first = rgb_mask(1, features, radius, False)
        middle = [rgb_mask(features, features, radius, True) for _ in range(depth)]
        last = rgb_mask(features, 1, 0, True)
        self.layers = nn.ModuleList([MaskedConv2d(mask) for mask in (first, *middle, last)])

    def forward(self, x: Float64[Tensor, "b 3 h w"]) -> Float64[Tensor, "b 3 h w"]:
        """l_{i,c}, the logit of p(x_{i,c} = 1 | earlier values)."""
        *hidden, last = self.layers
        for layer in hidden:
            x = relu(layer(x))
        return last(x)

    def log_prob(self, x: Float64[Tensor, "b 3 h w"]) -> Float64[Tensor, " b"]:
        """log p(x) = Σ_{i,c} log σ(l_{i,c}) where x_{i,c} = 1, log σ(-l_{i,c}) where it is 0."""
        sign = 2 * x - 1
        return logsigmoid(sign * self(x)).sum(dim=(1, 2, 3))

    def next_value(
        self, x: Float64[Tensor, "b 3 h w"], row: int, column: int, colour: int
    ) -> Float64[Tensor, " b"]:
        """σ(l_{i,c}); l_{i,c} does not see what is not known yet."""
        logit = self(x)[:, colour, row, column]
        return logit.sigmoid()
