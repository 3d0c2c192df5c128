"""All weights in one vector, Adam written out, -ELBO as log q - log p with the KL put in."""

import torch
from torch import nn

HIDDEN = 32
ENCODER = ((2, HIDDEN), (HIDDEN, 4))
DECODER = ((2, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 4))
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


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        size = sum(inputs * outputs + outputs for inputs, outputs in (*ENCODER, *DECODER))
        self.weights = nn.Parameter(torch.zeros(size, dtype=torch.float64))

    def _layers(self, weights):
        """The (matrix, bias) of every layer, as views."""
        layers, start = [], 0
        for inputs, outputs in (*ENCODER, *DECODER):
            bias = start + inputs * outputs
            layers.append((weights[start:bias].view(inputs, outputs), weights[bias:][:outputs]))
            start = bias + outputs
        return layers[: len(ENCODER)], layers[len(ENCODER) :]

    @staticmethod
    def _through(layers, h):
        *hidden, (matrix, bias) = layers
        for w, b in hidden:
            h = torch.tanh(torch.addmm(b, h, w))
        out = torch.addmm(bias, h, matrix)
        return out[:, :2], out[:, 2:]

    def _initialise(self, generator):
        with torch.no_grad():
            for layers in self._layers(self.weights):
                for matrix, bias in layers:
                    bound = matrix.shape[0] ** -0.5
                    matrix.uniform_(-bound, bound, generator=generator)
                    bias.uniform_(-bound, bound, generator=generator)

    def fit(self, x, generator):
        self._initialise(generator)
        m, v = torch.zeros_like(self.weights), torch.zeros_like(self.weights)
        for t in range(1, 801):
            rate = 0.01 * min(1.0, (801 - t) / 400)
            batch = x[torch.randint(0, len(x), (128,), generator=generator)]
            eps = torch.randn(128, 2, generator=generator, dtype=x.dtype)
            encoder, decoder = self._layers(self.weights)
            mu, log_sigma = self._through(encoder, batch)
            out = self._through(decoder, sample(mu, log_sigma, eps))
            value = loss(batch, mu, log_sigma, *out)
            (g,) = torch.autograd.grad(value, (self.weights,))
            with torch.no_grad():
                m = 0.9 * m + 0.1 * g
                v = 0.999 * v + 0.001 * g * g
                step = (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
                self.weights -= rate * step
        return value.item()

    def encode(self, x):
        return self._through(self._layers(self.weights)[0], x)

    def decode(self, z):
        return self._through(self._layers(self.weights)[1], z)
