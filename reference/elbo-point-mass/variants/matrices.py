"""As a numerical analyst would: QR, matrix inversion lemma, one width at a time."""

import math

import torch


def kl_as_sigma_to_zero(mu, log_sigmas):
    def one(log_sigma):
        sigma = torch.exp(log_sigma)
        return torch.sum((sigma * sigma + mu * mu - 1) / 2 - torch.log(sigma))

    return torch.stack([one(log_sigma) for log_sigma in log_sigmas])


def best_point(x, weight, bias):
    q, r = torch.linalg.qr(weight)
    return torch.linalg.solve_triangular(r, (q.T @ (x - bias))[:, None], upper=True).squeeze(1)


def recon_term(x, weight, bias, eta, mu, log_sigmas):
    residual = x - (weight @ mu + bias)
    spread = torch.trace(weight.T @ weight) * torch.exp(log_sigmas).square()
    constant = len(x) * math.log(2 * math.pi * float(eta))
    return -((residual @ residual + spread) / eta + constant) / 2


def loglik_vs_eta(x, weight, bias, etas):
    d, k = weight.shape
    r = x - bias
    found = []
    for eta in etas:
        inner = torch.eye(k, dtype=x.dtype) + weight.T @ weight / eta
        mean = torch.linalg.solve(inner, weight.T @ r / eta)
        rest = r - weight @ mean
        quadratic = rest @ rest / eta + mean @ mean
        log_det = torch.logdet(inner) + d * torch.log(2 * math.pi * eta)
        found.append(-(quadratic + log_det) / 2)
    return torch.stack(found)
