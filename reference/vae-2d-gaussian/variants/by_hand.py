"""Layers and Adam written out, -ELBO as log q - log p with the KL put in, over the columns."""

import torch
from torch import nn

HALF_LOG_2PI = 0.9189385332046727


def sample(mu, log_sigma, eps):
    return mu + eps * log_sigma.exp()


def elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma):
    columns = zip(x.unbind(1), x_mean.unbind(1), x_log_sigma.unbind(1), strict=True)
    rec = 0
    for value, mean, log_sd in columns:
        rec = rec + HALF_LOG_2PI + log_sd + ((value - mean) * torch.exp(-log_sd)) ** 2 / 2
    second_moment = mu * mu + torch.exp(log_sigma) ** 2
    kl = (second_moment / 2 - log_sigma - 0.5).sum(1)
    return rec, kl


def loss(x, mu, log_sigma, x_mean, x_log_sigma):
    rec, kl = elbo_terms(x, mu, log_sigma, x_mean, x_log_sigma)
    return torch.dot(rec + kl, torch.full_like(rec, 1 / len(rec)))


class Affine(nn.Module):
    """x Wᵀ + b."""

    def __init__(self, inputs, outputs):
        super().__init__()
        bound = inputs**-0.5
        weight, bias = torch.zeros(outputs, inputs), torch.zeros(outputs)
        self.weight = nn.Parameter(weight.double().uniform_(-bound, bound))
        self.bias = nn.Parameter(bias.double().uniform_(-bound, bound))

    def forward(self, x):
        return torch.addmm(self.bias, x, self.weight.T)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.mu, self.log_sigma = Affine(2, 32), Affine(32, 2), Affine(32, 2)
        self.first, self.second = Affine(2, 32), Affine(32, 32)
        self.x_mean, self.x_log_sigma = Affine(32, 2), Affine(32, 2)

    def fit(self, x, generator):
        weights = list(self.parameters())
        first, second = ([torch.zeros_like(w) for w in weights] for _ in range(2))
        for t in range(1, 801):
            rate = 0.01 * min(1.0, (801 - t) / 400)
            batch = x[torch.randint(0, len(x), (128,), generator=generator)]
            eps = torch.randn(128, 2, generator=generator, dtype=x.dtype)
            mu, log_sigma = self.encode(batch)
            value = loss(batch, mu, log_sigma, *self.decode(sample(mu, log_sigma, eps)))
            gradients = torch.autograd.grad(value, weights)
            with torch.no_grad():
                for w, g, m, v in zip(weights, gradients, first, second, strict=True):
                    m.mul_(0.9).add_(g, alpha=0.1)
                    v.mul_(0.999).add_(g * g, alpha=0.001)
                    step = (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
                    w.sub_(rate * step)
        return value.item()

    def encode(self, x):
        h = self.hidden(x).tanh()
        return self.mu(h), self.log_sigma(h)

    def decode(self, z):
        h = self.second(self.first(z).tanh()).tanh()
        return self.x_mean(h), self.x_log_sigma(h)
