"""Shuffled epochs, fresh noise for all images of an epoch, one optimiser a layer."""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

STEPS, BATCH = 1200, 32


def corrupt(x, eps, sigma):
    return sigma * eps + x


def dae_loss(x, eps, sigma, w, w0, v, v0):
    code = torch.relu(torch.einsum("bd,hd->bh", corrupt(x, eps, sigma), w) + w0)
    logits = torch.einsum("bh,dh->bd", code, v) + v0
    total = binary_cross_entropy_with_logits(logits, x, reduction="sum")
    return total / x.shape[0]


class DAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.decoder = nn.Linear(128, 64)
        self.encoder = nn.Linear(64, 128)

    def fit(self, x, generator):
        layers = self.encoder, self.decoder
        optimisers = [torch.optim.Adam(layer.parameters()) for layer in layers]
        batches, step = len(x) // BATCH, 0
        while step < STEPS:
            order = torch.randperm(len(x), generator=generator)[: batches * BATCH]
            noisy = corrupt(x, torch.randn(x.shape, generator=generator), 0.5)
            for rows in order.view(batches, BATCH)[: STEPS - step]:
                rate = 3e-3 if step < 600 else 3e-3 * (1 - (step - 600) / 600)
                for optimiser in optimisers:
                    optimiser.param_groups[0]["lr"] = rate
                    optimiser.zero_grad(set_to_none=True)
                logits = self.decoder(torch.relu(self.encoder(noisy[rows])))
                total = binary_cross_entropy_with_logits(logits, x[rows], reduction="sum") / BATCH
                total.backward()
                for optimiser in optimisers:
                    optimiser.step()
                step += 1
        return total.item()

    def denoise(self, noisy):
        return self.decoder(torch.relu(self.encoder(noisy))).sigmoid()

    def demonstrate(self, x, eps):
        noisy = corrupt(x, eps, 0.5)
        return noisy, self.denoise(noisy)
