"""b* by least squares; own estimates from pairs ±ε, where what f has in common cancels."""

import torch


def pathwise_samples(f, mu, log_sigma, eps):
    found = []
    for noise in eps:
        leaf = mu.clone().requires_grad_()
        f((leaf + log_sigma.exp() * noise).unsqueeze(0)).sum().backward()
        found.append(leaf.grad)
    return torch.stack(found)


def _values_and_scores(f, mu, log_sigma, eps):
    sigma = log_sigma.exp()
    z = mu + sigma * eps
    return f(z), (z - mu) / sigma**2


def score_samples(f, mu, log_sigma, eps, baseline):
    value, u = _values_and_scores(f, mu, log_sigma, eps)
    return torch.einsum("mb,mbk->mbk", value - baseline, u)


def total_variance(samples, weights):
    centred = samples - torch.tensordot(weights, samples, dims=1)
    return torch.tensordot(weights, centred.square().sum(-1), dims=1)


def optimal_baseline(f, mu, log_sigma, eps, weights):
    # regress f u on u, both as one long vector a row
    value, u = _values_and_scores(f, mu, log_sigma, eps)
    u = u * weights.sqrt()[:, None, None]
    long = u.transpose(0, 1).flatten(1)
    target = (value[..., None] * u).transpose(0, 1).flatten(1)
    return (long * target).sum(1) / (long * long).sum(1)


def sample_gradients(f, mu, log_sigma, n, generator):
    sigma = log_sigma.exp()
    eps = torch.randn(n, *mu.shape, generator=generator, dtype=mu.dtype)
    difference = f(mu + sigma * eps) - f(mu - sigma * eps)
    return 0.5 * difference.unsqueeze(-1) * eps / sigma
