"""Scores as a Jacobian by automatic differentiation; in `fit` a surrogate and torch's Adam."""

import torch
from torch.autograd.functional import jacobian
from torch.distributions import Normal


def log_q(z, logits, mu, log_sigma):
    log_normal = Normal(mu, log_sigma.exp(), validate_args=False).log_prob(z.unsqueeze(1))
    log_weights = logits - logits.logsumexp(0)
    return (log_weights + log_normal.sum(-1)).logsumexp(1)


def sample_q(u, eps, logits, mu, log_sigma):
    ends = logits.softmax(0).cumsum(0)
    chosen = (u[:, None] >= ends[:-1]).sum(1)
    return torch.addcmul(mu[chosen], log_sigma.exp()[chosen], eps)


def scores(z, *q):
    return jacobian(lambda *q: log_q(z, *q), q)


def grad_bbvi(log_p, logits, mu, log_sigma, z):
    q = [part.detach().clone().requires_grad_() for part in (logits, mu, log_sigma)]
    log_density = log_q(z, *q)
    surrogate = (log_density * (log_p(z) - log_density.detach())).mean()
    return torch.autograd.grad(surrogate, q)


def grad_bbvi_cv(log_p, logits, mu, log_sigma, z):
    q = (logits, mu, log_sigma)
    ell = log_p(z) - log_q(z, *q)
    return tuple(without_own(h, ell) for h in scores(z, *q))


def without_own(h, ell):
    """Sums over all samples from which a sample's own term is taken away again."""
    ell = ell.view(-1, *[1] * (h.dim() - 1))
    above, below = ((part.sum(0) - part) for part in (h.square() * ell, h.square()))
    return torch.mean(h * (ell - above / below.masked_fill(below == 0, 1)), 0)


def fit(log_p, c, generator):
    logits = torch.zeros(c, dtype=torch.float64, requires_grad=True)
    mu = torch.linspace(-4, 4, c, dtype=torch.float64).unsqueeze(1).requires_grad_()
    log_sigma = torch.zeros(c, 1, dtype=torch.float64, requires_grad=True)
    q = [logits, mu, log_sigma]
    adam = torch.optim.Adam(q, lr=0.1, maximize=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, lambda i: min(1.0, (300 - i) / 150))
    for _ in range(300):
        with torch.no_grad():
            chosen = torch.multinomial(logits.softmax(0), 64, replacement=True, generator=generator)
            eps = torch.randn(64, 1, dtype=torch.float64, generator=generator)
            z = mu[chosen] + log_sigma[chosen].exp() * eps
        log_density = log_mixture(z, *q)
        ell = log_p(z) - log_density.detach()
        baseline = (ell.sum() - ell) / (len(ell) - 1)
        adam.zero_grad()
        ((ell - baseline) * log_density).mean().backward()
        adam.step()
        schedule.step()
    return tuple(part.detach() for part in q)


def log_mixture(z, logits, mu, log_sigma):
    """log q up to its constant, short, for the loop."""
    deviation = (z - mu[:, 0]) * torch.exp(-log_sigma[:, 0])
    return (torch.log_softmax(logits, 0) - log_sigma[:, 0] - deviation**2 / 2).logsumexp(1)
