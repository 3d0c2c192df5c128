"""Black-box variational inference with a mixture of Gaussians.

∇L = E_q[∇ log q(z) (log p~(z) - log q(z))]. Sources: S0 "Summary: Supervised / Unsupervised
Learning" (variational distributions: mixture of Gaussians, black-box VI) and its free energy;
Ranganath, Gerrish & Blei 2014, equation 2 and the section on control variates, the coefficients
from the other samples; Kingma & Ba 2015 for Adam.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor

STEPS, SAMPLES, LEARNING_RATE, REACH = 300, 64, 0.1, 4.0


def _log_parts(z, logits, mu, log_sigma):
    """ln w_i + log N(z; μ_i, diag σ_i²), [m c]."""
    deviation = (z[:, None] - mu) / log_sigma.exp()
    log_normal = (-0.5 * deviation**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(dim=2)
    return torch.log_softmax(logits, dim=0) + log_normal


def log_q(
    z: Float64[Tensor, "m k"],
    logits: Float64[Tensor, " c"],
    mu: Float64[Tensor, "c k"],
    log_sigma: Float64[Tensor, "c k"],
) -> Float64[Tensor, " m"]:
    """log q(z) = log Σ_i w_i N(z; μ_i, diag σ_i²)."""
    return torch.logsumexp(_log_parts(z, logits, mu, log_sigma), dim=1)


def sample_q(
    u: Float64[Tensor, " m"],
    eps: Float64[Tensor, "m k"],
    logits: Float64[Tensor, " c"],
    mu: Float64[Tensor, "c k"],
    log_sigma: Float64[Tensor, "c k"],
) -> Float64[Tensor, "m k"]:
    """z = μ_i + σ_i ⊙ ε, where w_1 + … + w_{i-1} ≤ u < w_1 + … + w_i."""
    ends = torch.softmax(logits, dim=0).cumsum(dim=0)
    i = torch.searchsorted(ends, u, right=True).clamp(max=len(logits) - 1)
    return mu[i] + log_sigma[i].exp() * eps


def _scores(z, logits, mu, log_sigma):
    """∇ log q(z_j) by logits [m c], μ and ln σ [m c k]; r_i is the component's share of q."""
    r = torch.softmax(_log_parts(z, logits, mu, log_sigma), dim=1)
    sigma = log_sigma.exp()
    deviation = (z[:, None] - mu) / sigma
    by_logits = r - torch.softmax(logits, dim=0)
    by_mu = r[:, :, None] * deviation / sigma
    by_log_sigma = r[:, :, None] * (deviation**2 - 1)
    return by_logits, by_mu, by_log_sigma


def _advantage(log_p, logits, mu, log_sigma, z):
    """ℓ_j = log p~(z_j) - log q(z_j), a number: nothing of it is differentiated."""
    return log_p(z) - log_q(z, logits, mu, log_sigma)


def grad_bbvi(
    log_p: Callable[[Float64[Tensor, "m k"]], Float64[Tensor, " m"]],
    logits: Float64[Tensor, " c"],
    mu: Float64[Tensor, "c k"],
    log_sigma: Float64[Tensor, "c k"],
    z: Float64[Tensor, "m k"],
) -> tuple[Float64[Tensor, " c"], Float64[Tensor, "c k"], Float64[Tensor, "c k"]]:
    """(1/M) Σ_j h_j ℓ_j with the score h_j."""
    ell = _advantage(log_p, logits, mu, log_sigma, z)
    by_logits, by_mu, by_log_sigma = (
        torch.einsum("m,m...->...", ell, h) / len(z) for h in _scores(z, logits, mu, log_sigma)
    )
    return by_logits, by_mu, by_log_sigma


def _with_control_variate(h, ell):
    """(1/M) Σ_j h_j (ℓ_j - a_j), a_j = Σ_{i≠j} h_i² ℓ_i / Σ_{i≠j} h_i², entry by entry."""
    others = 1 - torch.eye(len(ell), dtype=ell.dtype)
    entries, ell = h.reshape(len(h), -1), ell[:, None]
    square = entries**2
    above, below = others @ (square * ell), others @ square
    a = torch.where(below > 0, above / below, 0.0)
    return (entries * (ell - a)).mean(dim=0).reshape(h.shape[1:])


def grad_bbvi_cv(
    log_p: Callable[[Float64[Tensor, "m k"]], Float64[Tensor, " m"]],
    logits: Float64[Tensor, " c"],
    mu: Float64[Tensor, "c k"],
    log_sigma: Float64[Tensor, "c k"],
    z: Float64[Tensor, "m k"],
) -> tuple[Float64[Tensor, " c"], Float64[Tensor, "c k"], Float64[Tensor, "c k"]]:
    """The control variate a h has the mean 0; its a minimises the variance where a_j is exact."""
    ell = _advantage(log_p, logits, mu, log_sigma, z)
    by_logits, by_mu, by_log_sigma = (
        _with_control_variate(h, ell) for h in _scores(z, logits, mu, log_sigma)
    )
    return by_logits, by_mu, by_log_sigma


def fit(
    log_p: Callable[[Float64[Tensor, "m k"]], Float64[Tensor, " m"]],
    c: int,
    generator: torch.Generator,
) -> tuple[Float64[Tensor, " c"], Float64[Tensor, "c 1"], Float64[Tensor, "c 1"]]:
    """Adam, uphill; the learning rate stays for half of the steps, then falls to 0."""
    mu = torch.linspace(-REACH, REACH, c, dtype=torch.float64)[:, None]
    q = [torch.zeros(c, dtype=torch.float64), mu, torch.zeros_like(mu)]
    first, second = ([torch.zeros_like(part) for part in q] for _ in range(2))
    for step in range(1, STEPS + 1):
        u = torch.rand(SAMPLES, dtype=torch.float64, generator=generator)
        eps = torch.randn(SAMPLES, 1, dtype=torch.float64, generator=generator)
        z = sample_q(u, eps, *q)
        gradient = grad_bbvi_cv(log_p, *q, z)
        rate = LEARNING_RATE * min(1.0, 2 - 2 * step / STEPS)
        for i, g in enumerate(gradient):
            first[i] = 0.9 * first[i] + 0.1 * g
            second[i] = 0.999 * second[i] + 0.001 * g**2
            uphill = (first[i] / (1 - 0.9**step)) / ((second[i] / (1 - 0.999**step)).sqrt() + 1e-8)
            q[i] = q[i] + rate * uphill
    return q[0], q[1], q[2]
