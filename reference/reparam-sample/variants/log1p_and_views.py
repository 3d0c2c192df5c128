"""Other orders: samples as columns of one matrix, log1p of the exponential, sums of products."""

import torch


def rsample(mu, log_sigma, eps):
    m, b, k = eps.shape
    flat = eps.reshape(m, b * k) * torch.exp(log_sigma).reshape(1, b * k)
    return (flat + mu.reshape(1, b * k)).reshape(m, b, k)


def backward_rule(zbar, eps, log_sigma):
    mu_bar, sigma_bar = torch.zeros_like(log_sigma), torch.zeros_like(log_sigma)
    for gradient, noise in zip(zbar, eps, strict=True):
        mu_bar = mu_bar + gradient
        sigma_bar = torch.addcmul(sigma_bar, gradient, noise)
    return mu_bar, sigma_bar, sigma_bar * torch.exp(log_sigma)


def sigma_exp(raw):
    return 1 / torch.exp(-raw)


def sigma_softplus(raw):
    return torch.log1p(torch.exp(raw))


def sample(mu, log_sigma, m, generator):
    rows = [torch.randn(mu.shape, generator=generator, dtype=torch.float64) for _ in range(m)]
    return rsample(mu, log_sigma, torch.stack(rows))
