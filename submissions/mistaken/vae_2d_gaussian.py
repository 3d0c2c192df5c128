"""VAE for 2-D Gaussian data."""

import math

import torch
import torch.nn as nn


def sample(mu, log_sigma, eps):
    return mu + log_sigma.exp() * eps


def elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma):
    rec = 0.5 * ((x - x_mean) / x_log_sigma.exp()) ** 2 + x_log_sigma + 0.5 * math.log(2 * math.pi)
    kl = 0.5 * (log_sigma.exp() ** 2 + mu**2 - 1 - 2 * log_sigma)
    return rec.sum(1), kl.mean(1)


def loss(x, mu, log_sigma, x_mean, x_log_sigma):
    rec, kl = elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma)
    return (rec + kl).mean()


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(2, 32)
        self.mu, self.log_sigma = nn.Linear(32, 2), nn.Linear(32, 2)
        self.first, self.second = nn.Linear(2, 32), nn.Linear(32, 32)
        self.x_mean, self.x_log_sigma = nn.Linear(32, 2), nn.Linear(32, 2)
        self.double()

    def fit(self, x, generator):
        opt = torch.optim.Adam(self.parameters(), lr=0.01)
        sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda i: min(1.0, (800 - i) / 400))
        for _ in range(800):
            xb = x[torch.randint(len(x), (128,), generator=generator)]
            mu, log_sigma = self.encode(xb)
            eps = torch.randn(128, 2, dtype=torch.float64, generator=generator)
            l = loss(xb, mu, log_sigma, *self.decode(sample(mu, log_sigma, eps)))
            opt.zero_grad()
            l.backward()
            opt.step()
            sched.step()
        return l.item()

    def encode(self, x):
        h = torch.tanh(self.hidden(x))
        return self.mu(h), self.log_sigma(h)

    def decode(self, z):
        h = torch.tanh(self.second(torch.tanh(self.first(z))))
        return self.x_mean(h), self.x_log_sigma(h)
