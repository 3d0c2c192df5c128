"""Double precision throughout; a mask in the state, channels and all; Bernoulli of the library;
batches from a sampler, the rate from a scheduler."""

import torch
from torch import nn
from torch.distributions import Bernoulli
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, RandomSampler, TensorDataset


def _safe(log_p, *others):
    """The logarithms with 0 in the place of those that have no weight."""
    support = torch.isfinite(log_p)
    return support, [torch.where(support, log, 0.0) for log in (log_p, *others)]


def entropy(log_p):
    support, (log_p,) = _safe(log_p)
    return (support * torch.exp(log_p) * -log_p).sum(dim=-1)


def divergence(log_p, log_q):
    support, (log_p, log_q) = _safe(log_p, log_q)
    ratio = log_p - log_q
    return torch.where(support, torch.exp(log_p) * ratio, 0.0).sum(dim=-1)


def _log_prob(logits, x):
    return Bernoulli(logits=logits).log_prob(x).sum(dim=(-2, -1))


def nll(logits, x):
    return torch.mean(-_log_prob(logits, x))


class Layer(nn.Conv2d):
    def __init__(self, first, c_in, c_out, k):
        super().__init__(c_in, c_out, k, padding="same", dtype=torch.float64)
        mask = torch.ones_like(self.weight)
        mask[:, :, k // 2, k // 2 + (0 if first else 1) :] = 0
        mask[:, :, k // 2 + 1 :] = 0
        self.register_buffer("mask", mask)

    def forward(self, x):
        return self._conv_forward(x, self.mask * self.weight, self.bias)


class PixelCNN(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [(1, 16, 7), (16, 16, 3), (16, 16, 3), (16, 1, 1)]
        self.layers = nn.ModuleList([Layer(n == 0, *size) for n, size in enumerate(sizes)])

    def forward(self, x):
        h = (x * 2 - 1)[:, None, :, :]
        for layer in self.layers[:-1]:
            h = torch.relu(layer(h))
        return self.layers[-1](h)[:, 0, :, :]

    def log_prob(self, x):
        return _log_prob(self.forward(x), x)

    def fit(self, x, generator):
        data = TensorDataset(x)
        sampler = RandomSampler(data, replacement=True, num_samples=500 * 128, generator=generator)
        optimizer = torch.optim.Adam(self.parameters(), lr=0.005)
        schedule = LambdaLR(optimizer, lambda step: min(1.0, 2 - step / 250))
        picks = torch.tensor(list(sampler)).view(500, 128)
        for rows in DataLoader(picks, batch_size=None):
            optimizer.zero_grad()
            loss = nll(self(x[rows]), x[rows])
            loss.backward()
            optimizer.step()
            schedule.step()
        return loss.item()
