"""Kernels cut off below the row of their centre, padded above only; Adam written out; the standard
error from sums; shuffled epochs."""

import torch
from torch.nn.functional import conv2d, pad

LN2 = 0.6931471805599453


def layer(x, kernel, bias, centre):
    """Rows from the top to that of the centre, whose right part is set to zero."""
    side = kernel.shape[-1]
    radius = side // 2
    upper, own = kernel[:, :, :radius], kernel[:, :, radius : radius + 1]
    left = own[:, :, :, : radius + centre]
    row = torch.cat([left, torch.zeros_like(own[:, :, :, radius + centre :])], dim=3)
    return conv2d(pad(x, (radius, radius, radius, 0)), torch.cat([upper, row], dim=2), bias)


def network(x, parameters):
    h = torch.where(x == 1, 1.0, -1.0).to(x.dtype)[:, None]
    for place in range(4):
        h = layer(h, parameters[2 * place], parameters[2 * place + 1], centre=int(place > 0))
        if place < 3:
            h = h.clamp(min=0)
    return h[:, 0]


def logits(x, w1, b1, w2, b2, w3, b3, w4, b4):
    return network(x, [w1, b1, w2, b2, w3, b3, w4, b4])


def cost(logits, x):
    wrong = (1 - 2 * x) * logits  # softplus of this, pixel by pixel
    return (wrong.clamp(min=0) + torch.log1p(torch.exp(-wrong.abs()))).flatten(1).sum(1)


def nll(logits, x):
    return -torch.nn.functional.logsigmoid(torch.where(x == 1, logits, -logits)).sum((-1, -2))


def bits_per_dim(nats, d):
    return nats / LN2 / d


def nats_per_image(bits, d):
    return bits * d * LN2


def log_mean(log_w):
    top = log_w.max(dim=0).values
    return top + (log_w - top).exp().mean(dim=0).log()


def bounds(log_w):
    return -log_w.sum(0) / len(log_w), -log_mean(log_w)


def compare(nats, log_w, d):
    pixelcnn, vae = nats / LN2 / d, -log_mean(log_w) / LN2 / d
    difference = vae - pixelcnn
    m = len(difference)
    centred = difference - difference.sum() / m
    return difference.sum() / m, ((centred**2).sum() / (m - 1) / m).sqrt()


def fit(x, generator):
    parameters = []
    for inputs, outputs, side in ((1, 16, 7), (16, 16, 3), (16, 16, 3), (16, 1, 1)):
        bound = (inputs * side * side) ** -0.5
        for shape in ((outputs, inputs, side, side), (outputs,)):
            uniform = torch.rand(shape, generator=generator) * 2 - 1
            parameters.append((uniform * bound).requires_grad_())
    first = [torch.zeros_like(p) for p in parameters]
    second = [torch.zeros_like(p) for p in parameters]
    order, at = torch.randperm(len(x), generator=generator), 0
    for t in range(1, 501):
        rate = 0.01 if t <= 250 else 0.01 * (501 - t) / 250
        if at + 64 > len(x):
            order, at = torch.randperm(len(x), generator=generator), 0
        batch, at = x[order[at : at + 64]], at + 64
        value = cost(network(batch, parameters), batch).sum() / 64
        with torch.no_grad():
            for p, g, m, v in zip(
                parameters, torch.autograd.grad(value, parameters), first, second, strict=True
            ):
                m.mul_(0.9).add_(0.1 * g)
                v.mul_(0.999).add_(0.001 * g * g)
                p.sub_(rate * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8))
    return tuple(p.detach() for p in parameters)
