"""What torch has for it: losses with logits, distributions, and its own SGD."""

import torch
from torch.distributions import Independent, Normal, kl_divergence
from torch.nn import functional


def bernoulli_rec(x, x_logits):
    loss = functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none")
    return loss.sum(-1)


def gaussian_rec(x, x_mean, eta):
    return -Independent(Normal(x_mean, eta.sqrt()), 1).log_prob(x)


def kl(mu, log_sigma):
    q = Normal(mu, log_sigma.exp())
    return kl_divergence(q, Normal(0.0, 1.0)).sum(-1)


def vae_loss(x, x_logits, mu, log_sigma):
    rec, latent = bernoulli_rec(x, x_logits), kl(mu, log_sigma)
    return (rec + latent).mean(), rec.mean(), latent.mean()


def network_loss(x, eps, v, s, u):
    mu = functional.linear(x, v)
    log_sigma = functional.linear(x, s)
    z = torch.addcmul(mu, log_sigma.exp(), eps)
    return vae_loss(x, functional.linear(z, u), mu, log_sigma)[0]


def sgd_step(x, eps, v, s, u, rate):
    parameters = [torch.nn.Parameter(w.clone()) for w in (v, s, u)]
    optimiser = torch.optim.SGD(parameters, lr=rate)
    optimiser.zero_grad()
    network_loss(x, eps, *parameters).backward()
    optimiser.step()
    return tuple(w.detach() for w in parameters)
