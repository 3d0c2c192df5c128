import torch
from torch import nn


def bernoulli_rec(x, x_logits):
    # max(l, 0) - x l + ln(1 + e^-|l|)
    cost = torch.relu(x_logits) - x * x_logits + torch.log1p(torch.exp(-x_logits.abs()))
    return cost.sum(1)


def gaussian_rec(x, x_mean, eta):
    nll = nn.functional.gaussian_nll_loss(x_mean, x, eta.expand_as(x), full=True, reduction="none")
    return nll.sum(1)


def kl(mu, log_sigma):
    log_var = 2 * log_sigma
    return -0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp(), dim=1)


def vae_loss(x, x_logits, mu, log_sigma):
    rec = bernoulli_rec(x, x_logits)
    latent = kl(mu, log_sigma)
    return torch.mean(rec + latent), rec.mean(), latent.mean()


def network_loss(x, eps, v, s, u):
    mu, log_sigma = (x @ torch.cat([v, s]).t()).chunk(2, dim=1)
    z = mu + eps * torch.exp(log_sigma)
    return vae_loss(x, z.matmul(u.t()), mu, log_sigma)[0]


def sgd_step(x, eps, v, s, u, rate):
    v, s, u = (w.clone().requires_grad_() for w in (v, s, u))
    network_loss(x, eps, v, s, u).backward()
    with torch.no_grad():
        for w in (v, s, u):
            w -= rate * w.grad
    return v.detach(), s.detach(), u.detach()
