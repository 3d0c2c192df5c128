"""Weights drawn, Adam written out, gradients of the loss by hand's own list of tensors."""

import torch
from torch import nn


def terms(x, logits, mu, log_sigma):
    signed = (2 * x - 1) * logits
    rec = torch.logaddexp(torch.zeros_like(signed), -signed).sum(1)
    kl = 0
    for mean, log_sd in zip(mu.unbind(1), log_sigma.unbind(1), strict=True):
        kl = kl + (mean * mean + log_sd.exp() ** 2 - 1) / 2 - log_sd
    return rec, kl


def beta_loss(x, logits, mu, log_sigma, beta):
    rec, kl = terms(x, logits, mu, log_sigma)
    return torch.dot(rec + kl * beta, torch.full_like(rec, 1 / len(rec)))


class Layer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, h):
        return torch.addmm(self.bias, h, self.weight.T)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleDict({"0": Layer(64, 128), "2": Layer(128, 16)})
        self.decoder = nn.ModuleDict({"0": Layer(8, 128), "2": Layer(128, 64)})

    def _initialise(self, generator):
        with torch.no_grad():
            for layer in (*self.encoder.values(), *self.decoder.values()):
                bound = layer.weight.shape[1] ** -0.5
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.uniform_(-bound, bound, generator=generator)

    def fit(self, x, beta, generator):
        self._initialise(generator)
        weights = list(self.parameters())
        m, v = ([torch.zeros_like(w) for w in weights] for _ in range(2))
        for t in range(1, 601):
            rate = 0.003 * min(1.0, (601 - t) / 300)
            batch = x[torch.randint(0, len(x), (64,), generator=generator)]
            mu, log_sigma = self.encode(batch)
            eps = torch.randn(64, 8, generator=generator)
            value = beta_loss(batch, self.decode(mu + eps * log_sigma.exp()), mu, log_sigma, beta)
            gradients = torch.autograd.grad(value, weights)
            with torch.no_grad():
                for w, g, first, second in zip(weights, gradients, m, v, strict=True):
                    first.mul_(0.9).add_(0.1 * g)
                    second.mul_(0.999).add_(0.001 * g * g)
                    root = (second / (1 - 0.999**t)).sqrt() + 1e-8
                    w.sub_(rate * first / (1 - 0.9**t) / root)
        return value.item()

    @staticmethod
    def _through(layers, h):
        return layers["2"](layers["0"](h).clamp(min=0))

    def encode(self, x):
        out = self._through(self.encoder, x)
        return out[:, :8], out[:, 8:]

    def decode(self, z):
        return self._through(self.decoder, z)
