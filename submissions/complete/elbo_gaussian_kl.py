import math

import torch

LOG_2PI_E = 1.0 + math.log(2.0 * math.pi)


def gaussian_entropy(log_sigma):
    per_dimension = log_sigma + LOG_2PI_E / 2
    return torch.einsum("bk->b", per_dimension)


def kl_std_normal(mu, log_sigma):
    # E_q[log q] - E_q[log p], each in closed form; the 2π terms cancel
    negative_entropy = -(log_sigma + 0.5)
    cross_entropy = (mu.square() + torch.exp(log_sigma).square()) / 2
    return torch.sum(negative_entropy + cross_entropy, dim=-1)


def kl_diag(mu1, log_sigma1, mu2, log_sigma2):
    precision2 = torch.exp(-2 * log_sigma2)
    quadratic = precision2 * (torch.exp(2 * log_sigma1) + (mu1 - mu2).square())
    return torch.sum((quadratic - 1) / 2 + log_sigma2 - log_sigma1, dim=-1)
