"""The step with gradients written out (z̄ goes to μ, and times ε to σ), softplus by logaddexp."""

import math

import torch


def bernoulli_rec(x, x_logits):
    log_normaliser = torch.logaddexp(x_logits, torch.zeros_like(x_logits))
    return torch.sum(log_normaliser - x_logits * x, axis=1)


def gaussian_rec(x, x_mean, eta):
    per_pixel = (x - x_mean).square() / eta + torch.log(eta) + math.log(math.tau)
    return per_pixel.sum(1) / 2


def kl(mu, log_sigma):
    per_dimension = 0.5 * torch.exp(log_sigma) ** 2 + 0.5 * mu.square() - log_sigma - 0.5
    return torch.einsum("bk->b", per_dimension)


def vae_loss(x, x_logits, mu, log_sigma):
    b = len(x)
    rec = bernoulli_rec(x, x_logits).sum() / b
    latent = kl(mu, log_sigma).sum() / b
    return rec + latent, rec, latent


def network_loss(x, eps, v, s, u):
    mu = torch.einsum("kd,bd->bk", v, x)
    log_sigma = torch.einsum("kd,bd->bk", s, x)
    z = mu + torch.exp(log_sigma) * eps
    logits = torch.einsum("dk,bk->bd", u, z)
    return (bernoulli_rec(x, logits) + kl(mu, log_sigma)).mean()


def sgd_step(x, eps, v, s, u, rate):
    mu, sigma = x @ v.mT, torch.exp(x @ s.mT)
    z = mu + sigma * eps
    logits_bar = (torch.sigmoid(z @ u.mT) - x) / len(x)
    z_bar = logits_bar @ u
    mu_bar = z_bar + mu / len(x)
    log_sigma_bar = z_bar * eps * sigma + (sigma.square() - 1) / len(x)
    v_bar, s_bar, u_bar = mu_bar.mT @ x, log_sigma_bar.mT @ x, logits_bar.mT @ z
    return v - rate * v_bar, s - rate * s_bar, u - rate * u_bar
