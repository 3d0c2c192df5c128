import torch


def draw(n, generator):
    return torch.cat([torch.rand(1, generator=generator, dtype=torch.float64) for _ in range(n)])
