import math

import torch
from torch.distributions import Normal


def jensen_gap(w, p):
    # treats the rows as equally likely
    return w.mean(0).log() - w.log().mean(0)


def log_weights(x, mu, log_sigma, weight, bias, eta, eps):
    z = mu + log_sigma.exp() * eps
    log_lik = Normal(z @ weight.T + bias, eta.sqrt()).log_prob(x).sum(-1)
    log_prior = Normal(0.0, 1.0).log_prob(z).sum(-1)
    return log_lik + log_prior - Normal(mu, log_sigma.exp()).log_prob(z).sum(-1)


def log_px_is(log_w):
    return log_w.exp().mean(0).log()


def iw_bound(log_w, n):
    groups = log_w.reshape(-1, n, log_w.shape[1])
    return (torch.logsumexp(groups, 1) - math.log(n)).mean(0)


def rel_var(log_w):
    w = (log_w - log_w.max(0).values).exp()
    return w.var(0) / w.mean(0) ** 2


def estimate(x, mu, log_sigma, weight, bias, eta, n, generator):
    # the same noise for all n samples
    eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype).expand(n, *mu.shape)
    return log_px_is(log_weights(x, mu, log_sigma, weight, bias, eta, eps))
