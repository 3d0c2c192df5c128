"""PixelRNN: all four gates at once, pixels numbered along the raster."""

import torch
import torch.nn.functional as F


def cell_step(e, h, c, w_x, w_h, bias):
    m = h.shape[1]
    gates = h @ w_h.reshape(4 * m, m).T + e.unsqueeze(1) * w_x.reshape(4 * m) + bias.reshape(4 * m)
    o, f, i, g = gates.chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(c)
    return h, c


def lstm_cell(e, state, w_x, w_h, bias):
    return torch.stack(cell_step(e, state[:, 0], state[:, 1], w_x, w_h, bias), dim=1)


def run(x, start, w_x, w_h, bias, w_out, b_out, choose):
    """Goes through the raster; choose(i, logit) says which pixel i is fed to the next step."""
    b, h, w = x.shape
    hidden = torch.zeros(b, w_out.shape[0], dtype=torch.float64)
    memory = torch.zeros_like(hidden)
    fed = start * torch.ones(b, dtype=torch.float64)
    all_logits, pixels = [], []
    for i in range(h * w):
        hidden, memory = cell_step(fed, hidden, memory, w_x, w_h, bias)
        logit = (hidden * w_out).sum(dim=1) + b_out
        fed = choose(i, logit)
        all_logits.append(logit)
        pixels.append(fed)
    return torch.stack(all_logits, 1).reshape(b, h, w), torch.stack(pixels, 1).reshape(b, h, w)


def image_logits(x, *net):
    flat = x.reshape(x.shape[0], -1)
    return run(x, *net, lambda i, logit: flat[:, i])[0]


def logits(x, start, w_x, w_h, bias, w_out, b_out):
    return image_logits(x, start, w_x, w_h, bias, w_out, b_out)


def log_prob(x, start, w_x, w_h, bias, w_out, b_out):
    found = image_logits(x, start, w_x, w_h, bias, w_out, b_out)
    per_pixel = x * F.logsigmoid(found) + (1 - x) * F.logsigmoid(-found)
    return per_pixel.flatten(1).sum(1)


def draw(x, observed, u, net):
    flat_x, flat_o, flat_u = (t.reshape(t.shape[0], -1) for t in (x, observed, u))

    def choose(i, logit):
        new = (flat_u[:, i] < torch.sigmoid(logit)).double()
        return torch.where(flat_o[:, i], flat_x[:, i], new)

    return run(x, *net, choose)[1]


def sample(u, start, w_x, w_h, bias, w_out, b_out):
    nothing = torch.zeros_like(u, dtype=torch.bool)
    return draw(u, nothing, u, (start, w_x, w_h, bias, w_out, b_out))


def complete(x, observed, u, start, w_x, w_h, bias, w_out, b_out):
    return draw(x, observed, u, (start, w_x, w_h, bias, w_out, b_out))
