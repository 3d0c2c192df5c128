"""A variational autoencoder with one hidden layer on either side."""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

STEPS, BATCH, HIDDEN = 600, 128, 48


class VAE(nn.Module):
    def __init__(self, pixels, latent):
        super().__init__()
        self.latent = latent
        self.encoder = nn.Sequential(
            nn.Linear(pixels, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 2 * latent)
        ).double()
        self.decoder = nn.Sequential(
            nn.Linear(latent, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, pixels)
        ).double()

    def fit(self, images, generator):
        for parameter in self.parameters():
            bound = parameter.shape[-1] ** -0.5
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        optimiser = torch.optim.Adam(self.parameters(), lr=5e-3)
        for step in range(STEPS):
            optimiser.param_groups[0]["lr"] = 5e-3 * (1 - step / STEPS)
            rows = torch.randint(0, len(images), (BATCH,), generator=generator)
            mu, log_sigma = self.encode(images[rows])
            logits = self.decode(self.sample(mu, log_sigma, generator))
            rec = binary_cross_entropy_with_logits(logits, images[rows], reduction="sum") / BATCH
            kl = 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum() / BATCH
            optimiser.zero_grad()
            (rec + kl).backward()
            optimiser.step()
        return (rec + kl).item()

    def encode(self, x):
        return self.encoder(x).split(self.latent, dim=1)

    def sample(self, mu, log_sigma, generator):
        noise = torch.randn(mu.shape, dtype=mu.dtype, generator=generator)
        return mu + log_sigma.exp() * noise

    def decode(self, z):
        return self.decoder(z)
