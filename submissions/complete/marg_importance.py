import math

import torch

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


def jensen_gap(w, p):
    p = p.unsqueeze(1)
    return torch.log(torch.sum(p * w, 0)) - torch.sum(p * torch.log(w), 0)


def log_weights(x, mu, log_sigma, weight, bias, eta, eps):
    z = torch.addcmul(mu, torch.exp(log_sigma), eps)
    error = (x - torch.nn.functional.linear(z, weight, bias)) / torch.sqrt(eta)
    # -log of each Gaussian: half the squares, the log widths, a constant for each dimension;
    # those of z cancel between p(z) and q
    up = 0.5 * error.square().sum(-1) + x.shape[1] * (HALF_LOG_TAU + 0.5 * torch.log(eta))
    return 0.5 * (eps.square() - z.square()).sum(-1) + log_sigma.sum(-1) - up


def log_px_is(log_w):
    return torch.logsumexp(log_w - math.log(log_w.size(0)), 0)


def iw_bound(log_w, n):
    m, b = log_w.shape
    # one column for every group
    columns = log_w.T.reshape(b * (m // n), n).T
    return log_px_is(columns).reshape(b, m // n).mean(1)


def rel_var(log_w):
    # 1 / (M Σ w̃²) is the effective share of the samples, w̃ the weights normalised to sum one
    normalised = torch.softmax(log_w, 0)
    return log_w.size(0) * normalised.square().sum(0) - 1


def estimate(x, mu, log_sigma, weight, bias, eta, n, generator):
    b, k = mu.shape
    eps = torch.randn(b, n, k, generator=generator, dtype=torch.float64).transpose(0, 1)
    return log_px_is(log_weights(x, mu, log_sigma, weight, bias, eta, eps))
