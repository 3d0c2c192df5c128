"""Pixel after pixel, with one pass of the network at every place where something is missing."""

import torch
import torch.nn.functional as F


def _fill(model, x, missing, noise):
    """Fills in what is missing; noise(place) gives the uniform numbers of one place."""
    x = x.clone()
    b, _, h, w = x.shape
    for i in range(h):
        for j in range(w):
            todo = missing[:, 0, i, j]
            if not todo.any():
                continue
            prob = torch.sigmoid(model(x)[:, 0, i, j])
            bit = torch.where(noise(i, j) < prob, 1.0, 0.0).to(x.dtype)
            x[todo, 0, i, j] = bit[todo]
    return x


def sample(model, u):
    everything = torch.ones(u.shape, dtype=torch.bool)
    return _fill(model, torch.zeros_like(u), everything, lambda i, j: u[:, 0, i, j])


def complete(model, x, observed, u):
    return _fill(model, x, ~observed, lambda i, j: u[:, 0, i, j])


def draw(model, x, observed, generator):
    def noise(i, j):
        return torch.rand(len(x), generator=generator, dtype=torch.float64)

    return _fill(model, x, ~observed, noise)


def _log_p(model, x):
    return -F.binary_cross_entropy_with_logits(model(x), x, reduction="none").sum((1, 2, 3))


def log_conditional(model, x, observed):
    result = []
    for image, known in zip(x, observed, strict=True):
        m = int((~known).sum())
        bits = (torch.arange(2**m)[:, None] >> torch.arange(m)) & 1
        others = image.expand(2**m, -1, -1, -1).clone()
        others[:, ~known] = bits.to(x.dtype)
        result.append(_log_p(model, image[None])[0] - torch.logsumexp(_log_p(model, others), 0))
    return torch.stack(result)


def sample_vae(decoder, z, u):
    return (u < torch.sigmoid(decoder(z))).to(u.dtype)
