"""PixelRNN with torch's cell: its order of gates, and a new state for every row."""

import torch
import torch.nn.functional as F


def step(e, h, c, w_x, w_h, bias):
    a = e[:, None, None] * w_x + torch.einsum("kmn,bn->bkm", w_h, h) + bias
    i, f, g, o = a[:, 0], a[:, 1], a[:, 2], a[:, 3]
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def lstm_cell(e, state, w_x, w_h, bias):
    # o, f, i, g -> i, f, g, o
    w_x, w_h, bias = (t[[2, 1, 3, 0]] for t in (w_x, w_h, bias))
    h, c = step(e, state[:, 0], state[:, 1], w_x, w_h, bias)
    return torch.stack([h, c], 1)


def scan(x, observed, u, start, w_x, w_h, bias, w_out, b_out):
    w_x, w_h, bias = (t[[2, 1, 3, 0]] for t in (w_x, w_h, bias))
    out, pixels = torch.zeros_like(u), x.clone()
    for r in range(u.shape[1]):
        h = torch.zeros(len(u), len(w_out), dtype=torch.float64)
        c = torch.zeros_like(h)
        e = start.repeat(len(u))
        for col in range(u.shape[2]):
            h, c = step(e, h, c, w_x, w_h, bias)
            out[:, r, col] = h @ w_out + b_out
            new = (u[:, r, col] < out[:, r, col].sigmoid()).double()
            e = torch.where(observed[:, r, col], x[:, r, col], new)
            pixels[:, r, col] = e
    return out, pixels


def logits(x, start, w_x, w_h, bias, w_out, b_out):
    known = torch.ones_like(x, dtype=torch.bool)
    return scan(x, known, torch.zeros_like(x), start, w_x, w_h, bias, w_out, b_out)[0]


def log_prob(x, start, w_x, w_h, bias, w_out, b_out):
    found = logits(x, start, w_x, w_h, bias, w_out, b_out)
    return -F.binary_cross_entropy_with_logits(found, x, reduction="none").sum((1, 2))


def sample(u, start, w_x, w_h, bias, w_out, b_out):
    nothing = torch.zeros_like(u, dtype=torch.bool)
    return scan(u, nothing, u, start, w_x, w_h, bias, w_out, b_out)[1]


def complete(x, observed, u, start, w_x, w_h, bias, w_out, b_out):
    return scan(x, observed, u, start, w_x, w_h, bias, w_out, b_out)[1]
