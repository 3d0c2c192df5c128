"""One step of Newton's method in μ, and σ from the curvature that was found on the way."""

import torch


def ascent_step(elbo, mu, log_sigma, lr):
    phi = [parameter.detach().requires_grad_() for parameter in (mu, log_sigma)]
    by_mu, by_log_sigma = torch.autograd.grad(elbo(*phi).sum(), phi)
    return mu + lr * by_mu, log_sigma + lr * by_log_sigma


def fit_q(elbo, mu, log_sigma):
    mu = mu.detach().requires_grad_()
    (slope,) = torch.autograd.grad(elbo(mu, log_sigma).sum(), mu, create_graph=True)
    rows = [
        torch.autograd.grad(column.sum(), mu, retain_graph=True)[0] for column in slope.unbind(1)
    ]
    precision = -torch.stack(rows, dim=1)
    step = torch.linalg.solve(precision, slope)
    return (mu + step).detach(), -0.5 * precision.diagonal(dim1=1, dim2=2).log()


def mean_field_gap(weight, eta):
    precision = torch.eye(weight.shape[1], dtype=weight.dtype) + weight.T @ weight / eta
    return 0.5 * (precision.diagonal().log().sum() - torch.logdet(precision))


def linear_encoder(weight, bias, eta):
    precision = torch.eye(weight.shape[1], dtype=weight.dtype) + weight.T @ weight / eta
    slope = torch.linalg.solve(precision, weight.T / eta)
    return slope, -slope @ bias, -0.5 * precision.diagonal().log()


def encode(slope, offset, log_sigma, x):
    mu = x @ slope.T + offset
    return mu, log_sigma.expand_as(mu)


def n_params(theta, n, d, k):
    return theta + 2 * k * n, theta + k * d + 2 * k
