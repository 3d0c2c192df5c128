"""Densities from torch.distributions; relative variance as M Σ w² / (Σ w)² - 1, in logarithms."""

import math

import torch
from torch.distributions import Independent, Normal


def jensen_gap(w, p):
    log_mean = torch.logsumexp(p.log()[:, None] + w.log(), dim=0)
    return log_mean - (p[:, None] * w.log()).sum(dim=0)


def log_weights(x, mu, log_sigma, weight, bias, eta, eps):
    q = Independent(Normal(mu, log_sigma.exp()), 1)
    prior = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
    z = q.mean + q.stddev * eps
    decoder = Independent(Normal(z @ weight.T + bias, eta.sqrt()), 1)
    return decoder.log_prob(x) + prior.log_prob(z) - q.log_prob(z)


def log_px_is(log_w):
    top = log_w.max(dim=0).values
    return top + (log_w - top).exp().mean(dim=0).log()


def iw_bound(log_w, n):
    return torch.stack([log_px_is(group) for group in log_w.split(n)]).mean(dim=0)


def rel_var(log_w):
    first, second = torch.logsumexp(log_w, 0), torch.logsumexp(2 * log_w, 0)
    return torch.exp(math.log(len(log_w)) + second - 2 * first) - 1


def estimate(x, mu, log_sigma, weight, bias, eta, n, generator):
    eps = torch.empty(n, *mu.shape, dtype=mu.dtype).normal_(generator=generator)
    return iw_bound(log_weights(x, mu, log_sigma, weight, bias, eta, eps), n)
