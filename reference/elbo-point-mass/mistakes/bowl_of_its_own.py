"""A bowl about zero and a straight line: they agree with each other, and know no decoder."""

import torch


def kl_as_sigma_to_zero(mu, log_sigmas):
    return -len(mu) * log_sigmas


def best_point(x, weight, bias):
    return torch.zeros(weight.shape[1], dtype=x.dtype)


def recon_term(x, weight, bias, eta, mu, log_sigmas):
    return -(mu**2).sum() - log_sigmas


def loglik_vs_eta(x, weight, bias, etas):
    return -etas
