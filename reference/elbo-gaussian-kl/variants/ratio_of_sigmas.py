"""In terms of σ₁/σ₂ and (μ₁ - μ₂)/σ₂: the exponential of a difference, no ratio of exponentials."""

import math

import torch


def kl_diag(mu1, log_sigma1, mu2, log_sigma2):
    spread = torch.exp(2 * (log_sigma1 - log_sigma2))
    shift = (mu1 - mu2) / torch.exp(log_sigma2)
    return (0.5 * (spread + shift**2) - 0.5 + log_sigma2 - log_sigma1).sum(dim=1)


def kl_std_normal(mu, log_sigma):
    return (0.5 * (torch.exp(log_sigma) ** 2 + mu**2) - 0.5 - log_sigma).sum(dim=1)


def gaussian_entropy(log_sigma):
    return (0.5 * math.log(2 * math.pi) + 0.5 + log_sigma).sum(dim=1)
