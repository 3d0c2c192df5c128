import torch


def ascent_step(elbo, mu, log_sigma, lr):
    mu = mu.clone().requires_grad_(True)
    log_sigma = log_sigma.clone().requires_grad_(True)
    elbo(mu, log_sigma).mean().backward()
    return mu.detach() + lr * mu.grad, log_sigma.detach() + lr * log_sigma.grad


def fit_q(elbo, mu, log_sigma):
    for _ in range(300):
        mu, log_sigma = ascent_step(elbo, mu, log_sigma, 0.5)
    return mu, log_sigma


def _posterior(weight, eta):
    prec = torch.eye(weight.shape[1], dtype=torch.float64) + weight.T @ weight / eta
    return torch.inverse(prec)


def mean_field_gap(weight, eta):
    return torch.zeros((), dtype=torch.float64)


def linear_encoder(weight, bias, eta):
    cov = _posterior(weight, eta)
    slope = cov @ weight.T / eta
    # marginal std of each latent
    return slope, -slope @ bias, 0.5 * torch.log(torch.diagonal(cov))


def encode(slope, offset, log_sigma, x):
    mu = x @ slope.T + offset
    return mu, log_sigma.expand(mu.shape)


def n_params(theta, n, d, k):
    return theta + k * n, theta + k * d + 2 * k
