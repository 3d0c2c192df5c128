"""PixelRNN: an LSTM that reads the pixels in raster order and predicts the next one.

p(x) = Π_i p(x_i | x_0, ..., x_{i-1}) (S1 "Decompose An Image"), the conditionals from an LSTM (S1
"PixelRNN", "RNN (LSTM) !"); its equations as in van den Oord, Kalchbrenner & Kavukcuoglu 2016,
equation 3, with a scalar input in place of the convolution.
"""

import torch
from jaxtyping import Bool, Float64
from torch import Tensor
from torch.nn.functional import logsigmoid


def _step(
    e: Float64[Tensor, " b"],
    state: Float64[Tensor, "b 2 m"],
    w_x: Float64[Tensor, "4 m"],
    w_h: Float64[Tensor, "4 m m"],
    bias: Float64[Tensor, "4 m"],
) -> Float64[Tensor, "b 2 m"]:
    """c = f ⊙ c + i ⊙ g, h = o ⊙ tanh(c)."""
    h, c = state.unbind(dim=1)
    a = e[:, None, None] * w_x + torch.einsum("kmn,bn->bkm", w_h, h) + bias
    o, f, i = a[:, :3].sigmoid().unbind(dim=1)
    g = a[:, 3].tanh()
    c = f * c + i * g
    h = o * c.tanh()
    return torch.stack([h, c], dim=1)


def lstm_cell(
    e: Float64[Tensor, " b"],
    state: Float64[Tensor, "b 2 m"],
    w_x: Float64[Tensor, "4 m"],
    w_h: Float64[Tensor, "4 m m"],
    bias: Float64[Tensor, "4 m"],
) -> Float64[Tensor, "b 2 m"]:
    """(h', c') from the input e and (h, c)."""
    return _step(e, state, w_x, w_h, bias)


def _logits(
    x: Float64[Tensor, "b h w"],
    start: Float64[Tensor, ""],
    w_x: Float64[Tensor, "4 m"],
    w_h: Float64[Tensor, "4 m m"],
    bias: Float64[Tensor, "4 m"],
    w_out: Float64[Tensor, " m"],
    b_out: Float64[Tensor, ""],
) -> Float64[Tensor, "b h w"]:
    """l_i = v · h_i + b, where h_i has read e_0 = start, e_1 = x_0, ..., e_i = x_{i-1}."""
    pixels = x.flatten(start_dim=1)
    inputs = torch.cat([start.expand(len(x), 1), pixels[:, :-1]], dim=1)
    state = torch.zeros(len(x), 2, len(w_out), dtype=torch.float64)
    found = []
    for e in inputs.unbind(dim=1):
        state = _step(e, state, w_x, w_h, bias)
        found.append(state[:, 0] @ w_out + b_out)
    return torch.stack(found, dim=1).reshape(x.shape)


def logits(
    x: Float64[Tensor, "b h w"],
    start: Float64[Tensor, ""],
    w_x: Float64[Tensor, "4 m"],
    w_h: Float64[Tensor, "4 m m"],
    bias: Float64[Tensor, "4 m"],
    w_out: Float64[Tensor, " m"],
    b_out: Float64[Tensor, ""],
) -> Float64[Tensor, "b h w"]:
    """The logit of p(x_i = 1 | x_0, ..., x_{i-1})."""
    return _logits(x, start, w_x, w_h, bias, w_out, b_out)


def log_prob(
    x: Float64[Tensor, "b h w"],
    start: Float64[Tensor, ""],
    w_x: Float64[Tensor, "4 m"],
    w_h: Float64[Tensor, "4 m m"],
    bias: Float64[Tensor, "4 m"],
    w_out: Float64[Tensor, " m"],
    b_out: Float64[Tensor, ""],
) -> Float64[Tensor, " b"]:
    """log p(x) = Σ_i log σ(l_i) where x_i = 1, log σ(-l_i) where x_i = 0."""
    sign = 2 * x - 1
    terms = logsigmoid(sign * _logits(x, start, w_x, w_h, bias, w_out, b_out))
    return terms.sum(dim=(1, 2))


def _filled(
    x: Float64[Tensor, "b h w"],
    hidden: Bool[Tensor, "b h w"],
    u: Float64[Tensor, "b h w"],
    start: Float64[Tensor, ""],
    w_x: Float64[Tensor, "4 m"],
    w_h: Float64[Tensor, "4 m m"],
    bias: Float64[Tensor, "4 m"],
    w_out: Float64[Tensor, " m"],
    b_out: Float64[Tensor, ""],
) -> Float64[Tensor, "b h w"]:
    """x with x_i = [u_i < σ(l_i)] wherever it is hidden; the LSTM reads every pixel."""
    columns = (part.flatten(start_dim=1).unbind(dim=1) for part in (x, hidden, u))
    state = torch.zeros(len(x), 2, len(w_out), dtype=torch.float64)
    e, pixels = start.expand(len(x)), []
    for known, here, uniform in zip(*columns, strict=True):
        state = _step(e, state, w_x, w_h, bias)
        p = (state[:, 0] @ w_out + b_out).sigmoid()
        e = torch.where(here, (uniform < p).double(), known)
        pixels.append(e)
    return torch.stack(pixels, dim=1).reshape(x.shape)


def sample(
    u: Float64[Tensor, "b h w"],
    start: Float64[Tensor, ""],
    w_x: Float64[Tensor, "4 m"],
    w_h: Float64[Tensor, "4 m m"],
    bias: Float64[Tensor, "4 m"],
    w_out: Float64[Tensor, " m"],
    b_out: Float64[Tensor, ""],
) -> Float64[Tensor, "b h w"]:
    """x_i = 1 where u_i < p(x_i = 1 | x_0, ..., x_{i-1}), one pixel after the other."""
    empty = torch.zeros_like(u)
    return _filled(empty, empty == 0, u, start, w_x, w_h, bias, w_out, b_out)


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
    """Observed pixels as they are, the others drawn given all pixels before them."""
    return _filled(x, ~observed, u, start, w_x, w_h, bias, w_out, b_out)
