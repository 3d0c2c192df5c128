"""Draws from U[0, 1)."""

import torch


def draw(n, generator):
    """u ~ U[0, 1)."""
    return torch.rand(n, generator=generator, dtype=torch.float64)
