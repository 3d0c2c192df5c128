"""Shuffled epochs, all noise in advance, one optimiser for each network."""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, linear, relu

STEPS, BATCH = 600, 64


def terms(x, logits, mu, log_sigma):
    rec = binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    kl = ((2 * log_sigma).exp() + mu.square()).sum(1) / 2 - log_sigma.sum(1) - mu.shape[1] / 2
    return rec, kl


def beta_loss(x, logits, mu, log_sigma, beta):
    rec, kl = terms(x, logits, mu, log_sigma)
    return (rec.sum() + beta * kl.sum()) / len(x)


class Two(nn.ModuleList):
    def __init__(self, inputs, outputs):
        super().__init__([nn.Linear(inputs, 128), nn.Identity(), nn.Linear(128, outputs)])

    def forward(self, h):
        first, _, last = self
        return linear(relu(first(h)), last.weight, last.bias)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Two(64, 16)
        self.decoder = Two(8, 64)

    def fit(self, x, beta, generator):
        batches = len(x) // BATCH
        epochs = -(-STEPS // batches)
        order = [torch.randperm(len(x), generator=generator) for _ in range(epochs)]
        rows = torch.cat([one[: batches * BATCH] for one in order]).view(-1, BATCH)
        noise = torch.randn(STEPS, BATCH, 8, generator=generator)
        optimisers = [torch.optim.Adam(net.parameters()) for net in (self.encoder, self.decoder)]
        for step in range(STEPS):
            rate = 3e-3 if step < 300 else 3e-3 * (1 - (step - 300) / 300)
            for optimiser in optimisers:
                optimiser.param_groups[0]["lr"] = rate
                optimiser.zero_grad(set_to_none=True)
            batch = x[rows[step]]
            mu, log_sigma = self.encode(batch)
            logits = self.decode(torch.addcmul(mu, log_sigma.exp(), noise[step]))
            total = beta_loss(batch, logits, mu, log_sigma, beta)
            total.backward()
            for optimiser in optimisers:
                optimiser.step()
        return total.item()

    def encode(self, x):
        out = self.encoder(x)
        return out[:, :8], out[:, 8:]

    def decode(self, z):
        return self.decoder(z)
