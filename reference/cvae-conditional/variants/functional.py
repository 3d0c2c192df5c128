"""Functions of a dictionary of weights, called by the methods; torch.func for the step's slopes;
logarithms of densities as differences of log q and log p; all rows of an epoch drawn at once."""

import math

import torch
from torch import nn
from torch.func import functional_call, grad_and_value
from torch.nn import functional as F

LOG_2PI = math.log(2 * math.pi)


def linear(weights, name, inputs):
    return F.linear(inputs, weights[f"{name}.weight"], weights[f"{name}.bias"])


def halves(outputs):
    width = outputs.shape[-1] // 2
    return outputs.narrow(-1, 0, width), outputs.narrow(-1, width, width)


def posterior(weights, x, y):
    hidden = linear(weights, "encoder.0", torch.cat([x, y], dim=-1)).relu()
    return halves(linear(weights, "encoder.2", hidden))


def prior_of(weights, x):
    return halves(linear(weights, "prior", x))


def outputs_of(weights, x, z):
    hidden = linear(weights, "decoder.0", torch.cat([x, z], dim=-1)).relu()
    return halves(linear(weights, "decoder.2", hidden))


def log_density(y, mean, log_tau):
    deviation = (y - mean) * (-log_tau).exp()
    return -0.5 * (deviation.square() + LOG_2PI).sum(-1) - log_tau.sum(-1)


def from_to(mu1, log_sigma1, mu2, log_sigma2):
    """Σ ½ (r² - 1 - ln r²) + ½ ((μ₁ - μ₂)/σ₂)², with r = σ₁/σ₂."""
    log_ratio = log_sigma1 - log_sigma2
    apart = (mu1 - mu2) * torch.exp(-log_sigma2)
    return (0.5 * (torch.exp(2 * log_ratio) - 1 + apart**2) - log_ratio).sum(-1)


def losses(weights, x, y, eps):
    mu, log_sigma = posterior(weights, x, y)
    mean, log_tau = outputs_of(weights, x, mu + eps * log_sigma.exp())
    return from_to(mu, log_sigma, *prior_of(weights, x)) - log_density(y, mean, log_tau)


def kl_diag(mu1, log_sigma1, mu2, log_sigma2):
    return from_to(mu1, log_sigma1, mu2, log_sigma2)


class CVAE(nn.Module):
    def __init__(self, d=2, m=1, h=32, k=1):
        super().__init__()
        double = {"dtype": torch.float64}
        self.encoder = nn.ModuleList(
            [nn.Linear(d + m, h, **double), nn.Identity(), nn.Linear(h, 2 * k, **double)]
        )
        self.prior = nn.Linear(d, 2 * k, **double)
        self.decoder = nn.ModuleList(
            [nn.Linear(d + k, h, **double), nn.Identity(), nn.Linear(h, 2 * m, **double)]
        )

    def weights(self):
        return dict(self.named_parameters())

    def forward(self, x, y, eps):
        return losses(self.weights(), x, y, eps).mean()

    def encode(self, x, y):
        return posterior(self.weights(), x, y)

    def conditional_prior(self, x):
        return prior_of(self.weights(), x)

    def decode(self, x, z):
        return outputs_of(self.weights(), x, z)

    def loss(self, x, y, eps):
        return losses(self.weights(), x, y, eps)

    def step(self, x, y, eps, rate):
        weights = {name: weight.detach() for name, weight in self.named_parameters()}
        slopes, mean = grad_and_value(lambda w: functional_call(self, w, (x, y, eps)))(weights)
        moved = {name: weight - rate * slopes[name] for name, weight in weights.items()}
        self.load_state_dict(moved)
        return mean.item()

    def log_likelihood(self, x, y, eps):
        weights = self.weights()
        mu, log_sigma = prior_of(weights, x)
        log_p = torch.empty(eps.shape[:2], dtype=x.dtype)
        for row, noise in enumerate(eps):
            log_p[row] = log_density(y, *outputs_of(weights, x, mu + log_sigma.exp() * noise))
        return log_p.log_softmax(0).neg().add(log_p).mean(0) - math.log(len(eps))

    def sample(self, x, eps, noise):
        weights = self.weights()
        mu, log_sigma = prior_of(weights, x)
        mean, log_tau = outputs_of(weights, x, torch.addcmul(mu, log_sigma.exp(), eps))
        return torch.addcmul(mean, log_tau.exp(), noise)

    def fit(self, x, y, generator):
        names, weights = zip(*self.named_parameters(), strict=True)
        adam = torch.optim.Adam(weights, lr=0.02)
        rows = torch.stack([torch.randperm(len(x), generator=generator) for _ in range(86)])
        rows = rows[:, :3584].reshape(-1, 512)  # seven batches of an epoch
        for number, chosen in enumerate(rows[:600]):
            adam.param_groups[0]["lr"] = 0.02 * min(1.0, (600 - number) / 300)
            eps = torch.randn(512, 1, generator=generator, dtype=x.dtype)
            value = losses(dict(zip(names, weights, strict=True)), x[chosen], y[chosen], eps).mean()
            adam.zero_grad()
            value.backward()
            adam.step()
        return value.item()
