"""BBVI with a mixture of Gaussians."""

import numpy as np
import torch


def log_components(z, logits, mu, log_sigma):
    var = torch.exp(2 * log_sigma)
    log_n = -0.5 * ((z[:, None, :] - mu[None]) ** 2 / var + torch.log(2 * np.pi * var))
    return torch.log_softmax(logits, dim=-1) + log_n.sum(-1)


def log_q(z, logits, mu, log_sigma):
    return torch.logsumexp(log_components(z, logits, mu, log_sigma), dim=-1)


def sample_q(u, eps, logits, mu, log_sigma):
    cdf = torch.cumsum(torch.softmax(logits, -1), -1)
    idx = (u.unsqueeze(1) >= cdf.unsqueeze(0)).sum(1)
    idx = torch.clamp(idx, max=logits.shape[0] - 1)
    return mu[idx] + torch.exp(log_sigma)[idx] * eps


def per_sample_grads(z, logits, mu, log_sigma):
    """d log q(z_j) for every j; the parameters are repeated, so rows don't mix."""
    M, C = z.shape[0], logits.shape[0]
    lg = logits.detach().repeat(M, 1).requires_grad_()
    m = mu.detach().repeat(M, 1, 1).requires_grad_()
    s = log_sigma.detach().repeat(M, 1, 1).requires_grad_()
    d = (z[:, None] - m) * torch.exp(-s)
    log_n = (-0.5 * d**2 - s).sum(-1)
    assert log_n.shape == (M, C)
    total = torch.logsumexp(torch.log_softmax(lg, 1) + log_n, 1).sum()
    return torch.autograd.grad(total, (lg, m, s))


def grad_bbvi(log_p, logits, mu, log_sigma, z):
    w = log_p(z) - log_q(z, logits, mu, log_sigma)
    g = []
    for h in per_sample_grads(z, logits, mu, log_sigma):
        g.append((h.movedim(0, -1) * w).mean(-1))
    return tuple(g)


def grad_bbvi_cv(log_p, logits, mu, log_sigma, z):
    w = log_p(z) - log_q(z, logits, mu, log_sigma)
    g = []
    for h in per_sample_grads(z, logits, mu, log_sigma):
        wh = w.reshape((-1,) + (1,) * (h.dim() - 1))
        h2 = h**2
        num = (h2 * wh).sum(0, keepdim=True) - h2 * wh
        den = h2.sum(0, keepdim=True) - h2
        a = num / torch.where(den == 0, torch.ones_like(den), den)
        g.append(torch.mean(h * (wh - a), 0))
    return tuple(g)


def fit(log_p, c, generator):
    logits = torch.zeros(c, dtype=torch.float64)
    mu = torch.linspace(-4.0, 4.0, c, dtype=torch.float64).reshape(c, 1)
    log_sigma = torch.zeros(c, 1, dtype=torch.float64)
    params = [logits, mu, log_sigma]
    opt = torch.optim.Adam(params, lr=0.1)
    for it in range(300):
        opt.param_groups[0]["lr"] = 0.1 * min(1, (300 - it) / 150)
        u = torch.rand(64, generator=generator, dtype=torch.float64)
        eps = torch.randn((64, 1), generator=generator, dtype=torch.float64)
        z = sample_q(u, eps, *params)
        for p, g in zip(params, grad_bbvi_cv(log_p, *params, z)):
            p.grad = -g  # Adam goes downhill
        opt.step()
    return logits, mu, log_sigma
