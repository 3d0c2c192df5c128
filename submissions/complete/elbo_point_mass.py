import math

import torch


def kl_as_sigma_to_zero(mu, log_sigmas):
    # E_q log q - E_q log p; the 2π terms cancel
    k = mu.numel()
    minus_entropy = -k * (log_sigmas + 0.5)
    cross_entropy = 0.5 * (torch.dot(mu, mu) + k * torch.exp(2 * log_sigmas))
    return minus_entropy + cross_entropy


def best_point(x, weight, bias):
    return torch.linalg.pinv(weight) @ (x - bias)


def recon_term(x, weight, bias, eta, mu, log_sigmas):
    # E[(x_d - G_d(z))^2], one output at a time: a squared mean and a variance
    sigma = log_sigmas.exp().unsqueeze(1)
    variances = (sigma * weight.norm(dim=1)).square()
    squares = (x - bias - weight @ mu).square() + variances
    log_density = -squares / (2 * eta) - 0.5 * torch.log(2 * math.pi * eta)
    return log_density.sum(dim=1)


def loglik_vs_eta(x, weight, bias, etas):
    d = x.numel()
    out = torch.empty_like(etas)
    for i, eta in enumerate(etas):
        cov = weight @ weight.T + eta * torch.eye(d, dtype=torch.float64)
        chol = torch.linalg.cholesky(cov)
        white = torch.linalg.solve_triangular(chol, (x - bias).unsqueeze(1), upper=False)
        out[i] = -0.5 * white.square().sum() - chol.diagonal().log().sum()
    return out - 0.5 * d * math.log(2 * math.pi)
