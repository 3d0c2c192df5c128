"""VAE on 2-D points: nets as classes of their own, one optimiser for each of them."""

import numpy as np
import torch
import torch.nn as nn


def sample(mu, log_sigma, eps):
    return mu + torch.exp(log_sigma) * eps


def gauss_nll(x, m, ls):
    var = torch.exp(ls) ** 2
    return 0.5 * torch.sum(np.log(2 * np.pi) + 2 * ls + (x - m) ** 2 / var, dim=-1)


def elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma):
    rec = gauss_nll(x, x_mean, x_log_sigma)
    logvar = 2 * log_sigma
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=-1)
    return rec, kl


def loss(x, mu, log_sigma, x_mean, x_log_sigma):
    rec, kl = elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma)
    return torch.sum(rec + kl) / x.shape[0]


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 32)
        self.fc2 = nn.Linear(32, 4)

    def forward(self, x):
        out = self.fc2(self.fc1(x).tanh())
        return out[..., :2], out[..., 2:]


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 32)
        self.fc2 = nn.Linear(32, 32)
        self.mean = nn.Linear(32, 2)
        self.log_sigma = nn.Linear(32, 2)

    def forward(self, z):
        h = self.fc2(self.fc1(z).tanh()).tanh()
        return self.mean(h), self.log_sigma(h)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = Encoder()
        self.dec = Decoder()

    def fit(self, x, generator):
        x = x.to(torch.float32)
        opts = [torch.optim.Adam(net.parameters(), lr=0.01) for net in (self.enc, self.dec)]
        for i in range(800):
            # 0.01 for the first half, then down to zero
            lr = 0.01 if i < 400 else 0.01 * (800 - i) / 400
            for opt in opts:
                for g in opt.param_groups:
                    g["lr"] = lr
                opt.zero_grad()
            xb = x[torch.randperm(x.shape[0], generator=generator)[:128]]
            mu, ls = self.enc(xb)
            z = sample(mu, ls, torch.randn(128, 2, generator=generator))
            L = loss(xb, mu, ls, *self.dec(z))
            L.backward()
            for opt in opts:
                opt.step()
        return L.item()

    @torch.no_grad()
    def encode(self, x):
        mu, ls = self.enc(x.float())
        return mu.double(), ls.double()

    @torch.no_grad()
    def decode(self, z):
        m, ls = self.dec(z.float())
        return m.double(), ls.double()
