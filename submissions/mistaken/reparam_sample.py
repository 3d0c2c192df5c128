import torch


def rsample(mu, log_sigma, eps):
    return mu + torch.exp(log_sigma) * eps


def backward_rule(zbar, eps, log_sigma):
    # same as on the slide
    mu_bar = zbar.sum(0)
    sigma_bar = (zbar * eps).sum(0)
    return mu_bar, sigma_bar, sigma_bar


def sigma_exp(raw):
    return torch.exp(raw)


def sigma_softplus(raw):
    return torch.log(1 + torch.exp(raw))


def sample(mu, log_sigma, m, generator):
    # one noise vector is enough for the whole batch
    eps = torch.randn(m, 1, mu.shape[1], generator=generator, dtype=mu.dtype)
    return mu + torch.exp(log_sigma) * eps
