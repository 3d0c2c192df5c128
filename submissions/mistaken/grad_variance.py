import torch


def pathwise_samples(f, mu, log_sigma, eps):
    z = (mu + log_sigma.exp() * eps).requires_grad_()
    return torch.autograd.grad(f(z).sum(), z)[0]


def score_samples(f, mu, log_sigma, eps, baseline):
    z = mu + log_sigma.exp() * eps
    return (f(z) - baseline).unsqueeze(-1) * eps / log_sigma.exp()


def total_variance(samples, weights):
    # treats the samples as equally likely, and corrects for the degree of freedom
    return samples.var(dim=0).sum(-1)


def optimal_baseline(f, mu, log_sigma, eps, weights):
    # E[f], as "the average reward" of the slides
    return torch.einsum("m,mb->b", weights, f(mu + log_sigma.exp() * eps))


def sample_gradients(f, mu, log_sigma, n, generator):
    eps = torch.randn(n, *mu.shape, generator=generator, dtype=mu.dtype)
    value = f(mu + log_sigma.exp() * eps)
    # normalised advantages
    advantage = (value - value.mean(0)) / (value.std(0) + 1e-8)
    return advantage.unsqueeze(-1) * eps / log_sigma.exp()
