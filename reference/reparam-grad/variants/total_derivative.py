"""Everything from one Monte Carlo objective, log q(z) included and differentiated in full."""

import torch
from torch.distributions import Independent, Normal


def _q(mu, log_sigma):
    return Independent(Normal(mu, log_sigma.exp()), 1)


def _leaf(tensor):
    return tensor.clone().requires_grad_(True)


def _collect(loss, *leaves):
    loss.backward()
    return tuple(leaf.grad for leaf in leaves)


def grad_pathwise(f, mu, log_sigma, eps):
    mu, log_sigma = _leaf(mu), _leaf(log_sigma)
    q = _q(mu, log_sigma)
    z = q.mean + q.stddev * eps
    return _collect(torch.stack([f(one[None])[0] for one in z]).mean(0).sum(), mu, log_sigma)


def grad_elbo(log_joint, mu, log_sigma, eps):
    mu, log_sigma = _leaf(mu), _leaf(log_sigma)
    q = _q(mu, log_sigma)
    z = q.mean + q.stddev * eps
    return _collect((log_joint(z) - q.log_prob(z)).mean(0).sum(), mu, log_sigma)


def grad_theta(log_lik, weight, bias, mu, log_sigma, eps):
    z = (mu + log_sigma.exp() * eps).flatten(0, 1)
    z = z.unflatten(0, eps.shape[:2])
    weight, bias = _leaf(weight), _leaf(bias)
    return _collect(log_lik(z, weight, bias).mean(1).mean(0), weight, bias)
