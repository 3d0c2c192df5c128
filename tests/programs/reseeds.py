import torch


def draw(mu, n, generator):
    generator.manual_seed(0)
    return mu + torch.randn(n, len(mu), generator=generator, dtype=mu.dtype)


def draw_numpy(mu, n, generator):
    torch.manual_seed(0)
    return mu + torch.randn(n, len(mu), dtype=mu.dtype)
