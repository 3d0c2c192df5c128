import torch


def solve(x):
    kept = [torch.ones(1 << 27, dtype=torch.float64) for _ in range(6)]
    return x * 0 + len(kept)
