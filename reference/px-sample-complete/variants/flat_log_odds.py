"""Flat images, one index for the place; uniforms as log-odds. Completions row by row."""

import itertools

import torch
import torch.nn.functional as F


def sample(model, u):
    b, _, h, w = u.shape
    x = torch.full((b, h * w), 0.5, dtype=torch.float64)
    odds = torch.logit(u).reshape(b, h * w)
    for i in range(h * w):
        logits = model(x.view(b, 1, h, w)).flatten(1)
        x[:, i] = (odds[:, i] < logits[:, i]).to(torch.float64)
    return x.view(b, 1, h, w)


def complete(model, x, observed, u):
    b, _, h, w = x.shape
    known = observed.reshape(b, -1)
    flat = torch.where(known, x.reshape(b, -1), torch.zeros((), dtype=torch.float64))
    odds = torch.logit(u).reshape(b, -1)
    for i in (~known).any(dim=0).nonzero().flatten().tolist():
        logits = model(flat.view(b, 1, h, w)).flatten(1)
        new = (odds[:, i] < logits[:, i]).to(torch.float64)
        flat[:, i] = torch.where(known[:, i], flat[:, i], new)
    return flat.view(b, 1, h, w)


def draw(model, x, observed, generator):
    x = x.clone()
    for i in (~observed).flatten(1).any(dim=0).nonzero().flatten().tolist():
        row, column = divmod(i, x.shape[3])
        p = torch.sigmoid(model(x)[:, 0, row, column])
        bits = torch.bernoulli(p, generator=generator)
        x[:, 0, row, column] = torch.where(observed[:, 0, row, column], x[:, 0, row, column], bits)
    return x


def log_conditional(model, x, observed):
    results = []
    for image, known in zip(x, observed, strict=True):
        missing = (~known[0]).nonzero().tolist()
        others = []
        for bits in itertools.product((0.0, 1.0), repeat=len(missing)):
            other = image.clone()
            for (row, column), bit in zip(missing, bits, strict=True):
                other[0, row, column] = bit
            others.append(other)
        batch = torch.stack([image, *others])
        losses = F.binary_cross_entropy_with_logits(model(batch), batch, reduction="none")
        log_p = -losses.sum(dim=(1, 2, 3))
        results.append(log_p[0] - torch.logsumexp(log_p[1:], dim=0))
    return torch.stack(results)


def sample_vae(decoder, z, u):
    return torch.where(torch.logit(u) < decoder(z), 1.0, 0.0).to(torch.float64)
