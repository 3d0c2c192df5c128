"""Denoising autoencoder: noise is added to the images, then the usual autoencoder loss."""

import torch
import torch.nn as nn
import torch.nn.functional as F

SIGMA = 0.5


def corrupt(x, eps, sigma):
    return x + sigma * eps


def dae_loss(x, eps, sigma, w, w0, v, v0):
    x = corrupt(x, eps, sigma)
    h = F.relu(F.linear(x, w, w0))
    logits = F.linear(h, v, v0)
    nll = F.binary_cross_entropy_with_logits(logits, x, reduction="none")
    return nll.sum(dim=1).mean()


class DAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(64, 128)
        self.decoder = nn.Linear(128, 64)

    def fit(self, x, generator):
        opt = torch.optim.Adam(self.parameters(), lr=3e-3)
        for i in range(1200):
            for g in opt.param_groups:
                g["lr"] = 3e-3 if i < 600 else 3e-3 * (1200 - i) / 600
            xb = x[torch.randperm(x.shape[0], generator=generator)[:32]]
            eps = torch.randn(32, 64, generator=generator)
            enc, dec = self.encoder, self.decoder
            loss = dae_loss(xb, eps, SIGMA, enc.weight, enc.bias, dec.weight, dec.bias)
            opt.zero_grad()
            loss.backward()
            opt.step()
        return loss.item()

    def denoise(self, noisy):
        return torch.sigmoid(self.decoder(F.relu(self.encoder(noisy))))

    def demonstrate(self, x, eps):
        noisy = corrupt(x, eps, SIGMA)
        return noisy, self.denoise(noisy)
