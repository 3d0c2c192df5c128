"""log p(x) by importance sampling, bounds from groups of weights, and the weights' spread.

q = N(μ, diag σ²), p(z) = N(0, I), p(x | z) = N(W z + b, η I); p(x) = E_q[w] with the weight
w = p(x | z) p(z) / q(z). Sources: S1 "The marginal likelihood" (Proposal, Importance Weight); S2
"VAE – Loss Function Derivation"; S4 "The variational approximation"; S2 "Jensen's Inequality";
Burda, Grosse & Salakhutdinov 2016 for the bounds, who write k for the n of here.
"""

import math

import torch
from jaxtyping import Float64
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


def jensen_gap(w: Float64[Tensor, "m b"], p: Float64[Tensor, " m"]) -> Float64[Tensor, " b"]:
    """log E[w] - E[log w] >= 0."""
    return (p @ w).log() - p @ w.log()


def log_weights(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
    eps: Float64[Tensor, "m b k"],
) -> Float64[Tensor, "m b"]:
    """log p(x | z) + log p(z) - log q(z) at z = μ + σ ⊙ ε."""
    d = x.shape[1]
    z = mu + log_sigma.exp() * eps
    log_lik = -((x - z @ weight.T - bias) ** 2).sum(dim=2) / (2 * eta)
    log_lik = log_lik - 0.5 * d * (LOG_2PI + eta.log())
    log_prior = -0.5 * (z**2 + LOG_2PI).sum(dim=2)
    log_q = -(0.5 * eps**2 + log_sigma + 0.5 * LOG_2PI).sum(dim=2)
    return log_lik + log_prior - log_q


def log_px_is(log_w: Float64[Tensor, "m b"]) -> Float64[Tensor, " b"]:
    """log 1/M Σ_j w_j, the largest weight taken out of the sum first."""
    m = log_w.shape[0]
    return torch.logsumexp(log_w, dim=0) - math.log(m)


def iw_bound(log_w: Float64[Tensor, "m b"], n: int) -> Float64[Tensor, " b"]:
    """The mean over groups of log 1/n Σ w; its expectation is L_n, and L_n <= L_{n+1} <= log p."""
    groups = log_w.unflatten(0, (-1, n))
    log_mean = torch.logsumexp(groups, dim=1) - math.log(n)
    return log_mean.mean(dim=0)


def rel_var(log_w: Float64[Tensor, "m b"]) -> Float64[Tensor, " b"]:
    """1/M Σ (w_j / w̄ - 1)²; a common factor of the weights cancels."""
    w = (log_w - log_w.amax(dim=0)).exp()
    mean = w.mean(dim=0)
    return ((w / mean - 1) ** 2).mean(dim=0)


def estimate(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    weight: Float64[Tensor, "d k"],
    bias: Float64[Tensor, " d"],
    eta: Float64[Tensor, ""],
    n: int,
    generator: torch.Generator,
) -> Float64[Tensor, " b"]:
    """log p̂(x), p̂ = 1/n Σ w_j with independent z_j ~ q."""
    eps = torch.randn(n, *mu.shape, generator=generator, dtype=mu.dtype)
    log_w = log_weights(x, mu, log_sigma, weight, bias, eta, eps)
    return log_px_is(log_w)
