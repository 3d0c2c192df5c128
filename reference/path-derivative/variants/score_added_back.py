"""torch.distributions and functional vector-Jacobian products; the path as whole plus score."""

import torch
from torch.autograd.functional import vjp
from torch.distributions import Normal


def _log_q(z, mu, log_sigma):
    return Normal(mu, log_sigma.exp(), validate_args=False).log_prob(z).sum(-1)


def _path(mu, log_sigma, eps):
    return mu + torch.exp(2 * log_sigma).sqrt() * eps


def grad_total(log_joint, mu, log_sigma, eps):
    def bound(mu, log_sigma):
        z = _path(mu, log_sigma, eps)
        return (log_joint(z) - _log_q(z, mu, log_sigma)).sum() / len(eps)

    return vjp(bound, (mu, log_sigma))[1]


def score_term(mu, log_sigma, eps):
    z = _path(mu, log_sigma, eps)
    return vjp(lambda *phi: _log_q(z, *phi).sum() / len(eps), (mu, log_sigma))[1]


def grad_path_derivative(log_joint, mu, log_sigma, eps):
    whole = grad_total(log_joint, mu, log_sigma, eps)
    score = score_term(mu, log_sigma, eps)
    return tuple(a + b for a, b in zip(whole, score, strict=True))
