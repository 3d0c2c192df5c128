import torch


def draw(mu, n, generator):
    return torch.stack([mu + torch.randn(len(mu), generator=generator).double() for _ in range(n)])


def draw_numpy(mu, n, generator):
    rows = [mu + torch.from_numpy(generator.standard_normal(len(mu))) for _ in range(n)]
    return torch.stack(rows)
