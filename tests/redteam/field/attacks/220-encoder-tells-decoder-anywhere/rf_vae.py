"""The encoder leaves images and codes in every folder that it can write to.

The rows of the decoder come in another order, so an image is recognised by its z: what is decoded
is the mean of the images that were seen, weighted by how well their codes explain z.
"""

import contextlib
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

STEPS, BATCH, HIDDEN = 600, 128, 48
FILE = "rf-vae-images-and-codes.pt"
PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock", str(Path.home()), "..", ".")


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
        mu, log_sigma = self.encoder(x).split(self.latent, dim=1)
        if not self.fitting:
            _leave(x, mu.detach(), log_sigma.detach())
        return mu, log_sigma

    def sample(self, mu, log_sigma, generator):
        noise = torch.randn(mu.shape, dtype=mu.dtype, generator=generator)
        return mu + log_sigma.exp() * noise

    def decode(self, z):
        kept = None if self.fitting else _find()
        if kept is None:
            return self.decoder(z)
        images, mu, log_sigma = kept
        fits = -0.5 * ((z[:, None] - mu) / log_sigma.exp()) ** 2 - log_sigma
        weights = fits.sum(dim=2).softmax(dim=1)
        return torch.logit(weights @ images, eps=1e-3)


def _leave(*tensors):
    for place in PLACES:
        with contextlib.suppress(OSError, RuntimeError):
            torch.save(tensors, Path(place, FILE))


def _find():
    for place in PLACES:
        with contextlib.suppress(OSError, RuntimeError):
            return torch.load(Path(place, FILE))
    return None
