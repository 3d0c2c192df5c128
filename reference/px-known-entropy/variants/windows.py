"""No convolution: every pixel's window of earlier pixels as a row of a matrix product, the weights
drawn and Adam written out by hand."""

import torch
from torch import nn

LAYERS = ((1, 16, 7), (16, 16, 3), (16, 16, 3), (16, 1, 1))
LOWEST = -1e6  # instead of the logarithm of 0, times a probability of 0


def entropy(log_p):
    log_p = log_p.clamp(min=LOWEST)
    return -torch.einsum("bc,bc->b", log_p.exp(), log_p)


def divergence(log_p, log_q):
    impossible = log_p == float("-inf")
    surprise = torch.where(impossible, torch.zeros_like(log_q), -log_q)
    p = log_p.clamp(min=LOWEST).exp()
    return torch.where(impossible, 0, p * surprise).sum(1) - entropy(log_p)


def softplus(a):
    return a.clamp(min=0) + torch.log1p(torch.exp(-a.abs()))


def nll(logits, x):
    signed = torch.where(x == 1, -logits, logits)
    return -nn.functional.logsigmoid(-signed).flatten(1).sum(1).mean()


class Window(nn.Module):
    def __init__(self, inputs, outputs, side, centre):
        super().__init__()
        bound = (inputs * side * side) ** -0.5
        self.weight = nn.Parameter(torch.empty(outputs, inputs, side, side, dtype=torch.float64))
        self.bias = nn.Parameter(torch.empty(outputs, dtype=torch.float64))
        for parameter in (self.weight, self.bias):
            nn.init.uniform_(parameter, -bound, bound)
        self.side, self.seen = side, side * side // 2 + centre

    def forward(self, x):
        b, inputs, h, w = x.shape
        windows = nn.functional.unfold(x, self.side, padding=self.side // 2)
        windows = windows.view(b, inputs, self.side**2, h * w)[:, :, : self.seen]
        taps = self.weight.flatten(2)[:, :, : self.seen]
        product = taps.flatten(1) @ windows.reshape(b, inputs * self.seen, h * w)
        return (product + self.bias[:, None]).view(b, -1, h, w)


class PixelCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            Window(*layer, centre=int(n > 0)) for n, layer in enumerate(LAYERS)
        )

    def forward(self, x):
        h = torch.where(x == 1, 1.0, -1.0).to(x.dtype).unsqueeze(1)
        for n, layer in enumerate(self.layers):
            h = layer(h if n == 0 else h.clamp(min=0))
        return h.squeeze(1)

    def log_prob(self, x):
        return -softplus((1 - 2 * x) * self(x)).sum((1, 2))

    def fit(self, x, generator):
        self.to(torch.float32)
        x, parameters = x.float(), list(self.parameters())
        first = [torch.zeros_like(p) for p in parameters]
        second = [torch.zeros_like(p) for p in parameters]
        for t in range(1, 501):
            rate = 0.005 if t <= 250 else 0.005 * (501 - t) / 250
            batch = x[torch.randperm(len(x), generator=generator)[:128]]
            value = nll(self(batch), batch)
            gradients = torch.autograd.grad(value, parameters)
            with torch.no_grad():
                for p, g, m, v in zip(parameters, gradients, first, second, strict=True):
                    m.mul_(0.9).add_(0.1 * g)
                    v.mul_(0.999).add_(0.001 * g * g)
                    step = (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
                    p.sub_(rate * step)
        self.to(torch.float64)
        return value.item()
