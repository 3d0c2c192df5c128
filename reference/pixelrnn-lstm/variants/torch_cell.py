"""PyTorch's own cell, whose gates are in another order; gates and units in one axis."""

import torch
import torch.nn.functional as F

ORDER = [2, 1, 3, 0]  # PyTorch's i, f, g, o among o, f, i, g


def _joined(w_x, w_h, bias):
    """w_ih [4m 1], w_hh [4m m], b_ih [4m] of torch.nn.LSTMCell."""
    return w_x[ORDER].reshape(-1, 1), w_h[ORDER].flatten(0, 1), bias[ORDER].flatten()


def _cell(e, h, c, w_ih, w_hh, b_ih):
    none = torch.zeros_like(b_ih)
    return torch.lstm_cell(e[:, None], (h, c), w_ih, w_hh, b_ih, none)


def lstm_cell(e, state, w_x, w_h, bias):
    h, c = _cell(e, state[:, 0], state[:, 1], *_joined(w_x, w_h, bias))
    return torch.stack((h, c), 1)


def _begin(x, start, w_out):
    return start.repeat(x.shape[0]), *torch.zeros(2, x.shape[0], w_out.shape[0]).double()


def _all_logits(x, start, w_x, w_h, bias, w_out, b_out):
    weights = _joined(w_x, w_h, bias)
    e, h, c = _begin(x, start, w_out)
    rows = []
    for row in range(x.shape[1]):
        for column in range(x.shape[2]):
            h, c = _cell(e, h, c, *weights)
            rows.append((h * w_out).sum(1) + b_out)
            e = x[:, row, column]
    return torch.stack(rows).T.reshape(x.shape)


def logits(x, start, w_x, w_h, bias, w_out, b_out):
    return _all_logits(x, start, w_x, w_h, bias, w_out, b_out)


def log_prob(x, start, w_x, w_h, bias, w_out, b_out):
    found = _all_logits(x, start, w_x, w_h, bias, w_out, b_out)
    return -F.binary_cross_entropy_with_logits(found, x, reduction="none").sum((1, 2))


def _drawn(x, observed, u, start, w_x, w_h, bias, w_out, b_out):
    weights = _joined(w_x, w_h, bias)
    e, h, c = _begin(u, start, w_out)
    image = torch.empty_like(u)
    for row in range(u.shape[1]):
        for column in range(u.shape[2]):
            h, c = _cell(e, h, c, *weights)
            one = u[:, row, column] < torch.sigmoid((h * w_out).sum(1) + b_out)
            e = one.double()
            if observed is not None:
                e = torch.where(observed[:, row, column], x[:, row, column], e)
            image[:, row, column] = e
    return image


def sample(u, start, w_x, w_h, bias, w_out, b_out):
    return _drawn(None, None, u, start, w_x, w_h, bias, w_out, b_out)


def complete(x, observed, u, start, w_x, w_h, bias, w_out, b_out):
    return _drawn(x, observed, u, start, w_x, w_h, bias, w_out, b_out)
