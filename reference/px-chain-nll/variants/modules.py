"""Layers as modules whose mask comes from the raster positions of the taps."""

import torch
from torch import nn
from torch.distributions import Bernoulli


class Masked(nn.Module):
    def __init__(self, weight, bias, include_centre):
        super().__init__()
        size = weight.shape[-1]
        position = torch.arange(size * size).reshape(size, size)
        centre = size * size // 2
        keep = position <= centre if include_centre else position < centre
        self.weight = torch.where(keep, weight, torch.zeros_like(weight))
        self.bias = bias

    def forward(self, x):
        return nn.functional.conv2d(x, self.weight, self.bias, padding="same")


def _model(w1, b1, w2, b2, w3, b3):
    return nn.Sequential(
        Masked(w1, b1, include_centre=False),
        nn.ReLU(),
        Masked(w2, b2, include_centre=True),
        nn.ReLU(),
        Masked(w3, b3, include_centre=True),
    )


def logits(x, w1, b1, w2, b2, w3, b3):
    return _model(w1, b1, w2, b2, w3, b3)(x)


def log_prob(x, w1, b1, w2, b2, w3, b3):
    law = Bernoulli(logits=logits(x, w1, b1, w2, b2, w3, b3))
    return law.log_prob(x).flatten(start_dim=1).sum(dim=1)


def next_pixel(x_prefix, index, w1, b1, w2, b2, w3, b3):
    law = Bernoulli(logits=logits(x_prefix, w1, b1, w2, b2, w3, b3))
    return law.probs.flatten(start_dim=1)[:, index]


def bits_per_dim(nll_nats, channels, height, width):
    bits = nll_nats / torch.log(torch.tensor(2.0, dtype=nll_nats.dtype))
    return bits / (channels * height * width)
