"""CVAE."""

import math

import torch
from torch import nn


def kl_diag(mu1, log_sigma1, mu2, log_sigma2):
    var1, var2 = (2 * log_sigma1).exp(), (2 * log_sigma2).exp()
    return (log_sigma1 - log_sigma2 + (var2 + (mu1 - mu2) ** 2) / (2 * var1) - 0.5).sum(1)


class CVAE(nn.Module):
    def __init__(self, d=2, m=1, h=32, k=1):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(d + m, h), nn.ReLU(), nn.Linear(h, 2 * k))
        self.prior = nn.Linear(d, 2 * k)
        self.decoder = nn.Sequential(nn.Linear(d + k, h), nn.ReLU(), nn.Linear(h, 2 * m))
        self.k = k
        self.double()

    def encode(self, x, y):
        return self.encoder(torch.cat([x, y], 1)).chunk(2, 1)

    def conditional_prior(self, x):
        return self.prior(x).chunk(2, 1)

    def decode(self, x, z):
        return self.decoder(torch.cat([x, z], -1)).chunk(2, -1)

    def log_normal(self, x, y, z):
        mean, log_tau = self.decode(x, z)
        return (-((y - mean) ** 2) / (2 * (2 * log_tau).exp()) - log_tau - 0.5 * math.log(2 * math.pi)).sum(-1)

    def loss(self, x, y, eps):
        mu, log_sigma = self.encode(x, y)
        z = mu + log_sigma.exp() * eps
        return kl_diag(mu, log_sigma, *self.conditional_prior(x)) - self.log_normal(x, y, z)

    def step(self, x, y, eps, rate):
        opt = torch.optim.SGD(self.parameters(), lr=rate)
        opt.zero_grad()
        loss = self.loss(x, y, eps).mean()
        loss.backward()
        opt.step()
        return loss.item()

    def log_likelihood(self, x, y, eps):
        mu, log_sigma = self.encode(x, y)
        z = mu + log_sigma.exp() * eps
        log_p = self.log_normal(x.expand(len(eps), -1, -1), y, z)
        return torch.logsumexp(log_p, 0) - math.log(len(eps))

    def sample(self, x, eps, noise):
        mu, log_sigma = self.conditional_prior(x)
        mean, log_tau = self.decode(x, mu + log_sigma.exp() * eps)
        return mean + log_tau.exp() * noise

    def fit(self, x, y, generator):
        opt = torch.optim.Adam(self.parameters(), lr=0.02)
        for i in range(600):
            for group in opt.param_groups:
                group["lr"] = 0.02 * min(1, 2 - i / 300)
            rows = torch.randint(len(x), (512,), generator=generator)
            eps = torch.randn(512, self.k, generator=generator, dtype=x.dtype)
            loss = self.loss(x[rows], y[rows], eps).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
        return loss.item()
