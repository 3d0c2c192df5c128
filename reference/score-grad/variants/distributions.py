"""torch.distributions for every log-density, and .backward() through a surrogate loss."""

import torch
from torch.distributions import Independent, Normal, OneHotCategorical


def _leaf(tensor):
    return tensor.clone().requires_grad_(True)


def score(z, mu, log_sigma):
    # one leaf a sample, so that nothing is summed over them
    mu, log_sigma = _leaf(mu.expand_as(z)), _leaf(log_sigma.expand_as(z))
    Normal(mu, log_sigma.exp()).log_prob(z).sum().backward()
    return mu.grad, log_sigma.grad


def _surrogate(mu, log_sigma, eps, weigh):
    mu, log_sigma = _leaf(mu), _leaf(log_sigma)
    q = Independent(Normal(mu, log_sigma.exp()), 1)
    with torch.no_grad():
        z = q.mean + q.stddev * eps
        weight = weigh(z)
    (weight * q.log_prob(z)).mean(0).sum().backward()
    return mu.grad, log_sigma.grad


def grad_score(f, mu, log_sigma, eps):
    return _surrogate(mu, log_sigma, eps, f)


def grad_score_loo(f, mu, log_sigma, eps):
    def against_the_others(z):
        value = f(z)
        m = len(value)
        # f_j - (S - f_j)/(M - 1) = M/(M - 1) (f_j - S/M)
        return m / (m - 1) * (value - value.mean(0))

    return _surrogate(mu, log_sigma, eps, against_the_others)


def grad_score_categorical(f, logits, z):
    logits = _leaf(logits)
    q = OneHotCategorical(logits=logits, validate_args=False)
    (f(z) * q.log_prob(z)).mean(0).sum().backward()
    return logits.grad
