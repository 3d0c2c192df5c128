"""Shifted images and matrix products in place of convolutions; cross-entropy of the library;
weights inside the logarithm's sum; a learning rate that is a tensor."""

import math

import torch
from torch.nn import functional as F

BITS = math.log2(math.e)


def seen(x, kernel, bias, centre):
    """A masked layer: the taps before the centre (`centre` 0) or up to it (1), in reading order."""
    side, (h, w) = kernel.shape[-1], x.shape[2:]
    framed = F.pad(x, (side // 2,) * 4)
    taps = [divmod(tap, side) for tap in range(side * side // 2 + centre)]
    shifted = torch.cat([framed[:, :, r : r + h, c : c + w] for r, c in taps], dim=1).flatten(2)
    matrix = torch.cat([kernel[:, :, r, c] for r, c in taps], dim=1)
    return (matrix @ shifted + bias[:, None]).unflatten(2, (h, w))


def through(x, w1, b1, w2, b2, w3, b3, w4, b4):
    h = x.mul(2).sub(1).unsqueeze(1)
    h = torch.relu(seen(h, w1, b1, 0))
    h = torch.relu(seen(h, w2, b2, 1))
    h = torch.relu(seen(h, w3, b3, 1))
    return seen(h, w4, b4, 1).flatten(1).view_as(x)


def logits(x, w1, b1, w2, b2, w3, b3, w4, b4):
    return through(x, w1, b1, w2, b2, w3, b3, w4, b4)


def nll(logits, x):
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=(1, 2))


def bits_per_dim(nats, d):
    return nats * (BITS / d)


def nats_per_image(bits, d):
    return bits * d / BITS


def bounds(log_w):
    share = torch.full_like(log_w, 1 / len(log_w))
    return -(share * log_w).sum(dim=0), -(log_w + share.log()).logsumexp(dim=0)


def compare(nats, log_w, d):
    gaps = (bounds(log_w)[1] - nats) * (BITS / d)
    spread, mean = torch.std_mean(gaps)
    return mean, spread * len(gaps) ** -0.5


def fit(x, generator):
    shapes = [
        (16, 1, 7, 7),
        (16,),
        (16, 16, 3, 3),
        (16,),
        (16, 16, 3, 3),
        (16,),
        (1, 16, 1, 1),
        (1,),
    ]
    inputs = [49, 49, 144, 144, 144, 144, 16, 16]
    parameters = []
    for shape, count in zip(shapes, inputs, strict=True):
        numbers = torch.rand(shape, generator=generator)
        parameters.append(numbers.sub(0.5).mul(2 * count**-0.5).requires_grad_())
    rate = torch.tensor(0.01)
    optimiser = torch.optim.Adam(parameters, lr=rate)
    for step in range(500):
        rate.fill_(0.01 * min(1.0, (500 - step) / 250))
        batch = x[torch.randperm(len(x), generator=generator)[:64]]
        loss = nll(through(batch, *parameters), batch).sum() / 64
        for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = slope
        optimiser.step()
    return tuple(parameter.detach() for parameter in parameters)
