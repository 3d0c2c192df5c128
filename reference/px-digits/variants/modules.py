"""Layers as modules with the mask in a buffer, run on given parameters by functional_call;
Bernoulli of the library; shuffled epochs from a loader, the rate from a scheduler."""

import math

import torch
from torch import nn
from torch.distributions import Bernoulli
from torch.func import functional_call
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, RandomSampler


class Masked(nn.Conv2d):
    def __init__(self, first, inputs, outputs, k):
        super().__init__(inputs, outputs, k, padding="same")
        flat = torch.arange(k * k)
        earlier = flat < k * k // 2 if first else flat <= k * k // 2
        self.register_buffer("mask", earlier.view(k, k).float(), persistent=False)

    def forward(self, x):
        return self._conv_forward(x, self.weight * self.mask.to(x.dtype), self.bias)


class PixelCNN(nn.Sequential):
    def __init__(self, channels):
        super().__init__(
            Masked(True, 1, channels, 7), nn.ReLU(),
            Masked(False, channels, channels, 3), nn.ReLU(),
            Masked(False, channels, channels, 3), nn.ReLU(),
            Masked(False, channels, 1, 1),
        )

    def forward(self, x):
        return super().forward((2 * x - 1).unsqueeze(1)).squeeze(1)


NAMES = [f"{place}.{part}" for place in (0, 2, 4, 6) for part in ("weight", "bias")]


def logits(x, w1, b1, w2, b2, w3, b3, w4, b4):
    given = dict(zip(NAMES, (w1, b1, w2, b2, w3, b3, w4, b4), strict=True))
    return functional_call(PixelCNN(len(b1)), given, (x,))


def nll(logits, x):
    return -Bernoulli(logits=logits).log_prob(x).sum(dim=-1).sum(dim=-1)


def bits_per_dim(nats, d):
    return nats * math.log2(math.e) / d


def nats_per_image(bits, d):
    return d * bits / math.log2(math.e)


def bounds(log_w):
    samples = torch.tensor(float(log_w.shape[0]), dtype=log_w.dtype)
    return (-log_w).mean(0), samples.log() - log_w.logsumexp(0)


def compare(nats, log_w, d):
    _, vae = bounds(log_w)
    gap = bits_per_dim(vae - nats, d)
    return gap.mean(), gap.var().sqrt() / len(gap) ** 0.5


def fit(x, generator):
    model = PixelCNN(16)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = LambdaLR(optimizer, lambda step: min(1.0, 2 - step / 250))
    step = 0
    while step < 500:
        sampler = RandomSampler(x, generator=generator)
        for batch in DataLoader(x, batch_size=64, sampler=sampler, drop_last=True):
            if step == 500:
                break
            optimizer.zero_grad()
            loss = nll(model(batch), batch).mean()
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
    state = model.state_dict()
    return tuple(state[name] for name in NAMES)
