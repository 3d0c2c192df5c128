import math

import torch
from torch.nn.functional import binary_cross_entropy_with_logits


def bernoulli_rec(x, x_logits):
    # averaged over the pixels
    return binary_cross_entropy_with_logits(x_logits, x, reduction="none").mean(1)


def gaussian_rec(x, x_mean, eta):
    return ((x - x_mean) ** 2).sum(1) / (2 * eta) + x.shape[1] / 2 * torch.log(2 * math.pi * eta)


def kl(mu, log_sigma):
    return 0.5 * (torch.exp(2 * log_sigma) + mu**2 - 1 - 2 * log_sigma).sum(1)


def vae_loss(x, x_logits, mu, log_sigma):
    rec, latent = bernoulli_rec(x, x_logits).mean(), kl(mu, log_sigma).mean()
    return rec + latent, rec, latent


def network_loss(x, eps, v, s, u):
    mu, log_sigma = x @ v.T, x @ s.T
    z = mu + torch.exp(log_sigma) * eps
    return vae_loss(x, z @ u.T, mu, log_sigma)[0]


def sgd_step(x, eps, v, s, u, rate):
    v, s, u = (w.clone().requires_grad_() for w in (v, s, u))
    by_v, by_s, by_u = torch.autograd.grad(network_loss(x, eps, v, s, u), (v, s, u))
    return (v - rate * by_v).detach(), (s - rate * by_s).detach(), (u - rate * by_u).detach()
