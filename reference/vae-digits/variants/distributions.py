"""torch.distributions for every density, layers in dictionaries of parameters, shuffled epochs."""

import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence


class Layer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        bound = inputs**-0.5
        weight, bias = torch.zeros(outputs, inputs), torch.zeros(outputs)
        self.weight = nn.Parameter(weight.double().uniform_(-bound, bound))
        self.bias = nn.Parameter(bias.double().uniform_(-bound, bound))

    def forward(self, inputs):
        return torch.einsum("...i,oi->...o", inputs, self.weight) + self.bias


class VAE(nn.Module):
    def __init__(self, d=64, h=128, k=8):
        super().__init__()
        self.hidden, self.mu, self.log_sigma = Layer(d, h), Layer(h, k), Layer(h, k)
        self.expand, self.logits = Layer(k, h), Layer(h, d)

    def encode(self, x):
        hidden = self.hidden(x).clamp(min=0)
        return self.mu(hidden), self.log_sigma(hidden)

    def decode(self, z):
        return self.logits(self.expand(z).clamp(min=0))

    def _posterior(self, x):
        mu, log_sigma = self.encode(x)
        return Independent(Normal(mu, log_sigma.exp()), 1)

    def _prior(self, like):
        return Independent(Normal(torch.zeros_like(like), torch.ones_like(like)), 1)

    def _likelihood(self, z):
        return Independent(Bernoulli(logits=self.decode(z)), 1)

    def terms(self, x, eps):
        q = self._posterior(x)
        z = q.base_dist.loc + q.base_dist.scale * eps
        return -self._likelihood(z).log_prob(x), kl_divergence(q, self._prior(eps))

    def log_marginal(self, x, eps):
        q = self._posterior(x)
        z = q.base_dist.loc + q.base_dist.scale * eps
        log_joint = self._likelihood(z).log_prob(x) + self._prior(z).log_prob(z)
        log_w = log_joint - q.log_prob(z)
        top = log_w.max(dim=0).values
        return top + (log_w - top).exp().mean(dim=0).log()

    def fit(self, x, generator):
        optimiser = torch.optim.Adam(self.parameters(), lr=3e-3)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda i: min(1.0, 2 - i / 600))
        step = 0
        while step < 1200:
            order = torch.randperm(len(x), generator=generator)
            for rows in order.split(64):
                if len(rows) < 64 or step == 1200:
                    break
                eps = torch.randn(64, 8, generator=generator, dtype=torch.float64)
                loss = torch.stack(self.terms(x[rows], eps)).sum(0).mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                step += 1
        return loss.item()
