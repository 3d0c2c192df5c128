"""Gates one by one in matrix products; images are drawn from the logits of all that is known."""

import torch


def _affine(k, e, h, w_x, w_h, bias):
    return torch.outer(e, w_x[k]) + h @ w_h[k].T + bias[k]


def _next(e, h, c, w_x, w_h, bias):
    output_gate = torch.sigmoid(_affine(0, e, h, w_x, w_h, bias))
    forget_gate = torch.sigmoid(_affine(1, e, h, w_x, w_h, bias))
    input_gate = torch.sigmoid(_affine(2, e, h, w_x, w_h, bias))
    candidate = torch.tanh(_affine(3, e, h, w_x, w_h, bias))
    c = torch.addcmul(input_gate * candidate, forget_gate, c)
    return output_gate * torch.tanh(c), c


def lstm_cell(e, state, w_x, w_h, bias):
    h, c = _next(e, state[:, 0], state[:, 1], w_x, w_h, bias)
    return torch.cat([h[:, None], c[:, None]], dim=1)


def _sequence(earlier, start, w_x, w_h, bias, w_out, b_out):
    """The logits of the pixels 0 to n from the pixels before n: [b n] -> [b n+1]."""
    b, n = earlier.shape
    h = c = torch.zeros(b, len(w_out), dtype=torch.float64)
    outputs = []
    for t in range(n + 1):
        e = start.expand(b) if t == 0 else earlier[:, t - 1]
        h, c = _next(e, h, c, w_x, w_h, bias)
        outputs.append(h)
    return torch.stack(outputs, 1) @ w_out + b_out


def logits(x, start, w_x, w_h, bias, w_out, b_out):
    earlier = x.flatten(1)[:, :-1]
    return _sequence(earlier, start, w_x, w_h, bias, w_out, b_out).view(x.shape)


def log_prob(x, start, w_x, w_h, bias, w_out, b_out):
    flat = x.flatten(1)
    found = _sequence(flat[:, :-1], start, w_x, w_h, bias, w_out, b_out)
    wrong = torch.where(flat > 0.5, -found, found)
    return -torch.logaddexp(wrong, torch.zeros_like(wrong)).sum(1)


def _fill(x, observed, u, weights):
    shape, x, observed, u = x.shape, x.flatten(1).clone(), observed.flatten(1), u.flatten(1)
    for t in range(x.shape[1]):
        hidden = ~observed[:, t]
        if hidden.any():
            logit = _sequence(x[:, :t], *weights)[:, -1]
            drawn = (torch.sigmoid(logit) > u[:, t]).to(x.dtype)
            x[:, t] = torch.where(hidden, drawn, x[:, t])
    return x.reshape(shape)


def sample(u, start, w_x, w_h, bias, w_out, b_out):
    nothing = torch.zeros(u.shape, dtype=torch.bool)
    return _fill(nothing.double(), nothing, u, (start, w_x, w_h, bias, w_out, b_out))


def complete(x, observed, u, start, w_x, w_h, bias, w_out, b_out):
    return _fill(x, observed, u, (start, w_x, w_h, bias, w_out, b_out))
