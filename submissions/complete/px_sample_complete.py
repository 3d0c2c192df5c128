"""Drawing from a PixelCNN."""

import torch


def icdf(probs, u):
    # first level whose cumulative probability is above u
    above = u[:, None] < torch.cumsum(probs, 1)
    above[:, -1] = True
    return above.to(torch.int64).argmax(1)


class Sampler:
    def __init__(self, model):
        self.model = model

    def conditional(self, x, i):
        logits = self.model(x)
        return torch.softmax(logits.flatten(2)[:, :, i], dim=1)

    def run(self, x, known, u):
        shape = x.shape
        x, known, u = x.clone().flatten(1), known.flatten(1), u.flatten(1)
        for i in range(x.shape[1]):
            if known[:, i].all():
                continue
            new = icdf(self.conditional(x.reshape(shape), i), u[:, i])
            x[:, i] = torch.where(known[:, i], x[:, i], new)
        return x.reshape(shape)


def sample(model, u):
    x = torch.zeros(u.shape, dtype=torch.int64)
    return Sampler(model).run(x, x != 0, u)


def complete(model, x, observed, u):
    return Sampler(model).run(x, observed, u)


def log_completion(model, x, observed):
    logp = torch.log_softmax(model(x), dim=1)
    logp = torch.gather(logp, 1, x.unsqueeze(1)).squeeze(1)
    logp[observed] = 0
    return logp.sum(-1).sum(-1)


def draw(model, n, h, w, generator):
    return sample(model, torch.rand(n, h, w, dtype=torch.float64, generator=generator))
