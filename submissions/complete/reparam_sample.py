import math

import torch


def rsample(mu, log_sigma, eps):
    std = torch.exp(log_sigma).unsqueeze(0)
    return eps.mul(std).add(mu.unsqueeze(0))


def backward_rule(zbar, eps, log_sigma):
    mu_bar = torch.zeros_like(log_sigma)
    sigma_bar = torch.zeros_like(log_sigma)
    for z_i, eps_i in zip(zbar, eps):
        mu_bar += z_i
        sigma_bar += z_i * eps_i
    # d sigma / d log sigma = sigma
    return mu_bar, sigma_bar, sigma_bar * torch.exp(log_sigma)


def sigma_exp(raw):
    return torch.exp(raw)


def sigma_softplus(raw):
    # softplus(x) = -log(sigmoid(-x))
    return -torch.nn.functional.logsigmoid(-raw)


def _standard_normal(shape, generator):
    """Box-Muller, because I wanted to try it."""
    u = 1 - torch.rand(2, *shape, generator=generator, dtype=torch.float64)
    return torch.sqrt(-2 * torch.log(u[0])) * torch.cos(2 * math.pi * u[1])


def sample(mu, log_sigma, m, generator):
    noise = _standard_normal((m, *mu.shape), generator)
    return rsample(mu, log_sigma, noise)
