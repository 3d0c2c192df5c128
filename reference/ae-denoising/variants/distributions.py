"""The library's Bernoulli law, Adam's rate from a scheduler, torch's global generator."""

import torch
from torch import nn
from torch.distributions import Bernoulli
from torch.nn.functional import linear
from torch.optim.lr_scheduler import LambdaLR


def corrupt(x, eps, sigma):
    return torch.add(x, eps, alpha=sigma)


def dae_loss(x, eps, sigma, w, w0, v, v0):
    logits = linear(linear(corrupt(x, eps, sigma), w, w0).relu(), v, v0)
    return -Bernoulli(logits=logits, validate_args=False).log_prob(x).sum(-1).mean()


class DAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(64, 128), nn.Linear(128, 64)

    def fit(self, x, generator):
        adam = torch.optim.Adam(self.parameters(), lr=3e-3)
        rate = LambdaLR(adam, lambda step: 1.0 if step < 600 else (1200 - step) / 600)
        for _ in range(1200):
            adam.zero_grad()
            batch = x[torch.randint(len(x), (32,))]
            noise = torch.randn_like(batch)
            value = dae_loss(batch, noise, 0.5, *self.parameters())
            value.backward()
            adam.step()
            rate.step()
        return value.item()

    def denoise(self, noisy):
        return torch.sigmoid(self.decoder(self.encoder(noisy).relu()))

    def demonstrate(self, x, eps):
        shown = corrupt(x, eps, 0.5)
        return shown, self.denoise(shown)
