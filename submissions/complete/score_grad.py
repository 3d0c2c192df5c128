import math

import torch


def _log_normal(z, mu, log_sigma):
    return -(z - mu) ** 2 * torch.exp(-2 * log_sigma) / 2 - log_sigma - math.log(2 * math.pi) / 2


def score(z, mu, log_sigma):
    mu = mu.unsqueeze(0).repeat(z.shape[0], 1, 1).requires_grad_()
    log_sigma = log_sigma.unsqueeze(0).repeat(z.shape[0], 1, 1).requires_grad_()
    total = _log_normal(z, mu, log_sigma).sum()
    return torch.autograd.grad(total, (mu, log_sigma))


def _samples(mu, log_sigma, eps):
    with torch.no_grad():
        return mu + torch.exp(log_sigma) * eps


def grad_score(f, mu, log_sigma, eps):
    z = _samples(mu, log_sigma, eps)
    r = f(z).detach().unsqueeze(-1)  # [m, b, 1]
    s_mu, s_ls = score(z, mu, log_sigma)
    return (r * s_mu).mean(0), (r * s_ls).mean(0)


def grad_score_loo(f, mu, log_sigma, eps):
    z = _samples(mu, log_sigma, eps)
    r = f(z).detach()
    M = r.shape[0]
    others = (torch.ones(M, M, dtype=r.dtype) - torch.eye(M, dtype=r.dtype)) / (M - 1)
    adv = (r - others @ r).unsqueeze(-1)
    s_mu, s_ls = score(z, mu, log_sigma)
    return (adv * s_mu).mean(0), (adv * s_ls).mean(0)


def grad_score_categorical(f, logits, z):
    r = f(z).detach()
    logits = logits.clone().requires_grad_()
    # cross entropy against the sampled class is -log q(z)
    nll = -(torch.log_softmax(logits, dim=1) * z).sum(dim=2)
    loss = (r * nll).mean(dim=0).sum()
    loss.backward()
    return -logits.grad
