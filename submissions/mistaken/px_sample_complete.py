"""Puts the known pixels in at the end, and judges completions without looking ahead."""

import torch
import torch.nn.functional as F


def sample(model, u):
    x = torch.zeros_like(u)
    for row in range(u.shape[2]):
        for col in range(u.shape[3]):
            p = torch.sigmoid(model(x)[:, 0, row, col])
            x[:, 0, row, col] = (u[:, 0, row, col] < p).double()
    return x


def complete(model, x, observed, u):
    return torch.where(observed, x, sample(model, u))


def draw(model, x, observed, generator):
    u = torch.rand(x.shape, generator=generator, dtype=torch.float64)
    return complete(model, x, observed, u)


def log_conditional(model, x, observed):
    log_p = -F.binary_cross_entropy_with_logits(model(x), x, reduction="none")
    return (log_p * ~observed).sum((1, 2, 3))


def sample_vae(decoder, z, u):
    return (u < torch.sigmoid(decoder(z))).double()
