"""By hand from ∂f/∂z: μ̄ = z̄, and z̄ ε σ for ln σ; the entropy's gradient is 1 a dimension."""

import torch


def _rule(f, mu, log_sigma, eps):
    sigma_eps = log_sigma.exp() * eps
    z = (mu + sigma_eps).requires_grad_()
    value = f(z)
    (zbar,) = torch.autograd.grad(value, z, torch.ones_like(value))
    return zbar.mean(0), (zbar * sigma_eps).mean(0)


def grad_pathwise(f, mu, log_sigma, eps):
    return _rule(f, mu, log_sigma, eps)


def grad_elbo(log_joint, mu, log_sigma, eps):
    by_mu, by_log_sigma = _rule(log_joint, mu, log_sigma, eps)
    return by_mu, by_log_sigma + 1


def grad_theta(log_lik, weight, bias, mu, log_sigma, eps):
    m, b, _ = eps.shape
    z = mu + log_sigma.exp() * eps
    total = [torch.zeros_like(weight), torch.zeros_like(bias)]
    for one in z:
        leaves = [weight.clone().requires_grad_(), bias.clone().requires_grad_()]
        log_lik(one[None], *leaves).sum().backward()
        total = [seen + leaf.grad for seen, leaf in zip(total, leaves, strict=True)]
    return total[0] / (m * b), total[1] / (m * b)
