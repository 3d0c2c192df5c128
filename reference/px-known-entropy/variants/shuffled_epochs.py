"""Masks kept out of the state, weights cleared behind them in place; shuffled epochs; a twin in
single precision that is trained in the place of the model."""

import copy

import torch
import torch.nn.functional as F
from torch import nn


def entropy(log_p):
    return cross(log_p, log_p)


def cross(log_p, log_q):
    """-Σ p log q; what p never gives is looked up nowhere."""
    never = torch.isneginf(log_p)
    return -(log_p.exp() * log_q.masked_fill(never, 0.0)).masked_fill(never, 0.0).sum(-1)


def divergence(log_p, log_q):
    never = torch.isneginf(log_p)
    log_p, log_q = log_p.masked_fill(never, 0.0), log_q.masked_fill(never, 0.0)
    return F.kl_div(log_q, log_p, reduction="none", log_target=True).masked_fill(never, 0.0).sum(-1)


def nll(logits, x):
    total = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    return total / len(x)


class Masked(nn.Conv2d):
    def __init__(self, kind, *args, **config):
        super().__init__(*args, **config)
        rows, columns = self.kernel_size
        seen = rows * columns // 2 + (kind == "B")
        flat = torch.arange(rows * columns) < seen
        self.register_buffer("hidden", ~flat.view(rows, columns), persistent=False)

    def forward(self, x):
        with torch.no_grad():
            self.weight.masked_fill_(self.hidden, 0.0)
        return super().forward(x)


class PixelCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            Masked("A", 1, 16, 7, padding=3),
            Masked("B", 16, 16, 3, padding=1),
            Masked("B", 16, 16, 3, padding=1),
            Masked("B", 16, 1, 1),
        )
        self.to(torch.float64)

    def forward(self, x):
        h = self.layers[0](2 * x[:, None] - 1)
        for n in (1, 2, 3):
            h = self.layers[n](F.relu(h))
        return h[:, 0]

    def log_prob(self, x):
        return -F.binary_cross_entropy_with_logits(self(x), x, reduction="none").flatten(1).sum(1)

    def fit(self, x, generator):
        twin, x = copy.deepcopy(self).to(torch.float32), x.to(torch.float32)
        adam = torch.optim.Adam(twin.parameters(), lr=0.005)
        order, at = torch.randperm(len(x), generator=generator), 0
        for step in range(500):
            if step >= 250:
                for group in adam.param_groups:
                    group["lr"] = 0.005 * (500 - step) / 250
            if at + 128 > len(x):
                order, at = torch.randperm(len(x), generator=generator), 0
            batch, at = x[order[at : at + 128]], at + 128
            adam.zero_grad(set_to_none=True)
            value = nll(twin(batch), batch)
            value.backward()
            adam.step()
        self.load_state_dict(twin.state_dict())
        return value.item()
