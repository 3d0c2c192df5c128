"""Pixels counted along the raster; only the rows that are to be drawn go through the model."""

import torch


def _levels(logits, u):
    cdf = torch.softmax(logits, dim=-1).cumsum(-1)
    found = torch.searchsorted(cdf, u.unsqueeze(-1), right=True).squeeze(-1)
    return found.clamp(max=logits.shape[-1] - 1)


def _raster(model, x, observed, u):
    b, h, w = x.shape
    known = x.masked_fill(~observed, 0).reshape(b, h * w)
    fixed, uniform = observed.reshape(b, h * w), u.reshape(b, h * w)
    for i in range(h * w):
        (rows,) = torch.nonzero(~fixed[:, i], as_tuple=True)
        if len(rows) == 0:
            continue
        logits = model(known[rows].reshape(-1, h, w)).flatten(2)[:, :, i]
        known[rows, i] = _levels(logits, uniform[rows, i])
    return known.reshape(b, h, w)


def sample(model, u):
    nothing = torch.zeros_like(u, dtype=torch.bool)
    return _raster(model, torch.zeros_like(u, dtype=torch.long), nothing, u)


def complete(model, x, observed, u):
    return _raster(model, x, observed, u)


def log_completion(model, x, observed):
    logits = model(x)
    taken = torch.nn.functional.one_hot(x, logits.shape[1]).permute(0, 3, 1, 2)
    log_p = (logits * taken).sum(1) - torch.logsumexp(logits, 1)
    return torch.where(observed, torch.zeros_like(log_p), log_p).flatten(1).sum(1)


def draw(model, n, h, w, generator):
    u = torch.rand((n, h, w), generator=generator, dtype=torch.double)
    observed = torch.zeros((n, h, w), dtype=torch.bool)
    return _raster(model, torch.zeros((n, h, w), dtype=torch.long), observed, u)
