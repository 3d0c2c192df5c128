"""torch.func throughout, and for the ELBO the path derivative: ∇_z of log p(x, z) - log q(z) along
the path, without the score term, whose expectation is zero (Roeder, Wu & Duvenaud 2017)."""

import torch
from torch.distributions import Normal
from torch.func import grad


def _path(mu, log_sigma, eps):
    return torch.addcmul(mu, torch.exp(2 * log_sigma).sqrt(), eps)


def grad_pathwise(f, mu, log_sigma, eps):
    return grad(lambda *p: f(_path(*p, eps)).sum() / len(eps), argnums=(0, 1))(mu, log_sigma)


def grad_elbo(log_joint, mu, log_sigma, eps):
    fixed = Normal(mu.detach(), log_sigma.detach().exp())

    def bound(mu, log_sigma):
        z = _path(mu, log_sigma, eps)
        return (log_joint(z) - fixed.log_prob(z).sum(-1)).sum() / len(eps)

    return grad(bound, argnums=(0, 1))(mu, log_sigma)


def grad_theta(log_lik, weight, bias, mu, log_sigma, eps):
    z = _path(mu, log_sigma, eps)
    return grad(lambda *p: log_lik(z, *p).mean(), argnums=(0, 1))(weight, bias)
