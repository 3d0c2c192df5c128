"""Samples, walks and moments of a VAE; written from the statement."""

import torch


def add_noise(mean, eta, noise):
    return torch.addcmul(mean, noise, torch.sqrt(eta))


def two_rows(decode, mu, log_sigma, eta, eps, noise):
    codes = torch.cat([eps * log_sigma.exp() + mu, eps])
    means = decode(codes)
    reconstructed, generated = means.split(len(eps))
    return add_noise(reconstructed, eta, noise), add_noise(generated, eta, noise)


def generate_bits(decode, eps, u):
    p = torch.special.expit(decode(eps))
    return torch.heaviside(p - u, torch.zeros_like(p))


def interpolate(decode, z1, z2, lams):
    weights = torch.stack([lams, 1 - lams], dim=1)
    return decode(weights @ torch.stack([z1, z2]))


def aggregate_moments(mu, log_sigma):
    second = torch.hypot(mu, log_sigma.exp()) ** 2
    return torch.mean(mu, 0), torch.mean(second, 0)


def sample(decode, eta, k, n, generator):
    z = torch.empty(n, k, dtype=torch.float64).normal_(generator=generator)
    mean = decode(z)
    noise = torch.empty(mean.shape, dtype=torch.float64).normal_(generator=generator)
    return add_noise(mean, eta, noise)
