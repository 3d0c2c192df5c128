"""Library distributions; Adam's rate from a scheduler; global noise."""

import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.optim.lr_scheduler import LambdaLR


def _normal(mean, log_sd):
    return Normal(mean, log_sd.exp(), validate_args=False)


def sample(mu, log_sigma, eps):
    return torch.addcmul(mu, log_sigma.exp(), eps)


def elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma):
    prior = Normal(torch.zeros_like(mu), 1.0, validate_args=False)
    kl = kl_divergence(_normal(mu, log_sigma), prior).sum(-1)
    return -_normal(x_mean, x_log_sigma).log_prob(x).sum(-1), kl


def loss(x, mu, log_sigma, x_mean, x_log_sigma):
    return torch.stack(elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma)).sum(0).mean()


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(2, 32)
        self.mu, self.log_sigma = nn.Linear(32, 2), nn.Linear(32, 2)
        self.first, self.second = nn.Linear(2, 32), nn.Linear(32, 32)
        self.x_mean, self.x_log_sigma = nn.Linear(32, 2), nn.Linear(32, 2)
        self.to(torch.float64)

    def fit(self, x, generator):
        adam = torch.optim.Adam(self.parameters(), lr=0.01)
        rate = LambdaLR(adam, lambda step: 1.0 if step < 400 else (800 - step) / 400)
        for _ in range(800):
            adam.zero_grad()
            batch = x[torch.randint(len(x), (128,), generator=generator)]
            mu, log_sigma = self.encode(batch)
            z = _normal(mu, log_sigma).rsample()
            value = loss(batch, mu, log_sigma, *self.decode(z))
            value.backward()
            adam.step()
            rate.step()
        return value.item()

    def encode(self, x):
        h = torch.tanh(self.hidden(x))
        return self.mu(h), self.log_sigma(h)

    def decode(self, z):
        h = torch.tanh(self.second(torch.tanh(self.first(z))))
        return self.x_mean(h), self.x_log_sigma(h)
