"""The formulas as a textbook has them: inverse and determinant of every covariance."""

import math

import torch


def kl_as_sigma_to_zero(mu, log_sigmas):
    eye = torch.eye(len(mu), dtype=mu.dtype)
    found = []
    for log_sigma in log_sigmas:
        trace = torch.trace(torch.exp(2 * log_sigma) * eye)
        log_det = 2 * len(mu) * log_sigma
        found.append(0.5 * (trace + mu @ mu - len(mu) - log_det))
    return torch.stack(found)


def best_point(x, weight, bias):
    return torch.linalg.inv(weight.T @ weight) @ weight.T @ (x - bias)


def recon_term(x, weight, bias, eta, mu, log_sigmas):
    error = (x - weight @ mu - bias).square().sum()
    spread = torch.stack([torch.exp(s) ** 2 * (weight @ weight.T).trace() for s in log_sigmas])
    log_normaliser = torch.log((2 * math.pi * eta) ** (len(x) / 2))
    return -(error + spread) / (2 * eta) - log_normaliser


def loglik_vs_eta(x, weight, bias, etas):
    residual = x - bias
    found = []
    for eta in etas:
        covariance = weight @ weight.T + eta * torch.eye(len(x), dtype=x.dtype)
        quadratic = residual @ torch.linalg.inv(covariance) @ residual
        found.append(-0.5 * quadratic - 0.5 * torch.log(torch.det(2 * math.pi * covariance)))
    return torch.stack(found)
