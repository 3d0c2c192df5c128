"""beta-VAE for the small digits. beta says how much the reconstruction counts."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def terms(x, logits, mu, log_sigma):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1)
    logvar = 2 * log_sigma
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=-1)
    return rec, kl


def beta_loss(x, logits, mu, log_sigma, beta):
    rec, kl = terms(x, logits, mu, log_sigma)
    return torch.sum(beta * rec + kl) / x.shape[0]


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 16))
        self.decoder = nn.Sequential(nn.Linear(8, 128), nn.ReLU(), nn.Linear(128, 64))

    def fit(self, x, beta, generator):
        opt = torch.optim.Adam(self.parameters(), lr=3e-3)
        for i in range(600):
            # 0.003 for the first half, then down to zero
            for g in opt.param_groups:
                g["lr"] = 3e-3 if i < 300 else 3e-3 * (600 - i) / 300
            xb = x[torch.randperm(x.shape[0], generator=generator)[:64]]
            mu, ls = self.encode(xb)
            z = mu + torch.exp(ls) * torch.randn(64, 8, generator=generator)
            loss = beta_loss(xb, self.decode(z), mu, ls, beta)
            opt.zero_grad()
            loss.backward()
            opt.step()
        return loss.item()

    def encode(self, x):
        out = self.encoder(x)
        return out[:, :8], out[:, 8:]

    def decode(self, z):
        return self.decoder(z)
