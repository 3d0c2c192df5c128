import torch


def square(x):
    return torch.nn.Parameter(x**2)


def total(x):
    return torch.nn.Parameter(x.sum(1))
