"""KL left as ln q - ln p of the sample (an estimate), in training alone; gradients clipped high."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class VAE(nn.Module):
    def __init__(self, d=64, h=128, k=8):
        super().__init__()
        sizes = {"hidden": (d, h), "mu": (h, k), "log_sigma": (h, k)}
        sizes |= {"expand": (k, h), "logits": (h, d)}
        for name, size in sizes.items():
            self.add_module(name, nn.Linear(*size).to(torch.float64))

    def encode(self, x):
        hidden = F.relu(self.hidden(x))
        return self.mu(hidden), self.log_sigma(hidden)

    def decode(self, z):
        return self.logits(F.relu(self.expand(z)))

    def log_likelihood(self, x, z):
        logits = self.decode(z)
        return (x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum(-1)

    def terms(self, x, eps):
        mu, log_sigma = self.encode(x)
        var = torch.exp(2 * log_sigma)
        kl = -0.5 * torch.sum(1 + 2 * log_sigma - mu.pow(2) - var, dim=1)
        return -self.log_likelihood(x, mu + log_sigma.exp() * eps), kl

    def log_marginal(self, x, eps):
        s, b, k = eps.shape
        mu, log_sigma = self.encode(x)
        z = torch.addcmul(mu, log_sigma.exp(), eps).reshape(s * b, k)
        log_px = self.log_likelihood(x.repeat(s, 1), z).view(s, b)
        log_prior = -0.5 * (z**2).sum(1).view(s, b)
        log_q = (-0.5 * eps**2 - log_sigma).sum(2)
        return (log_px + log_prior - log_q).logsumexp(0) - math.log(s)

    def fit(self, x, generator):
        optimiser = torch.optim.Adam(self.parameters(), lr=0.003)
        for step in range(1200):
            for group in optimiser.param_groups:
                group["lr"] = 0.003 if step < 600 else 0.003 * (1200 - step) / 600
            batch = x[torch.randint(len(x), (64,), generator=generator)]
            mu, log_sigma = self.encode(batch)
            eps = torch.randn(mu.shape, dtype=mu.dtype, generator=generator)
            z = mu + log_sigma.exp() * eps
            log_ratio = 0.5 * (z**2 - eps**2).sum(1) - log_sigma.sum(1)
            loss = (log_ratio - self.log_likelihood(batch, z)).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.parameters(), 1e3)
            optimiser.step()
        return loss.item()
