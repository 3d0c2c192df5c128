"""Black-box VI, mixture of Gaussians."""

import math

import torch


def _log_terms(z, logits, mu, log_sigma):
    diff = (z[:, None] - mu) / log_sigma.exp()
    log_normal = -0.5 * diff**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    return torch.log_softmax(logits, 0) + log_normal.sum(-1)


def log_q(z, logits, mu, log_sigma):
    return torch.logsumexp(_log_terms(z, logits, mu, log_sigma), 1)


def sample_q(u, eps, logits, mu, log_sigma):
    cdf = torch.softmax(logits, 0).cumsum(0)
    i = torch.searchsorted(cdf, u, right=True).clamp(max=len(logits) - 1)
    return mu[i] + log_sigma[i].exp() * eps


def _scores(z, logits, mu, log_sigma):
    r = torch.softmax(_log_terms(z, logits, mu, log_sigma), 1)
    sigma = log_sigma.exp()
    diff = (z[:, None] - mu) / sigma
    return (
        r - torch.softmax(logits, 0),
        r[..., None] * diff / sigma,
        r[..., None] * (diff**2 - 1),
    )


def grad_bbvi(log_p, logits, mu, log_sigma, z):
    w = log_p(z) - log_q(z, logits, mu, log_sigma)
    return tuple(torch.tensordot(w, h, 1) / len(z) for h in _scores(z, logits, mu, log_sigma))


def grad_bbvi_cv(log_p, logits, mu, log_sigma, z):
    # a* = Cov(f, h) / Var(h)
    w = log_p(z) - log_q(z, logits, mu, log_sigma)
    grads = []
    for h in _scores(z, logits, mu, log_sigma):
        f = h * w.reshape(-1, *[1] * (h.dim() - 1))
        cov = ((f - f.mean(0)) * (h - h.mean(0))).mean(0)
        a = cov / h.var(0, unbiased=False).clamp(min=1e-12)
        grads.append((f - a * h).mean(0))
    return tuple(grads)


def fit(log_p, c, generator):
    logits = torch.zeros(c, dtype=torch.float64)
    mu = torch.linspace(-4, 4, c, dtype=torch.float64)[:, None]
    log_sigma = torch.zeros(c, 1, dtype=torch.float64)
    params = [mu, log_sigma]
    opt = torch.optim.Adam(params, lr=0.1, maximize=True)
    sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda i: min(1.0, (300 - i) / 150))
    for _ in range(300):
        u = torch.rand(64, dtype=torch.float64, generator=generator)
        eps = torch.randn(64, 1, dtype=torch.float64, generator=generator)
        z = sample_q(u, eps, logits, mu, log_sigma)
        _, mu.grad, log_sigma.grad = grad_bbvi_cv(log_p, logits, mu, log_sigma, z)
        opt.step()
        sched.step()
    return logits, mu, log_sigma
