"""Gradients by hand, Adam written out; weights as plain tensors until training is over."""

import torch
from torch import nn


def corrupt(x, eps, sigma):
    return torch.add(eps * sigma, x)


def dae_loss(x, eps, sigma, w, w0, v, v0):
    code = torch.addmm(w0, corrupt(x, eps, sigma), w.T).clamp(min=0)
    signed = (2 * x - 1) * torch.addmm(v0, code, v.T)
    return torch.logaddexp(torch.zeros_like(signed), -signed).sum() / len(x)


class Layer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def draw(self, generator):
        bound = self.weight.shape[1] ** -0.5
        with torch.no_grad():
            self.weight.uniform_(-bound, bound, generator=generator)
            self.bias.uniform_(-bound, bound, generator=generator)


class DAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Layer(64, 128), Layer(128, 64)

    @torch.no_grad()
    def fit(self, x, generator):
        self.encoder.draw(generator)
        self.decoder.draw(generator)
        parameters = [parameter.data for parameter in self.parameters()]
        moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]
        w, w0, v, v0 = parameters
        for t in range(1, 1201):
            rate = 0.003 * min(1.0, (1201 - t) / 600)
            batch = x[torch.randint(0, len(x), (32,), generator=generator)]
            noisy = batch + 0.5 * torch.randn(32, 64, generator=generator)
            code = torch.relu(noisy @ w.T + w0)
            slope = (torch.sigmoid(code @ v.T + v0) - batch) / 32
            back = slope @ v * (code > 0)
            gradients = back.T @ noisy, back.sum(0), slope.T @ code, slope.sum(0)
            for p, g, (m, s) in zip(parameters, gradients, moments, strict=True):
                m.mul_(0.9).add_(0.1 * g)
                s.mul_(0.999).add_(0.001 * g * g)
                p.sub_(rate * m / (1 - 0.9**t) / ((s / (1 - 0.999**t)).sqrt() + 1e-8))
        return slope.square().sum().item()

    def denoise(self, noisy):
        code = torch.relu(noisy @ self.encoder.weight.T + self.encoder.bias)
        return 1 / (1 + torch.exp(-(code @ self.decoder.weight.T + self.decoder.bias)))

    def demonstrate(self, x, eps):
        noisy = x + eps / 2
        return noisy, self.denoise(noisy)
