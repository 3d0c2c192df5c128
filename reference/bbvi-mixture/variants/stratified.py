"""Distributions of the library; in `fit` the components get their samples in proportion."""

import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal


def mixture(logits, mu, log_sigma):
    parts = Independent(Normal(mu, log_sigma.exp(), validate_args=False), 1, validate_args=False)
    weights = Categorical(logits=logits, validate_args=False)
    return MixtureSameFamily(weights, parts, validate_args=False)


def log_q(z, logits, mu, log_sigma):
    return mixture(logits, mu, log_sigma).log_prob(z)


def sample_q(u, eps, logits, mu, log_sigma):
    ends = torch.cumsum(Categorical(logits=logits).probs, 0)
    ends[-1] = 1.0
    which = torch.bucketize(u, ends, right=True)
    one_hot = torch.nn.functional.one_hot(which, len(logits)).to(u.dtype)
    return one_hot @ mu + (one_hot @ torch.exp(log_sigma)) * eps


def jacobians(z, *q):
    """∇ log q of every sample, one backward pass each."""
    q = [part.clone().requires_grad_() for part in q]
    rows = [torch.autograd.grad(value, q, retain_graph=True) for value in log_q(z, *q)]
    return [torch.stack(column) for column in zip(*rows, strict=True)]


def grad_bbvi(log_p, logits, mu, log_sigma, z):
    ell = log_p(z) - log_q(z, logits, mu, log_sigma)
    return tuple(
        torch.tensordot(ell, h, dims=1) / len(z) for h in jacobians(z, logits, mu, log_sigma)
    )


def grad_bbvi_cv(log_p, logits, mu, log_sigma, z):
    ell = log_p(z) - log_q(z, logits, mu, log_sigma)
    scores = jacobians(z, logits, mu, log_sigma)
    total = [torch.zeros_like(part) for part in (logits, mu, log_sigma)]
    for j in range(len(z)):
        others = torch.arange(len(z)) != j
        for part, h in enumerate(scores):
            weights = h[others] ** 2
            mass = weights.sum(0)
            mean = torch.tensordot(ell[others], weights, dims=1) / torch.where(mass > 0, mass, 1)
            total[part] += h[j] * (ell[j] - mean) / len(z)
    return tuple(total)


def fit(log_p, c, generator):
    """The gradient of log q in closed form, for one dimension; a single vector of parameters."""
    q = torch.zeros(3, c, dtype=torch.float64)
    q[1] = torch.linspace(-4, 4, c)
    adam = torch.optim.Adam([q], lr=0.1)
    strata = torch.arange(64, dtype=torch.float64)
    for step in range(300):
        adam.param_groups[0]["lr"] = 0.1 if step < 150 else 0.1 * (300 - step) / 150
        logits, mu, log_sigma = q
        weights, sigma = torch.softmax(logits, 0), torch.exp(log_sigma)
        u = (strata + torch.rand(64, generator=generator, dtype=torch.float64)) / 64
        which = torch.bucketize(u, weights.cumsum(0)[:-1], right=True)
        noise = torch.randn(64, generator=generator, dtype=torch.float64)
        z = mu[which] + sigma[which] * noise
        units = (z[:, None] - mu) / sigma
        log_parts = torch.log_softmax(logits, 0) - log_sigma - units**2 / 2
        ell = log_p(z[:, None]) - torch.logsumexp(log_parts, 1)
        share = torch.softmax(log_parts, 1)
        h = torch.stack([share - weights, share * units / sigma, share * (units**2 - 1)])
        ell = (ell - ell.mean()) * 64 / 63
        q.grad = -torch.einsum("m,pmc->pc", ell, h) / 64
        adam.step()
    logits, mu, log_sigma = q
    return logits, mu[:, None], log_sigma[:, None]
