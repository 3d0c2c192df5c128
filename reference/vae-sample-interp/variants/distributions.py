"""With torch.distributions for the laws, and statistics by second moments."""

import torch
from torch.distributions import Normal


def two_rows(decode, mu, log_sigma, eta, eps, noise):
    q = Normal(mu, log_sigma.exp())
    codes = torch.stack([q.loc + eps * q.scale, eps])
    x = torch.stack([decode(z) for z in codes]) + noise * eta**0.5
    return x[0], x[1]


def generate_bits(decode, eps, u):
    return torch.where(torch.sigmoid(decode(eps)) > u, 1.0, 0.0).to(torch.float64)


def interpolate(decode, z1, z2, lams):
    return decode(z2 + torch.outer(lams, z1 - z2))


def aggregate_moments(mu, log_sigma):
    m = len(mu)
    second = (mu * mu).sum(dim=0) + (log_sigma.exp() ** 2).sum(dim=0)
    return mu.sum(dim=0) / m, second / m


def sample(decode, eta, k, n, generator):
    zeros = torch.zeros(n, k, dtype=torch.float64)
    x_mean = decode(torch.normal(zeros, torch.ones_like(zeros), generator=generator))
    return torch.normal(x_mean, eta.sqrt().expand_as(x_mean), generator=generator)
