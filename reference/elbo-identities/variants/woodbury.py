"""The covariance of x never inverted: matrix inversion lemma, Cholesky factor of the precision."""

import math

import torch
from torch.nn import functional


def _log_normal(value, mean, variance):
    mean, variance = torch.broadcast_tensors(mean, variance)
    value = value.expand_as(mean)
    nll = functional.gaussian_nll_loss(mean, value, variance, full=True, eps=0, reduction="none")
    return -nll.sum(-1)


def _factor(weight, eta):
    """L with L Lᵀ = I + WᵀW / η."""
    return torch.linalg.cholesky(torch.eye(weight.shape[1]).to(weight) + weight.T @ weight / eta)


def _mean(residual, weight, eta):
    return torch.cholesky_solve((residual @ weight / eta).T, _factor(weight, eta)).T


def log_marginal_mixture(x, log_pi, mu, log_sigma):
    precision = torch.exp(-log_sigma)
    white = torch.einsum("bcd,cd->bcd", x[:, None] - mu, precision)
    log_joint = log_pi - 0.5 * white.square().sum(-1) - log_sigma.sum(-1)
    return log_joint.logsumexp(-1) - x.shape[1] / 2 * math.log(math.tau)


def log_marginal(x, weight, bias, eta):
    residual = x - bias
    mean = _mean(residual, weight, eta)
    rest = residual - mean @ weight.T
    quadratic = rest.square().sum(1) / eta + mean.square().sum(1)
    log_det = 2 * _factor(weight, eta).diagonal().log().sum() + x.shape[1] * torch.log(eta)
    return -0.5 * (quadratic + log_det + x.shape[1] * math.log(math.tau))


def reconstruction(x, mu, log_sigma, weight, bias, eta):
    at_mean = _log_normal(x, functional.linear(mu, weight, bias), eta)
    gain = weight.square().sum(0)
    return at_mean - torch.mv(torch.exp(2 * log_sigma), gain) / (2 * eta)


def kl_prior(mu, log_sigma):
    return -0.5 * torch.sum(1 + 2 * log_sigma - mu.pow(2) - (2 * log_sigma).exp(), dim=1)


def kl_posterior(x, mu, log_sigma, weight, bias, eta):
    factor = _factor(weight, eta)
    shift = (mu - _mean(x - bias, weight, eta)) @ factor
    spread = torch.exp(log_sigma)[:, :, None] * factor
    squares = shift.square().sum(1) + spread.square().sum((1, 2))
    return 0.5 * (squares - mu.shape[1]) - factor.diagonal().log().sum() - log_sigma.sum(1)


def expected_log_joint(x, mu, log_sigma, weight, bias, eta):
    moment = mu.square() + torch.exp(log_sigma).square()
    log_prior = -0.5 * moment.sum(1) - mu.shape[1] / 2 * math.log(math.tau)
    return reconstruction(x, mu, log_sigma, weight, bias, eta) + log_prior


def entropy(log_sigma):
    return (log_sigma + 0.5 * math.log(math.tau * math.e)).sum(-1)


def log_weight(x, mu, log_sigma, weight, bias, eta, eps):
    z = torch.addcmul(mu, torch.exp(log_sigma), eps)
    log_ratio = 0.5 * (eps.square() - z.square()).sum(-1) + log_sigma.sum(-1)
    return _log_normal(x, functional.linear(z, weight, bias), eta) + log_ratio
