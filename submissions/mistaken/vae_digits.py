"""VAE of binary digits."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class VAE(nn.Module):
    def __init__(self, d=64, h=128, k=8):
        super().__init__()
        f64 = torch.float64
        self.hidden = nn.Linear(d, h, dtype=f64)
        self.mu = nn.Linear(h, k, dtype=f64)
        self.log_sigma = nn.Linear(h, k, dtype=f64)
        self.expand = nn.Linear(k, h, dtype=f64)
        self.logits = nn.Linear(h, d, dtype=f64)

    def encode(self, x):
        h = F.relu(self.hidden(x))
        return self.mu(h), self.log_sigma(h)

    def decode(self, z):
        return self.logits(F.relu(self.expand(z)))

    def log_px(self, x, z):
        l = self.decode(z)
        return (x * F.logsigmoid(l) + (1 - x) * F.logsigmoid(-l)).sum(-1)

    def terms(self, x, eps):
        mu, ls = self.encode(x)
        kl = (0.5 * mu**2 + 0.5 * torch.exp(2 * ls) - ls - 0.5).sum(-1)
        return -self.log_px(x, mu + ls.exp() * eps), kl

    def log_marginal(self, x, eps):
        mu, ls = self.encode(x)
        z = mu + ls.exp() * eps
        log_w = self.log_px(x, z) + (ls + (eps**2 - z**2) / 2).sum(-1)
        return log_w.mean(0)

    def fit(self, x, generator):
        opt = torch.optim.Adam(self.parameters(), lr=3e-3)
        sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda i: min(1.0, (1200 - i) / 600))
        for _ in range(1200):
            xb = x[torch.randint(len(x), (64,), generator=generator)]
            eps = torch.randn(64, 8, dtype=torch.float64, generator=generator)
            rec, kl = self.terms(xb, eps)
            loss = rec.mean() + 0.1 * kl.mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
        return loss.item()
