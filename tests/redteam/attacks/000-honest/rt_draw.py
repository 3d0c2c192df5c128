import torch


def draw(n, generator):
    return torch.rand(n, generator=generator, dtype=torch.float64)
