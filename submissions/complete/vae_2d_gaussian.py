"""VAE on 2-D points: one optimiser for each of the networks."""

import numpy as np
import torch
import torch.nn as nn


def sample(mu, log_sigma, eps):
    return mu + torch.exp(log_sigma) * eps


def gauss_nll(x, m, ls):
    var = torch.exp(ls) ** 2
    return 0.5 * torch.sum(np.log(2 * np.pi) + 2 * ls + (x - m) ** 2 / var, dim=-1)


def elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma):
    rec = gauss_nll(x, x_mean, x_log_sigma)
    logvar = 2 * log_sigma
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=-1)
    return rec, kl


def loss(x, mu, log_sigma, x_mean, x_log_sigma):
    rec, kl = elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma)
    return torch.sum(rec + kl) / x.shape[0]


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        kw = {"dtype": torch.float64}
        # encoder
        self.hidden = nn.Linear(2, 32, **kw)
        self.mu = nn.Linear(32, 2, **kw)
        self.log_sigma = nn.Linear(32, 2, **kw)
        # decoder
        self.first = nn.Linear(2, 32, **kw)
        self.second = nn.Linear(32, 32, **kw)
        self.x_mean = nn.Linear(32, 2, **kw)
        self.x_log_sigma = nn.Linear(32, 2, **kw)

    def fit(self, x, generator):
        enc = [self.hidden, self.mu, self.log_sigma]
        dec = [self.first, self.second, self.x_mean, self.x_log_sigma]
        opts = [
            torch.optim.Adam([p for layer in net for p in layer.parameters()], lr=0.01)
            for net in (enc, dec)
        ]
        for i in range(800):
            # 0.01 for the first half, then down to zero
            lr = 0.01 if i < 400 else 0.01 * (800 - i) / 400
            for opt in opts:
                for g in opt.param_groups:
                    g["lr"] = lr
                opt.zero_grad()
            xb = x[torch.randperm(x.shape[0], generator=generator)[:128]]
            mu, ls = self.encode(xb)
            z = sample(mu, ls, torch.randn(128, 2, dtype=x.dtype, generator=generator))
            L = loss(xb, mu, ls, *self.decode(z))
            L.backward()
            for opt in opts:
                opt.step()
        return L.item()

    def encode(self, x):
        out = self.hidden(x).tanh()
        return self.mu(out), self.log_sigma(out)

    def decode(self, z):
        h = self.second(self.first(z).tanh()).tanh()
        return self.x_mean(h), self.x_log_sigma(h)
