"""Noise by the inverse of the normal distribution function, the variance in place of ln σ,
and the backward rule left to autograd."""

import torch
import torch.nn.functional as F


def rsample(mu, log_sigma, eps):
    variance = torch.exp(2 * log_sigma)
    return torch.addcmul(mu, variance.sqrt(), eps)


def backward_rule(zbar, eps, log_sigma):
    with torch.enable_grad():
        mu = torch.zeros_like(log_sigma, requires_grad=True)
        rho = log_sigma.detach().clone().requires_grad_()
        sigma = rho.exp()
        return torch.autograd.grad(mu + sigma * eps, (mu, sigma, rho), zbar)


def sigma_exp(raw):
    return torch.exp(raw / 2).square()


def sigma_softplus(raw):
    # log σ(x) = -softplus(-x); max(raw, 0) + log1p(e^-|raw|) has the slope 1 at raw = 0, not 1/2
    return -F.logsigmoid(-raw)


def sample(mu, log_sigma, m, generator):
    b, k = mu.shape
    uniform = torch.rand(k, b, m, generator=generator, dtype=mu.dtype)
    noise = torch.special.ndtri(uniform.clamp(min=2**-54)).permute(2, 1, 0)
    return rsample(mu, log_sigma, noise)
