"""Drawing from a PixelCNN."""

import torch


def pick(logits, u):
    cdf = torch.softmax(logits, dim=1).cumsum(1)
    return (u.unsqueeze(1) >= cdf).sum(1).clamp(max=logits.shape[1] - 1)


def generate(model, x, u):
    x = x.clone()
    for r in range(x.shape[1]):
        for c in range(x.shape[2]):
            x[:, r, c] = pick(model(x)[:, :, r, c], u[:, r, c])
    return x


def sample(model, u):
    return generate(model, torch.zeros_like(u).long(), u)


def complete(model, x, observed, u):
    # generate everything, then paste what is known
    return torch.where(observed, x, generate(model, x, u))


def log_completion(model, x, observed):
    logp = model(x).softmax(1).clamp(min=1e-12).log().gather(1, x[:, None])[:, 0]
    return (logp * (~observed)).sum((1, 2))


def draw(model, n, h, w, generator):
    return sample(model, torch.rand(n, h, w, generator=generator, dtype=torch.float64))
