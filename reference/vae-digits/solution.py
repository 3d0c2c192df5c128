"""A variational autoencoder with Bernoulli pixels, its bound and its importance-sampled likelihood.

Sources: S2 "Variational AutoEncoders Training", S1 "Variational Autoencoder", S3 "Variational
Auto-encoder (VAE)"; Kingma & Welling 2014; Burda et al. 2016, equation 8.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float64
from torch import Tensor, nn

STEPS, BATCH, LEARNING_RATE = 1200, 64, 0.003


class VAE(nn.Module):
    """q(z | x) = N(μ, diag σ²) and p(x | z) = Π Bernoulli, one hidden layer each."""

    def __init__(self, d: int = 64, h: int = 128, k: int = 8) -> None:
        super().__init__()
        self.hidden = nn.Linear(d, h)
        self.mu = nn.Linear(h, k)
        self.log_sigma = nn.Linear(h, k)
        self.expand = nn.Linear(k, h)
        self.logits = nn.Linear(h, d)
        self.double()

    def encode(
        self, x: Float64[Tensor, "b d"]
    ) -> tuple[Float64[Tensor, "b k"], Float64[Tensor, "b k"]]:
        """(μ, ln σ)."""
        hidden = torch.relu(self.hidden(x))
        return self.mu(hidden), self.log_sigma(hidden)

    def decode(self, z: Float64[Tensor, "b k"]) -> Float64[Tensor, "b d"]:
        """Logits."""
        return self.logits(torch.relu(self.expand(z)))

    def _reconstruction(self, x: Tensor, z: Tensor) -> Tensor:
        """-log p(x | z), summed over the pixels."""
        logits = self.decode(z)
        return F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1)

    def terms(
        self, x: Float64[Tensor, "b d"], eps: Float64[Tensor, "b k"]
    ) -> tuple[Float64[Tensor, " b"], Float64[Tensor, " b"]]:
        """KL = ½ Σ (σ² + μ² - 1 - ln σ²)."""
        mu, log_sigma = self.encode(x)
        z = mu + log_sigma.exp() * eps
        kl = 0.5 * ((2 * log_sigma).exp() + mu**2 - 1 - 2 * log_sigma).sum(dim=1)
        return self._reconstruction(x, z), kl

    def log_marginal(
        self, x: Float64[Tensor, "b d"], eps: Float64[Tensor, "s b k"]
    ) -> Float64[Tensor, " b"]:
        """ln 1/S Σ_s p(x | z_s) p(z_s) / q(z_s | x)."""
        mu, log_sigma = self.encode(x)
        z = mu + log_sigma.exp() * eps
        log_ratio = (0.5 * eps**2 - 0.5 * z**2 + log_sigma).sum(dim=2)  # ln p(z) - ln q(z | x)
        log_weights = log_ratio - self._reconstruction(x.expand(len(z), -1, -1), z)
        return torch.logsumexp(log_weights, dim=0) - math.log(len(eps))

    def fit(self, x: Float64[Tensor, "n 64"], generator: torch.Generator) -> float:
        """Adam on the mean of both terms; the rate stays for half of the steps, then falls to 0."""
        optimiser = torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)
        for step in range(STEPS):
            optimiser.param_groups[0]["lr"] = LEARNING_RATE * min(1.0, 2 - 2 * step / STEPS)
            batch = x[torch.randint(len(x), (BATCH,), generator=generator)]
            eps = torch.randn(BATCH, self.mu.out_features, dtype=x.dtype, generator=generator)
            rec, kl = self.terms(batch, eps)
            loss = (rec + kl).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return loss.item()
