"""Spins instead of pixels, and softplus layers; the encoder's spread starts below one."""

import torch
from torch import nn
from torch.nn.functional import logsigmoid, softplus


class VAE(nn.Module):
    def __init__(self, pixels, latent):
        super().__init__()
        sizes = {
            "enter": (40, pixels),
            "mean": (latent, 40),
            "spread": (latent, 40),
            "open": (40, latent),
            "leave": (pixels, 40),
        }
        for name, (rows, columns) in sizes.items():
            weight = torch.zeros(rows, columns + 1, dtype=torch.float64)
            self.register_parameter(name, nn.Parameter(weight))

    def fit(self, images, generator):
        with torch.no_grad():
            for weight in self.parameters():
                weight[:, :-1].normal_(0, weight.shape[1] ** -0.5, generator=generator)
            self.spread[:, -1] = -0.5
        optimiser = torch.optim.Adam(self.parameters(), lr=5e-3)
        for step in range(800):
            optimiser.param_groups[0]["lr"] = 5e-3 * 0.995**step + 1e-4
            x = images[torch.randint(0, len(images), (128,), generator=generator)]
            mu, log_sigma = self.encode(x)
            z = self.sample(mu, log_sigma, generator)
            kl = (mu**2 + (2 * log_sigma).exp() - 1) / 2 - log_sigma
            loss = (kl.sum(1) - logsigmoid((2 * x - 1) * self.decode(z)).sum(1)).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return loss.item()

    def encode(self, x):
        hidden = softplus(_affine(self.enter, 2 * x - 1))
        return _affine(self.mean, hidden), _affine(self.spread, hidden)

    def sample(self, mu, log_sigma, generator):
        return mu + log_sigma.exp() * torch.randn(mu.shape, generator=generator, dtype=mu.dtype)

    def decode(self, z):
        return _affine(self.leave, softplus(_affine(self.open, z)))


def _affine(weight, x):
    return x @ weight[:, :-1].T + weight[:, -1]
