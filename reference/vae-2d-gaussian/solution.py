"""A variational autoencoder with Gaussian encoder and decoder, as in the lectures.

-L(θ, φ; x) = E_q[-log p_θ(x | z)] + KL(q_φ(z | x) ‖ N(0, I)), with one z a point. Sources: S0
"Variational Auto-Encoders (VAEs)", S2 "Variational AutoEncoders Training" and "Reparametrization
Trick"; Kingma & Welling 2014, sections 2.3, 2.4 and appendix B.
"""

import math

import torch
from jaxtyping import Float64
from torch import Tensor, nn

LATENT, DATA, HIDDEN = 2, 2, 32
STEPS, BATCH, LEARNING_RATE = 800, 128, 0.01


def sample(
    mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"], eps: Float64[Tensor, "b k"]
) -> Float64[Tensor, "b k"]:
    """z = μ + σ ⊙ ε."""
    sigma = log_sigma.exp()
    return mu + sigma * eps


def elbo_terms(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    x_mean: Float64[Tensor, "b d"],
    x_log_sigma: Float64[Tensor, "b d"],
) -> tuple[Float64[Tensor, " b"], Float64[Tensor, " b"]]:
    """-log p(x | z) = Σ ½ ((x - m)/s)² + ln s + ½ ln 2π and KL = ½ Σ (σ² + μ² - 1 - ln σ²)."""
    deviation = (x - x_mean) / x_log_sigma.exp()
    rec = (0.5 * deviation**2 + x_log_sigma + 0.5 * math.log(2 * math.pi)).sum(dim=1)
    sigma2 = (2 * log_sigma).exp()
    kl = 0.5 * (sigma2 + mu**2 - 1 - 2 * log_sigma).sum(dim=1)
    return rec, kl


def loss(
    x: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    x_mean: Float64[Tensor, "b d"],
    x_log_sigma: Float64[Tensor, "b d"],
) -> Float64[Tensor, ""]:
    """The mean of -L over the batch."""
    rec, kl = elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma)
    return (rec + kl).mean()


class VAE(nn.Module):
    """q_φ(z | x) with one hidden layer and p_θ(x | z) with two; ln σ of both is learned."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(DATA, HIDDEN)
        self.mu, self.log_sigma = nn.Linear(HIDDEN, LATENT), nn.Linear(HIDDEN, LATENT)
        self.first, self.second = nn.Linear(LATENT, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.x_mean, self.x_log_sigma = nn.Linear(HIDDEN, DATA), nn.Linear(HIDDEN, DATA)
        self.double()

    def fit(self, x: Float64[Tensor, "n 2"], generator: torch.Generator) -> float:
        """Adam on -L; the learning rate stays for half of the steps, then falls to 0."""
        optimiser = torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)
        for step in range(STEPS):
            optimiser.param_groups[0]["lr"] = LEARNING_RATE * min(1.0, 2 - 2 * step / STEPS)
            batch = x[torch.randint(len(x), (BATCH,), generator=generator)]
            mu, log_sigma = self.encode(batch)
            eps = torch.randn(mu.shape, dtype=mu.dtype, generator=generator)
            z = sample(mu, log_sigma, eps)
            x_mean, x_log_sigma = self.decode(z)
            objective = loss(batch, mu, log_sigma, x_mean, x_log_sigma)
            optimiser.zero_grad()
            objective.backward()
            optimiser.step()
        return objective.item()

    def encode(
        self, x: Float64[Tensor, "b 2"]
    ) -> tuple[Float64[Tensor, "b 2"], Float64[Tensor, "b 2"]]:
        """(μ, ln σ) of q_φ(z | x)."""
        h = torch.tanh(self.hidden(x))
        mu, log_sigma = self.mu(h), self.log_sigma(h)
        return mu, log_sigma

    def decode(
        self, z: Float64[Tensor, "b 2"]
    ) -> tuple[Float64[Tensor, "b 2"], Float64[Tensor, "b 2"]]:
        """(mean, ln σ) of p_θ(x | z)."""
        h = torch.tanh(self.second(torch.tanh(self.first(z))))
        x_mean, x_log_sigma = self.x_mean(h), self.x_log_sigma(h)
        return x_mean, x_log_sigma
