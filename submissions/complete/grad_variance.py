import torch


def _z(mu, log_sigma, eps):
    return mu.unsqueeze(0) + log_sigma.exp().unsqueeze(0) * eps


def pathwise_samples(f, mu, log_sigma, eps):
    # a copy of mu for every sample, so that backward does not add them up
    copies = mu.unsqueeze(0).repeat(eps.shape[0], 1, 1).requires_grad_(True)
    f(copies + log_sigma.exp() * eps).sum().backward()
    return copies.grad


def score_samples(f, mu, log_sigma, eps, baseline):
    u = eps * torch.exp(-log_sigma)
    return (f(_z(mu, log_sigma, eps)) - baseline[None, :])[:, :, None] * u


def total_variance(samples, weights):
    w = weights.reshape(-1, 1, 1)
    mean = (w * samples).sum(dim=0, keepdim=True)
    return (w * (samples - mean) ** 2).sum(dim=(0, 2))


def optimal_baseline(f, mu, log_sigma, eps, weights):
    u = eps * torch.exp(-log_sigma)
    u2 = weights[:, None] * (u * u).sum(-1)
    return (u2 * f(_z(mu, log_sigma, eps))).sum(0) / u2.sum(0)


def sample_gradients(f, mu, log_sigma, n, generator):
    eps = torch.randn(n, *mu.shape, generator=generator, dtype=torch.float64)
    # two halves: each takes the mean of the other as its baseline
    half = n // 2
    value = f(_z(mu, log_sigma, eps))
    b = torch.empty_like(value)
    b[:half] = value[half:].mean(0)
    b[half:] = value[:half].mean(0)
    return (value - b).unsqueeze(-1) * eps / log_sigma.exp()
