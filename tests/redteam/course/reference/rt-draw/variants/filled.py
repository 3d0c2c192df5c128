import torch


def draw(n, generator):
    return torch.empty(n, dtype=torch.float64).uniform_(generator=generator)
