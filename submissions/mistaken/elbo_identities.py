import math

import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence


def log_marginal_mixture(x, log_pi, mu, log_sigma):
    densities = Normal(mu, log_sigma.exp()).log_prob(x[:, None]).sum(2).exp()
    return torch.log((log_pi.exp() * densities).sum(1))


def log_marginal(x, weight, bias, eta):
    cov = weight @ weight.T + eta * torch.eye(x.shape[1], dtype=x.dtype)
    return MultivariateNormal(bias, cov).log_prob(x)


def reconstruction(x, mu, log_sigma, weight, bias, eta):
    mse = ((x - mu @ weight.T - bias) ** 2).sum(1)
    mse = mse + ((2 * log_sigma).exp() @ (weight**2).T).sum(1)
    return -mse / (2 * eta) - x.shape[1] / 2 * torch.log(2 * math.pi * eta)


def kl_prior(mu, log_sigma):
    return 0.5 * (mu**2 + (2 * log_sigma).exp() - 2 * log_sigma - 1).sum(1)


def kl_posterior(x, mu, log_sigma, weight, bias, eta):
    prec = torch.eye(mu.shape[1], dtype=x.dtype) + weight.T @ weight / eta
    mean = torch.linalg.solve(prec, weight.T @ (x - bias).T / eta).T
    post = MultivariateNormal(mean, precision_matrix=prec)
    q = MultivariateNormal(mu, scale_tril=torch.diag_embed(log_sigma.exp()))
    return kl_divergence(post, q)


def expected_log_joint(x, mu, log_sigma, weight, bias, eta):
    return reconstruction(x, mu, log_sigma, weight, bias, eta)


def entropy(log_sigma):
    return (log_sigma + 0.5 * math.log(2 * math.pi * math.e)).sum(1)


def log_weight(x, mu, log_sigma, weight, bias, eta, eps):
    z = mu + log_sigma.exp() * eps
    log_lik = Normal(z @ weight.T + bias, eta.sqrt()).log_prob(x).sum(-1)
    return (
        log_lik
        + Normal(0.0, 1.0).log_prob(z).sum(-1)
        - Normal(mu, log_sigma.exp()).log_prob(z).sum(-1)
    )
