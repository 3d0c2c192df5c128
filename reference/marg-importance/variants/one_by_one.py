"""Sample by sample and column by column, with running sums of logarithms."""

import math

import torch


def jensen_gap(w, p):
    gaps = []
    for column in w.unbind(1):
        mean = torch.dot(p, column)
        gaps.append(-torch.dot(p, torch.log(column / mean)))
    return torch.stack(gaps)


def _log_normal(value, mean, variance):
    return (-((value - mean) ** 2) / (2 * variance) - 0.5 * torch.log(2 * math.pi * variance)).sum(
        -1
    )


def log_weights(x, mu, log_sigma, weight, bias, eta, eps):
    sigma = torch.exp(log_sigma)
    found = []
    for noise in eps:
        z = mu + sigma * noise
        joint = _log_normal(x, torch.einsum("dk,bk->bd", weight, z) + bias, eta)
        joint = joint + _log_normal(z, torch.zeros_like(z), torch.ones_like(z))
        found.append(joint - _log_normal(z, mu, sigma**2))
    return torch.stack(found)


def log_px_is(log_w):
    total = log_w[0]
    for more in log_w[1:]:
        total = torch.logaddexp(total, more)
    return total - math.log(len(log_w))


def iw_bound(log_w, n):
    starts = range(0, len(log_w), n)
    return sum(log_px_is(log_w[start : start + n]) for start in starts) / len(starts)


def rel_var(log_w):
    ratio = torch.exp(log_w - log_px_is(log_w))  # weights whose mean is one
    return ratio.var(dim=0, unbiased=False)


def estimate(x, mu, log_sigma, weight, bias, eta, n, generator):
    total = torch.full_like(x[:, 0], -math.inf)
    for _ in range(n):
        eps = torch.randn((1, *mu.shape), generator=generator, dtype=mu.dtype)
        log_w = log_weights(x, mu, log_sigma, weight, bias, eta, eps)
        total = torch.logaddexp(total, log_w[0])
    return total - math.log(n)
