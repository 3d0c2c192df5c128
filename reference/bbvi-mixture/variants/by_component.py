"""Loops over components; in `fit` single precision and Adam with the step size of the paper."""

import math

import torch


def log_weights(logits):
    return logits - torch.logsumexp(logits, dim=0)


def log_normals(z, mu, log_sigma):
    """A list of log N(z; μ_i, σ_i), one a component."""
    k = z.shape[1]
    found = []
    for m, s in zip(mu, log_sigma, strict=True):
        squares = ((z - m).square() * torch.exp(-2 * s)).sum(1)
        found.append(-(squares + k * math.log(2 * math.pi)) / 2 - s.sum())
    return found


def log_q(z, logits, mu, log_sigma):
    total = torch.full((len(z),), -math.inf, dtype=z.dtype)
    for log_w, log_n in zip(log_weights(logits), log_normals(z, mu, log_sigma), strict=True):
        total = torch.logaddexp(total, log_w + log_n)
    return total


def sample_q(u, eps, logits, mu, log_sigma):
    weights = torch.exp(log_weights(logits))
    z = mu[-1] + torch.exp(log_sigma[-1]) * eps
    begin = torch.zeros((), dtype=u.dtype)
    for i in range(len(weights) - 1):
        here = (begin <= u) & (u < begin + weights[i])
        z = torch.where(here[:, None], mu[i] + torch.exp(log_sigma[i]) * eps, z)
        begin = begin + weights[i]
    return z


def _scores(z, logits, mu, log_sigma):
    log_w, log_n = log_weights(logits), log_normals(z, mu, log_sigma)
    log_density = log_q(z, logits, mu, log_sigma)
    by_logits, by_mu, by_log_sigma = [], [], []
    for i in range(len(logits)):
        share = torch.exp(log_w[i] + log_n[i] - log_density)
        by_logits.append(share - torch.exp(log_w[i]))
        away = z - mu[i]
        precision = torch.exp(-2 * log_sigma[i])
        by_mu.append(share[:, None] * away * precision)
        by_log_sigma.append(share[:, None] * away**2 * precision - share[:, None])
    return log_density, [torch.stack(part, dim=1) for part in (by_logits, by_mu, by_log_sigma)]


def grad_bbvi(log_p, logits, mu, log_sigma, z):
    log_density, scores = _scores(z, logits, mu, log_sigma)
    ell = log_p(z) - log_density
    return tuple(sum(w * h for w, h in zip(ell, score, strict=True)) / len(z) for score in scores)


def grad_bbvi_cv(log_p, logits, mu, log_sigma, z):
    log_density, scores = _scores(z, logits, mu, log_sigma)
    return tuple(_leave_one_out(h, log_p(z) - log_density) for h in scores)


def _leave_one_out(h, ell):
    """Coefficients from the sums before and after a sample, so that nothing is subtracted."""
    shape = (len(ell),) + (1,) * (h.ndim - 1)
    ell, zero = ell.view(shape), torch.zeros_like(h[:1])
    sums = []
    for terms in (h * h * ell, h * h):
        before = torch.cat([zero, terms[:-1].cumsum(0)])
        after = torch.cat([terms[1:].flip(0).cumsum(0).flip(0), zero])
        sums.append(before + after)
    a = torch.nan_to_num(sums[0] / sums[1], nan=0.0)
    return (h * ell - h * a).sum(0) / len(h)


def fit(log_p, c, generator):
    q = [torch.zeros(c), torch.linspace(-4, 4, c)[:, None], torch.zeros(c, 1)]
    moments = [(torch.zeros_like(part), torch.zeros_like(part)) for part in q]
    for t in range(1, 301):
        noise = torch.randn(64, 1, generator=generator)
        u = torch.rand(64, generator=generator)
        z = sample_q(u, noise, *q)
        g = grad_bbvi_cv(lambda at: log_p(at.double()).float(), *q, z)
        rate = 0.1 * min(1.0, (301 - t) / 150) * math.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        for i in range(3):
            m, v = moments[i]
            m, v = m + 0.1 * (g[i] - m), v + 0.001 * (g[i] ** 2 - v)
            moments[i] = m, v
            q[i] = q[i] + rate * m / (v.sqrt() + 1e-8)
    return tuple(part.double() for part in q)
