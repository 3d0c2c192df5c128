"""PixelCNN for the Ising images."""

import torch
import torch.nn.functional as F
from torch import nn


def entropy(log_p):
    p = log_p.exp()
    return -torch.where(p > 0, p * log_p, torch.zeros_like(p)).sum(1)


def divergence(log_p, log_q):
    p = log_p.exp()
    return torch.where(p > 0, p * (log_p - log_q), torch.zeros_like(p)).sum(1)


def nll(logits, x):
    return F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / x.shape[0]


class MaskA(nn.Conv2d):
    """Nothing at or behind the centre."""

    def __init__(self, c_in, c_out, k):
        super().__init__(c_in, c_out, k, padding=k // 2)
        mask = torch.ones(k, k)
        mask[k // 2, k // 2 :] = 0
        mask[k // 2 + 1 :] = 0
        self.register_buffer("mask", mask)

    def forward(self, x):
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


class PixelCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            [MaskA(1, 16, 7), MaskA(16, 16, 3), MaskA(16, 16, 3), nn.Conv2d(16, 1, 1)]
        ).double()

    def forward(self, x):
        h = 2 * x[:, None] - 1
        for layer in self.layers[:-1]:
            h = torch.relu(layer(h))
        return self.layers[-1](h)[:, 0]

    def log_prob(self, x):
        return -F.binary_cross_entropy_with_logits(self(x), x, reduction="none").sum((1, 2))

    def fit(self, x, generator):
        opt = torch.optim.Adam(self.parameters(), lr=0.005)
        for i in range(500):
            for group in opt.param_groups:
                group["lr"] = 0.005 * min(1, 2 - i / 250)
            batch = x[torch.randint(len(x), (128,), generator=generator)]
            loss = nll(self(batch), batch)
            opt.zero_grad()
            loss.backward()
            opt.step()
        return loss.item()
