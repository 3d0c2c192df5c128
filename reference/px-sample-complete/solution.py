"""Ancestral sampling and completion in raster order, and exact completions by enumeration.

x_i = 1 where u_i < p(x_i = 1 | x_<i). Sources: S1 "PixelRNN" (sequential generation is slow),
"Results: Image completion"; S3 (one forward pass); van den Oord, Kalchbrenner & Kavukcuoglu 2016,
section 2.1 and figure 1.
"""

import torch
from torch.nn.functional import logsigmoid


def sample(model, u):
    """x_i from p(x_i | x_<i), pixel after pixel."""
    x = torch.zeros_like(u)
    return complete(model, x, torch.zeros_like(u, dtype=torch.bool), u)


def complete(model, x, observed, u):
    """The same where x_i is not observed; one pass a place that is missing in some image."""
    x = x.clone()
    height, width = x.shape[2:]
    for row in range(height):
        for column in range(width):
            known = observed[:, 0, row, column]
            if known.all():
                continue
            p = model(x)[:, 0, row, column].sigmoid()
            drawn = (u[:, 0, row, column] < p).double()
            x[:, 0, row, column] = torch.where(known, x[:, 0, row, column], drawn)
    return x


def draw(model, x, observed, generator):
    """u ~ U[0, 1), independent for every pixel of every image."""
    u = torch.rand(x.shape, generator=generator, dtype=torch.float64)
    return complete(model, x, observed, u)


def _log_prob(model, x):
    """log p(x) = Σ_i log p(x_i | x_<i)."""
    logits = model(x)
    return logsigmoid((2 * x - 1) * logits).sum(dim=(1, 2, 3))


def log_conditional(model, x, observed):
    """log p(x) - log Σ_x' p(x'), over all x' that agree with x where it is observed."""
    pixels = x[0].numel()
    digits = torch.arange(2**pixels).unsqueeze(1) >> torch.arange(pixels) & 1
    every = digits.double()
    log_p = _log_prob(model, every.reshape(-1, *x.shape[1:]))
    known = observed.flatten(1).unsqueeze(1)
    agrees = (~known | (every == x.flatten(1).unsqueeze(1))).all(dim=2)
    evidence = torch.where(agrees, log_p, -torch.inf).logsumexp(dim=1)
    return _log_prob(model, x) - evidence


def sample_vae(decoder, z, u):
    """All pixels at once: given z they are independent."""
    return (u < decoder(z).sigmoid()).double()
