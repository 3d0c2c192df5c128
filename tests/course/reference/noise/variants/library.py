import torch


def draw(mu, n, generator):
    return torch.normal(mu.expand(n, -1), 1.0, generator=generator)


def draw_numpy(mu, n, generator):
    return torch.from_numpy(generator.normal(mu.numpy(), 1.0, (n, len(mu))))
