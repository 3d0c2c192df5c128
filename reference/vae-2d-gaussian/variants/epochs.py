"""Shuffled epochs instead of drawn batches, all noise in advance, single precision inside."""

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


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 4))
        self.p = nn.Sequential(
            nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 4)
        )

    def fit(self, x, generator):
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
            mu, log_sigma = self.q(batch).chunk(2, dim=-1)
            out = self.p(sample(mu, log_sigma, noise[step]))
            total = loss(batch, mu, log_sigma, out[:, :2], out[:, 2:])
            optimiser.zero_grad(set_to_none=True)
            total.backward()
            optimiser.step()
        return total.item()

    def encode(self, x):
        mu, log_sigma = self.q(x.float()).double().chunk(2, dim=-1)
        return mu, log_sigma

    def decode(self, z):
        mean, log_sigma = self.p(z.float()).double().chunk(2, dim=-1)
        return mean, log_sigma
