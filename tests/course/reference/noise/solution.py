"""N(μ, 1) as μ + ε."""

import torch


def draw(mu, n, generator):
    """μ + ε."""
    eps = torch.randn(n, len(mu), generator=generator, dtype=mu.dtype)
    return mu + eps


def draw_numpy(mu, n, generator):
    """μ + ε with numpy's ε."""
    return mu + torch.from_numpy(generator.normal(size=(n, len(mu))))
