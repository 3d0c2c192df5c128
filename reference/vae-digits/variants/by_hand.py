"""Every gradient and Adam written out; the pixels' term as ln(1 + e^-|l|), no autograd at all."""

import math

import torch
from torch import nn


def softplus(t):
    return t.clamp(min=0) + torch.log1p(torch.exp(-t.abs()))


class VAE(nn.Module):
    def __init__(self, d=64, h=128, k=8):
        super().__init__()
        self.hidden = nn.Linear(d, h, dtype=torch.float64)
        self.mu = nn.Linear(h, k, dtype=torch.float64)
        self.log_sigma = nn.Linear(h, k, dtype=torch.float64)
        self.expand = nn.Linear(k, h, dtype=torch.float64)
        self.logits = nn.Linear(h, d, dtype=torch.float64)

    def encode(self, x):
        a = torch.maximum(self.hidden(x), torch.zeros((), dtype=x.dtype))
        return self.mu(a), self.log_sigma(a)

    def decode(self, z):
        a = torch.maximum(self.expand(z), torch.zeros((), dtype=z.dtype))
        return self.logits(a)

    def terms(self, x, eps):
        mu, log_sigma = self.encode(x)
        logits = self.decode(mu + torch.exp(log_sigma) * eps)
        # a bright pixel costs ln(1 + e^-l), a dark one ln(1 + e^l)
        rec = softplus((1 - 2 * x) * logits).sum(1)
        kl = ((torch.exp(log_sigma) ** 2 + mu * mu) / 2 - log_sigma - 0.5).sum(1)
        return rec, kl

    def log_marginal(self, x, eps):
        rows = []
        for one in eps:
            mu, log_sigma = self.encode(x)
            z = mu + torch.exp(log_sigma) * one
            rec = softplus((1 - 2 * x) * self.decode(z)).sum(1)
            rows.append(((one**2 - z**2) / 2 + log_sigma).sum(1) - rec)
        total = rows[0]
        for row in rows[1:]:
            total = torch.logaddexp(total, row)
        return total - math.log(len(eps))

    @torch.no_grad()
    def fit(self, x, generator):
        names = [name for name, _ in self.named_parameters()]
        values = dict(self.named_parameters())
        m = {name: torch.zeros_like(values[name]) for name in names}
        v = {name: torch.zeros_like(values[name]) for name in names}
        for t in range(1, 1201):
            rate = 0.003 * min(1.0, (1201 - t) / 600)
            batch = x[torch.randint(0, len(x), (64,), generator=generator)]
            eps = torch.randn(64, 8, generator=generator, dtype=x.dtype)
            loss, grads = self._gradients(batch, eps)
            for name in names:
                g = grads[name]
                m[name] = 0.9 * m[name] + 0.1 * g
                v[name] = 0.999 * v[name] + 0.001 * g * g
                step = m[name] / (1 - 0.9**t) / ((v[name] / (1 - 0.999**t)).sqrt() + 1e-8)
                values[name] -= rate * step
        return loss

    def _gradients(self, x, eps):
        n = len(x)
        a1 = self.hidden(x)
        h1 = a1.clamp(min=0)
        mu, s = self.mu(h1), self.log_sigma(h1)
        sigma = s.exp()
        z = mu + sigma * eps
        a2 = self.expand(z)
        h2 = a2.clamp(min=0)
        logits = self.logits(h2)
        loss = softplus((1 - 2 * x) * logits).sum() / n
        loss = loss + (((sigma**2 + mu**2) / 2 - s - 0.5).sum() / n)
        d_logits = (torch.sigmoid(logits) - x) / n
        d_a2 = (d_logits @ self.logits.weight) * (a2 > 0)
        d_z = d_a2 @ self.expand.weight
        d_mu = d_z + mu / n
        d_s = d_z * sigma * eps + (sigma**2 - 1) / n
        d_a1 = (d_mu @ self.mu.weight + d_s @ self.log_sigma.weight) * (a1 > 0)
        grads = {}
        for name, d_out, into in (
            ("hidden", d_a1, x), ("mu", d_mu, h1), ("log_sigma", d_s, h1),
            ("expand", d_a2, z), ("logits", d_logits, h2),
        ):
            grads[f"{name}.weight"], grads[f"{name}.bias"] = d_out.T @ into, d_out.sum(0)
        return float(loss), grads
