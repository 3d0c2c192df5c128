"""Cross-entropy minus entropy; the entropy from torch's multivariate normal."""

import torch
from torch.distributions import MultivariateNormal


def _cross_entropy(mu1, log_sigma1, mu2, log_sigma2):
    """-E of the second log-density under the first Gaussian, without its ln 2π."""
    squares = torch.exp(2 * log_sigma1) + (mu1 - mu2).pow(2)
    return 0.5 * torch.sum(squares / torch.exp(log_sigma2).pow(2), -1) + log_sigma2.sum(-1)


def gaussian_entropy(log_sigma):
    factor = torch.diag_embed(torch.exp(log_sigma))
    return MultivariateNormal(torch.zeros_like(log_sigma), scale_tril=factor).entropy()


def kl_diag(mu1, log_sigma1, mu2, log_sigma2):
    own = log_sigma1.sum(-1) + mu1.shape[-1] / 2
    return _cross_entropy(mu1, log_sigma1, mu2, log_sigma2) - own


def kl_std_normal(mu, log_sigma):
    return -0.5 * torch.sum(1 + 2 * log_sigma - mu**2 - (2 * log_sigma).exp(), 1)
