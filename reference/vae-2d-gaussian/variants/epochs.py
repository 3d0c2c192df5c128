"""Shuffled epochs instead of drawn batches, all noise in advance; trains in single precision."""

import math

import torch
from torch import nn

STEPS, BATCH = 800, 128


def sample(mu, log_sigma, eps):
    return torch.exp(log_sigma) * eps + mu


def elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma):
    precision = torch.exp(-2 * x_log_sigma)
    constant = x.shape[1] * math.log(2 * math.pi)
    squares = (precision * (x - x_mean).square()).sum(1)
    rec = (squares + constant) / 2 + x_log_sigma.sum(1)
    kl = ((2 * log_sigma).exp() + mu.square()).sum(1) / 2 - log_sigma.sum(1) - mu.shape[1] / 2
    return rec, kl


def loss(x, mu, log_sigma, x_mean, x_log_sigma):
    rec, kl = elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma)
    return rec.mean() + kl.mean()


LAYERS = {
    "hidden": (2, 32),
    "mu": (32, 2),
    "log_sigma": (32, 2),
    "first": (2, 32),
    "second": (32, 32),
    "x_mean": (32, 2),
    "x_log_sigma": (32, 2),
}


class VAE(nn.ModuleDict):
    def __init__(self):
        super().__init__({name: nn.Linear(*sizes) for name, sizes in LAYERS.items()})
        self.double()

    def fit(self, x, generator):
        self.float()
        x = x.float()
        batches = len(x) // BATCH
        epochs = -(-STEPS // batches)
        order = [torch.randperm(len(x), generator=generator) for _ in range(epochs)]
        rows = torch.cat([one[: batches * BATCH] for one in order]).view(-1, BATCH)
        noise = torch.randn(STEPS, BATCH, 2, generator=generator)
        optimiser = torch.optim.Adam(self.parameters())
        for step in range(STEPS):
            for group in optimiser.param_groups:
                group["lr"] = 0.01 if step < 400 else 0.01 * (1 - (step - 400) / 400)
            batch = x[rows[step]]
            mu, log_sigma = self.encode(batch)
            out = self.decode(sample(mu, log_sigma, noise[step]))
            total = loss(batch, mu, log_sigma, *out)
            optimiser.zero_grad(set_to_none=True)
            total.backward()
            optimiser.step()
        self.double()
        return total.item()

    def encode(self, x):
        h = self["hidden"](x).tanh()
        return self["mu"](h), self["log_sigma"](h)

    def decode(self, z):
        h = self["second"](self["first"](z).tanh()).tanh()
        return self["x_mean"](h), self["x_log_sigma"](h)
