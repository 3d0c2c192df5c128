import math

import torch


def gaussian_entropy(log_sigma):
    k = log_sigma.shape[-1]
    return k / 2 * (1 + math.log(2 * math.pi)) + log_sigma.sum(-1)


def kl_std_normal(mu, log_sigma):
    # as in the paper's appendix, with log_sigma read as log(sigma^2)
    return -0.5 * torch.sum(1 + log_sigma - mu**2 - log_sigma.exp(), dim=1)


def kl_diag(mu1, log_sigma1, mu2, log_sigma2):
    q = torch.distributions.Normal(mu1, log_sigma1.exp())
    p = torch.distributions.Normal(mu2, log_sigma2.exp())
    return torch.distributions.kl_divergence(q, p).sum(-1)
