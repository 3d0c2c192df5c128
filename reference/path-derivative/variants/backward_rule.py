"""By hand: ∇_z log q = -ε/σ, so that z̄ = ∇_z log p + ε/σ, and the rule μ̄ = z̄, z̄ ε σ for ln σ."""

import torch


def _zbar(log_joint, mu, log_sigma, eps):
    z = torch.addcmul(mu, log_sigma.exp(), eps).requires_grad_()
    value = log_joint(z)
    (zbar,) = torch.autograd.grad(value, z, torch.ones_like(value))
    return zbar


def grad_total(log_joint, mu, log_sigma, eps):
    # along the path log q(z) = -ε²/2 - ln σ + const: it does not depend on μ
    zbar = _zbar(log_joint, mu, log_sigma, eps)
    return zbar.mean(0), (zbar * eps * log_sigma.exp()).mean(0) + 1


def score_term(mu, log_sigma, eps):
    return eps.mean(0) / log_sigma.exp(), (eps**2).mean(0) - 1


def grad_path_derivative(log_joint, mu, log_sigma, eps):
    sigma = log_sigma.exp()
    zbar = _zbar(log_joint, mu, log_sigma, eps) + eps / sigma
    return zbar.mean(0), (zbar * eps * sigma).mean(0)
