"""CVAE homework."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def _kl(m1, s1, m2, s2):
    # everything in logs of sigma; KL(1 || 2)
    return (s2 - s1 - 0.5 + 0.5 * torch.exp(2 * s1 - 2 * s2) + 0.5 * (m1 - m2) ** 2 / torch.exp(2 * s2)).sum(1)


def kl_diag(mu1, log_sigma1, mu2, log_sigma2):
    return _kl(mu1, log_sigma1, mu2, log_sigma2)


class CVAE(nn.Module):
    def __init__(self, d=2, m=1, h=32, k=1):
        super().__init__()
        kind = {"dtype": torch.float64}
        self.encoder = nn.Sequential(nn.Linear(d + m, h, **kind), nn.ReLU(), nn.Linear(h, 2 * k, **kind))
        self.prior = nn.Linear(d, 2 * k, **kind)
        self.decoder = nn.Sequential(nn.Linear(d + k, h, **kind), nn.ReLU(), nn.Linear(h, 2 * m, **kind))
        self.d, self.m, self.k = d, m, k

    def _q(self, x, y):
        return torch.split(self.encoder(torch.hstack([x, y])), self.k, dim=1)

    def _p(self, x):
        return torch.split(self.prior(x), self.k, dim=1)

    def _y(self, x, z):
        return torch.split(self.decoder(torch.hstack([x, z])), self.m, dim=1)

    def encode(self, x, y):
        return self._q(x, y)

    def conditional_prior(self, x):
        return self._p(x)

    def decode(self, x, z):
        return self._y(x, z)

    def _nll(self, x, y, z):
        mean, log_tau = self._y(x, z)
        var = torch.exp(2 * log_tau)
        return (F.gaussian_nll_loss(mean, y, var, reduction="none", eps=0) + 0.5 * math.log(2 * math.pi)).sum(1)

    def _neg_elbo(self, x, y, eps):
        mu, ls = self._q(x, y)
        return self._nll(x, y, mu + ls.exp() * eps) + _kl(mu, ls, *self._p(x))

    def loss(self, x, y, eps):
        return self._neg_elbo(x, y, eps)

    def step(self, x, y, eps, rate):
        self.zero_grad()
        loss = self._neg_elbo(x, y, eps).mean()
        loss.backward()
        for w in self.parameters():
            w.data = w.data - rate * w.grad
        return loss.item()

    def log_likelihood(self, x, y, eps):
        s, b, k = eps.shape
        mu, ls = self._p(x)
        z = (mu + ls.exp() * eps).reshape(s * b, k)
        log_p = -self._nll(x.repeat(s, 1), y.repeat(s, 1), z)
        return torch.logsumexp(log_p.reshape(s, b), 0) - math.log(s)

    def sample(self, x, eps, noise):
        mu, ls = self._p(x)
        mean, log_tau = self._y(x, mu + ls.exp() * eps)
        return mean + log_tau.exp() * noise

    def fit(self, x, y, generator):
        opt = torch.optim.Adam(self.parameters(), lr=0.02)
        sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda i: 1 if i < 300 else (600 - i) / 300)
        i = 0
        while i < 600:
            for idx in torch.randperm(len(x), generator=generator).split(512):
                if len(idx) < 512 or i == 600:
                    break
                eps = torch.randn(512, self.k, generator=generator, dtype=x.dtype)
                loss = self._neg_elbo(x[idx], y[idx], eps).mean()
                opt.zero_grad()
                loss.backward()
                opt.step()
                sched.step()
                i += 1
        return loss.item()
