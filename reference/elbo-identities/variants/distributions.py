"""With torch.distributions throughout."""

import torch
from torch.distributions import (
    Categorical,
    Independent,
    LowRankMultivariateNormal,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    kl_divergence,
)


def _q(mu, log_sigma):
    return Independent(Normal(mu, log_sigma.exp()), 1)


def _prior(like):
    return _q(torch.zeros_like(like), torch.zeros_like(like))


def _posterior(x, weight, bias, eta):
    precision = torch.eye(weight.shape[1], dtype=x.dtype) + weight.T @ weight / eta
    mean = (x - bias) @ weight / eta @ torch.linalg.inv(precision)
    return MultivariateNormal(mean, precision_matrix=precision)


def log_marginal_mixture(x, log_pi, mu, log_sigma):
    return MixtureSameFamily(Categorical(logits=log_pi), _q(mu, log_sigma)).log_prob(x)


def log_marginal(x, weight, bias, eta):
    return LowRankMultivariateNormal(bias, weight, eta.expand_as(bias)).log_prob(x)


def reconstruction(x, mu, log_sigma, weight, bias, eta):
    at_mean = Normal(mu @ weight.T + bias, eta.sqrt()).log_prob(x).sum(-1)
    return at_mean - (weight * log_sigma.exp().unsqueeze(1)).square().sum((1, 2)) / (2 * eta)


def kl_prior(mu, log_sigma):
    return kl_divergence(_q(mu, log_sigma), _prior(mu))


def kl_posterior(x, mu, log_sigma, weight, bias, eta):
    q = MultivariateNormal(mu, scale_tril=torch.diag_embed(log_sigma.exp()))
    return kl_divergence(q, _posterior(x, weight, bias, eta))


def expected_log_joint(x, mu, log_sigma, weight, bias, eta):
    # minus a cross entropy: KL(q ‖ p) + H(q)
    cross_entropy = kl_prior(mu, log_sigma) + entropy(log_sigma)
    return reconstruction(x, mu, log_sigma, weight, bias, eta) - cross_entropy


def entropy(log_sigma):
    return _q(torch.zeros_like(log_sigma), log_sigma).entropy()


def log_weight(x, mu, log_sigma, weight, bias, eta, eps):
    q = _q(mu, log_sigma)
    z = mu + log_sigma.exp() * eps
    log_lik = Normal(z @ weight.T + bias, eta.sqrt()).log_prob(x).sum(-1)
    return log_lik + _prior(mu).log_prob(z) - q.log_prob(z)
