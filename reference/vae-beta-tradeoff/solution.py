"""A variational autoencoder of binary images whose KL has a weight, as in the lecture.

Minimised is the mean of E_q[-log p_θ(x | z)] + β KL(q_φ(z | x) ‖ N(0, I)), with one z an image.
Sources: S2 "Variational AutoEncoders Training", "Too High Latent Loss" and "Too High
Reconstruction Loss"; Higgins et al. 2017, section 2.
"""

import torch
from jaxtyping import Float32, Float64
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

PIXELS, HIDDEN, LATENT = 64, 128, 8
STEPS, BATCH, LEARNING_RATE = 600, 64, 0.003


def terms(
    x: Float64[Tensor, "b d"],
    logits: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
) -> tuple[Float64[Tensor, " b"], Float64[Tensor, " b"]]:
    """-log p(x | z) = -Σ x ln p + (1 - x) ln(1 - p) and KL = ½ Σ (σ² + μ² - 1 - ln σ²)."""
    log_p, log_not_p = logsigmoid(logits), logsigmoid(-logits)
    rec = -(x * log_p + (1 - x) * log_not_p).sum(dim=1)
    sigma2 = (2 * log_sigma).exp()
    kl = 0.5 * (sigma2 + mu**2 - 1 - 2 * log_sigma).sum(dim=1)
    return rec, kl


def beta_loss(
    x: Float64[Tensor, "b d"],
    logits: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
    beta: float,
) -> Float64[Tensor, ""]:
    """The mean over the batch of reconstruction + β · KL."""
    rec, kl = terms(x, logits, mu, log_sigma)
    return (rec + beta * kl).mean()


class VAE(nn.Module):
    """q_φ(z | x) and p_θ(x | z), each with one hidden layer."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(PIXELS, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, 2 * LATENT),
        )
        self.decoder = nn.Sequential(
            nn.Linear(LATENT, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, PIXELS),
        )

    def fit(self, x: Float32[Tensor, "n 64"], beta: float, generator: torch.Generator) -> float:
        """Adam; the learning rate stays for half of the steps, then falls to 0."""
        optimiser = torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)
        for step in range(STEPS):
            optimiser.param_groups[0]["lr"] = LEARNING_RATE * min(1.0, 2 - 2 * step / STEPS)
            batch = x[torch.randint(len(x), (BATCH,), generator=generator)]
            mu, log_sigma = self.encode(batch)
            eps = torch.randn(mu.shape, generator=generator)
            z = mu + log_sigma.exp() * eps
            objective = beta_loss(batch, self.decode(z), mu, log_sigma, beta)
            optimiser.zero_grad()
            objective.backward()
            optimiser.step()
        return objective.item()

    def encode(
        self, x: Float32[Tensor, "b 64"]
    ) -> tuple[Float32[Tensor, "b 8"], Float32[Tensor, "b 8"]]:
        """(μ, ln σ) of q_φ(z | x)."""
        mu, log_sigma = self.encoder(x).split(LATENT, dim=1)
        return mu, log_sigma

    def decode(self, z: Float32[Tensor, "b 8"]) -> Float32[Tensor, "b 64"]:
        """The logits of p_θ(x | z)."""
        return self.decoder(z)
