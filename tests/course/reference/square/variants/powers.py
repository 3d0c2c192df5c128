import torch


def square(x):
    return torch.pow(x, 2)


def total(x):
    return x.cumsum(1)[:, -1]
