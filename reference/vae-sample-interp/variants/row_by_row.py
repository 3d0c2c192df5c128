"""One row at a time; the noise of codes and outputs is drawn in one go or row by row."""

import math

import torch


def _each(decode, codes):
    return torch.cat([decode(z.unsqueeze(0)) for z in codes])


def two_rows(decode, mu, log_sigma, eta, eps, noise):
    spread = math.sqrt(eta) * noise
    z = torch.addcmul(mu, torch.exp(log_sigma), eps)
    return _each(decode, z).add(spread), _each(decode, eps).add(spread)


def generate_bits(decode, eps, u):
    odds = torch.exp(-_each(decode, eps))
    return torch.lt(u, 1 / (1 + odds)).double()


def interpolate(decode, z1, z2, lams):
    return _each(decode, [torch.lerp(z2, z1, lam) for lam in lams])


def aggregate_moments(mu, log_sigma):
    first, second = torch.zeros_like(mu[0]), torch.zeros_like(mu[0])
    for mean, log_sd in zip(mu, log_sigma, strict=True):
        first = first + mean
        second = second + (mean.square() + log_sd.exp().square())
    return first / len(mu), second / len(mu)


def sample(decode, eta, k, n, generator):
    codes = [torch.randn(1, k, generator=generator, dtype=torch.float64) for _ in range(n)]
    x_mean = decode(torch.cat(codes))
    noise = torch.empty_like(x_mean).normal_(generator=generator)
    return x_mean + noise * math.sqrt(eta)
