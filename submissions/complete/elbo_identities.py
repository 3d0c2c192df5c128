import math

import torch

LOG_TAU = math.log(2 * math.pi)


def log_normal(value, mean, variance):
    return -0.5 * ((value - mean) ** 2 / variance + torch.log(variance) + LOG_TAU)


def log_marginal_mixture(x, log_pi, mu, log_sigma):
    logs = log_normal(x.unsqueeze(1), mu, torch.exp(2 * log_sigma)).sum(-1) + log_pi
    top = logs.max(dim=1, keepdim=True).values
    return top.squeeze(1) + torch.log(torch.exp(logs - top).sum(1))


def log_marginal(x, weight, bias, eta):
    # along the eigenvectors of the covariance the dimensions are independent
    variance, axes = torch.linalg.eigh(weight @ weight.T)
    zero = torch.zeros_like(bias)
    return log_normal((x - bias) @ axes, zero, variance + eta).sum(1)


def reconstruction(x, mu, log_sigma, weight, bias, eta):
    # E f(z) of a quadratic f: f at the mean plus half its second derivatives times the variances
    at_mean = log_normal(x, mu @ weight.T + bias, eta).sum(1)
    return at_mean - 0.5 * torch.exp(2 * log_sigma) @ weight.square().sum(0) / eta


def kl_prior(mu, log_sigma):
    return (
        0.5 * torch.sum(torch.exp(2 * log_sigma) + mu * mu, 1)
        - 0.5 * mu.shape[1]
        - log_sigma.sum(1)
    )


def kl_posterior(x, mu, log_sigma, weight, bias, eta):
    k = mu.shape[1]
    variance, axes = torch.linalg.eigh(weight.T @ weight)
    precision = 1 + variance / eta
    mean = (x - bias) @ weight @ axes / eta / precision  # in the basis of the axes
    spread = torch.exp(2 * log_sigma) @ axes.square()
    shift = (mu @ axes - mean).square()
    return 0.5 * (
        ((spread + shift) * precision).sum(1) - k - precision.log().sum() - 2 * log_sigma.sum(1)
    )


def expected_log_joint(x, mu, log_sigma, weight, bias, eta):
    one = torch.ones_like(mu)
    log_prior = log_normal(mu, 0 * one, one).sum(1) - 0.5 * torch.exp(2 * log_sigma).sum(1)
    return log_prior + reconstruction(x, mu, log_sigma, weight, bias, eta)


def entropy(log_sigma):
    return log_sigma.sum(1) + log_sigma.shape[1] * (1 + LOG_TAU) / 2


def log_weight(x, mu, log_sigma, weight, bias, eta, eps):
    variance = torch.exp(2 * log_sigma)
    z = mu + variance.sqrt() * eps
    one = torch.ones_like(mu)
    joint = log_normal(x, z @ weight.T + bias, eta).sum(-1) + log_normal(z, 0 * one, one).sum(-1)
    return joint - log_normal(z, mu, variance).sum(-1)
