"""One general formula, reduced in another order; the special cases call it."""

import math

import torch


def kl_diag(mu1, log_sigma1, mu2, log_sigma2):
    log_ratio = log_sigma1 - log_sigma2
    shift = (mu1 - mu2) * torch.exp(-log_sigma2)
    terms = torch.stack([torch.exp(log_ratio).square(), shift.square(), -2 * log_ratio - 1])
    return terms.sum(dim=(0, 2)) / 2


def kl_std_normal(mu, log_sigma):
    return kl_diag(mu, log_sigma, torch.zeros_like(mu), torch.zeros_like(log_sigma))


def gaussian_entropy(log_sigma):
    return torch.log(torch.exp(log_sigma) * math.sqrt(2 * math.pi * math.e)).sum(-1)
