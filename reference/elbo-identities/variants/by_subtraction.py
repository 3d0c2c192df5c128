"""Every divergence as a difference of terms: the gap is log p(x) - L, the rows one by one."""

import math

import torch


def _gaussian(x, mean, covariance):
    chol = torch.linalg.cholesky(covariance)
    white = torch.linalg.solve_triangular(chol, (x - mean)[:, None], upper=False)[:, 0]
    return -0.5 * (white @ white + len(x) * math.log(2 * math.pi)) - chol.diagonal().log().sum()


def log_marginal_mixture(x, log_pi, mu, log_sigma):
    terms = [
        log_pi[c] + torch.distributions.Normal(mu[c], log_sigma[c].exp()).log_prob(x).sum(1)
        for c in range(len(log_pi))
    ]
    total = terms[0]
    for term in terms[1:]:
        total = torch.logaddexp(total, term)
    return total


def log_marginal(x, weight, bias, eta):
    covariance = weight @ weight.T + eta * torch.eye(len(bias), dtype=x.dtype)
    return torch.stack([_gaussian(row, bias, covariance) for row in x])


def reconstruction(x, mu, log_sigma, weight, bias, eta):
    rows = []
    for row, m, s in zip(x, mu, log_sigma.exp(), strict=True):
        noise = eta * torch.eye(len(bias), dtype=x.dtype)
        scatter = torch.trace(weight @ torch.diag(s**2) @ weight.T)
        rows.append(_gaussian(row, weight @ m + bias, noise) - scatter / (2 * eta))
    return torch.stack(rows)


def kl_prior(mu, log_sigma):
    cross_entropy = 0.5 * (mu.square() + torch.exp(log_sigma).square() + math.log(2 * math.pi))
    return cross_entropy.sum(1) - entropy(log_sigma)


def kl_posterior(x, mu, log_sigma, weight, bias, eta):
    lower = reconstruction(x, mu, log_sigma, weight, bias, eta) - kl_prior(mu, log_sigma)
    return log_marginal(x, weight, bias, eta) - lower


def expected_log_joint(x, mu, log_sigma, weight, bias, eta):
    lower = reconstruction(x, mu, log_sigma, weight, bias, eta) - kl_prior(mu, log_sigma)
    return lower - entropy(log_sigma)


def entropy(log_sigma):
    return (log_sigma + 0.5 * math.log(2 * math.pi * math.e)).sum(1)


def log_weight(x, mu, log_sigma, weight, bias, eta, eps):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    residual = x - (torch.einsum("mbk,dk->mbd", z, weight) + bias)
    log_lik = -(residual.square() / eta + torch.log(2 * math.pi * eta)).sum(-1) / 2
    # the constants of log p(z) and log q(z) cancel
    return log_lik - (z.square() - ((z - mu) / sigma).square()).sum(-1) / 2 + log_sigma.sum(-1)
