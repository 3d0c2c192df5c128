"""Pixels by logsigmoid; batches go on from epoch to epoch; gradients by torch.autograd.grad."""

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
        parameters = list(self.parameters())
        optimiser = torch.optim.Adam(parameters, lr=0.003, foreach=True)
        rows = torch.empty(0, dtype=torch.long)
        for step in range(1200):
            for group in optimiser.param_groups:
                group["lr"] = 0.003 if step < 600 else 0.003 * (1200 - step) / 600
            if len(rows) < 64:  # what is left of an epoch goes first into the next one
                rows = torch.cat([rows, torch.randperm(len(x), generator=generator)])
            batch, rows = x[rows[:64]], rows[64:]
            eps = torch.empty(64, 8, dtype=x.dtype).normal_(generator=generator)
            rec, kl = self.terms(batch, eps)
            loss = (rec.sum() + kl.sum()) / 64
            gradients = torch.autograd.grad(loss, parameters)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
            optimiser.step()
        return loss.item()
