"""Samples, walks and moments of a VAE."""

import torch


def two_rows(decode, mu, log_sigma, eta, eps, noise):
    z = mu + log_sigma.exp() * eps
    x = decode(z) + eta.sqrt() * noise
    return x, x.clone()  # both rows from q


def generate_bits(decode, eps, u):
    return (u < torch.sigmoid(decode(eps))).double()


def interpolate(decode, z1, z2, lams):
    lam = lams.unsqueeze(1)
    return decode((1 - lam) * z1 + lam * z2)  # from z1 to z2


def aggregate_moments(mu, log_sigma):
    return mu.mean(0), (mu**2 + torch.exp(log_sigma) ** 2).mean(0)


def sample(decode, eta, k, n, generator):
    z = torch.randn(n, k, generator=generator, dtype=torch.float64)
    return decode(z)  # the mean
