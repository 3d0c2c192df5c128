"""A conditional VAE: everything depends on x, the prior of z as well.

L = E_q[log p(y | x, z) + log p(z | x)] + H(q) = E_q[log p(y | x, z)] - KL(q ‖ p(z | x)), where q is
q(z | x, y).

Sources: S4 "Conditional models"; S0 "Variational Auto-Encoders" (the divergence of two Gaussians);
Sohn, Lee & Yan 2015.
"""

import math

import torch
from jaxtyping import Float64
from torch import Tensor, nn

STEPS, BATCH, LEARNING_RATE = 600, 512, 0.02


def _divergence(mu1: Tensor, log_sigma1: Tensor, mu2: Tensor, log_sigma2: Tensor) -> Tensor:
    """Σ ln σ₂/σ₁ + (σ₁² + (μ₁ - μ₂)²) / 2σ₂² - ½."""
    spread = (2 * (log_sigma1 - log_sigma2)).exp()
    shift = ((mu1 - mu2) * (-log_sigma2).exp()) ** 2
    return (log_sigma2 - log_sigma1 + (spread + shift - 1) / 2).sum(dim=1)


def _log_normal(y: Tensor, mean: Tensor, log_tau: Tensor) -> Tensor:
    """ln N(y; mean, τ²), summed over the outputs."""
    squares = ((y - mean) * (-log_tau).exp()) ** 2
    return -(squares / 2 + log_tau + math.log(2 * math.pi) / 2).sum(dim=-1)


def kl_diag(
    mu1: Float64[Tensor, "b k"],
    log_sigma1: Float64[Tensor, "b k"],
    mu2: Float64[Tensor, "b k"],
    log_sigma2: Float64[Tensor, "b k"],
) -> Float64[Tensor, " b"]:
    """KL(N₁ ‖ N₂) = E₁[ln N₁ - ln N₂]."""
    return _divergence(mu1, log_sigma1, mu2, log_sigma2)


class CVAE(nn.Module):
    """q(z | x, y) and p(y | x, z) with one hidden layer each, p(z | x) with none."""

    def __init__(self, d: int = 2, m: int = 1, h: int = 32, k: int = 1) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(d + m, h), nn.ReLU(), nn.Linear(h, 2 * k))
        self.prior = nn.Linear(d, 2 * k)
        self.decoder = nn.Sequential(nn.Linear(d + k, h), nn.ReLU(), nn.Linear(h, 2 * m))
        self.double()

    def _posterior(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        mu, log_sigma = self.encoder(torch.cat([x, y], dim=1)).chunk(2, dim=1)
        return mu, log_sigma

    def _prior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mu, log_sigma = self.prior(x).chunk(2, dim=1)
        return mu, log_sigma

    def _outputs(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_tau = self.decoder(torch.cat([x, z], dim=-1)).chunk(2, dim=-1)
        return mean, log_tau

    def encode(
        self, x: Float64[Tensor, "b d"], y: Float64[Tensor, "b m"]
    ) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
        """(μ, ln σ) of q(z | x, y)."""
        return self._posterior(x, y)

    def conditional_prior(
        self, x: Float64[Tensor, "b d"]
    ) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
        """(μ, ln σ) of p(z | x)."""
        return self._prior(x)

    def decode(
        self, x: Float64[Tensor, "b d"], z: Float64[Tensor, "b k"]
    ) -> tuple[Float64[Tensor, "b m"], Float64[Tensor, "b m"]]:
        """(mean, ln τ) of p(y | x, z)."""
        return self._outputs(x, z)

    def _loss(self, x: Tensor, y: Tensor, eps: Tensor) -> Tensor:
        """-ln p(y | x, z) + KL(q(z | x, y) ‖ p(z | x)) at z = μ + σ ε."""
        mu, log_sigma = self._posterior(x, y)
        prior_mu, prior_log_sigma = self._prior(x)
        z = mu + log_sigma.exp() * eps
        mean, log_tau = self._outputs(x, z)
        kl = _divergence(mu, log_sigma, prior_mu, prior_log_sigma)
        return kl - _log_normal(y, mean, log_tau)

    def loss(
        self, x: Float64[Tensor, "b d"], y: Float64[Tensor, "b m"], eps: Float64[Tensor, "b k"]
    ) -> Float64[Tensor, " b"]:
        """-L, row by row."""
        return self._loss(x, y, eps)

    def step(
        self,
        x: Float64[Tensor, "b d"],
        y: Float64[Tensor, "b m"],
        eps: Float64[Tensor, "b k"],
        rate: float,
    ) -> float:
        """θ ← θ - rate ∇θ mean(-L), for encoder, prior and decoder at once."""
        parameters = list(self.parameters())
        mean = self._loss(x, y, eps).mean()
        slopes = torch.autograd.grad(mean, parameters)
        with torch.no_grad():
            for parameter, slope in zip(parameters, slopes, strict=True):
                parameter.sub_(rate * slope)
        return mean.item()

    def log_likelihood(
        self, x: Float64[Tensor, "b d"], y: Float64[Tensor, "b m"], eps: Float64[Tensor, "s b k"]
    ) -> Float64[Tensor, " b"]:
        """ln 1/S Σ_s p(y | x, z_s), z_s ~ p(z | x)."""
        mu, log_sigma = self._prior(x)
        z = mu + log_sigma.exp() * eps
        mean, log_tau = self._outputs(x.expand(len(eps), -1, -1), z)
        log_p = _log_normal(y, mean, log_tau)
        return torch.logsumexp(log_p, dim=0) - math.log(len(eps))

    def sample(
        self,
        x: Float64[Tensor, "b d"],
        eps: Float64[Tensor, "b k"],
        noise: Float64[Tensor, "b m"],
    ) -> Float64[Tensor, "b m"]:
        """z ~ p(z | x), then y ~ p(y | x, z)."""
        mu, log_sigma = self._prior(x)
        z = mu + log_sigma.exp() * eps
        mean, log_tau = self._outputs(x, z)
        return mean + log_tau.exp() * noise

    def fit(
        self,
        x: Float64[Tensor, "n 2"],
        y: Float64[Tensor, "n 1"],
        generator: torch.Generator,
    ) -> float:
        """Adam in single precision; the rate stays for half of the steps, then falls to 0."""
        self.float()
        x, y = x.float(), y.float()
        optimiser = torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)
        for step in range(STEPS):
            optimiser.param_groups[0]["lr"] = LEARNING_RATE * min(1.0, 2 - 2 * step / STEPS)
            rows = torch.randint(len(x), (BATCH,), generator=generator)
            eps = torch.randn(BATCH, 1, generator=generator)
            objective = self._loss(x[rows], y[rows], eps).mean()
            optimiser.zero_grad()
            objective.backward()
            optimiser.step()
        self.double()
        return objective.item()
