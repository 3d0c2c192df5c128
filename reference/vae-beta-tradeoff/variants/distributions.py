"""Library distributions, Adam's rate from a scheduler, torch's global generator."""

import torch
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.optim.lr_scheduler import LambdaLR


def _q(mu, log_sigma):
    return Normal(mu, log_sigma.exp(), validate_args=False)


def terms(x, logits, mu, log_sigma):
    prior = Normal(torch.zeros_like(mu), torch.ones_like(mu), validate_args=False)
    rec = -Bernoulli(logits=logits, validate_args=False).log_prob(x).sum(-1)
    return rec, kl_divergence(_q(mu, log_sigma), prior).sum(-1)


def beta_loss(x, logits, mu, log_sigma, beta):
    rec, kl = terms(x, logits, mu, log_sigma)
    return rec.mean() + beta * kl.mean()


def network(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 128), nn.ReLU(inplace=True), nn.Linear(128, outputs))


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = network(64, 16), network(8, 64)

    def fit(self, x, beta, generator):
        adam = torch.optim.Adam(self.parameters(), lr=3e-3)
        rate = LambdaLR(adam, lambda step: 1.0 if step < 300 else (600 - step) / 300)
        for _ in range(600):
            adam.zero_grad()
            batch = x[torch.randint(len(x), (64,))]
            mu, log_sigma = self.encode(batch)
            z = _q(mu, log_sigma).rsample()
            value = beta_loss(batch, self.decode(z), mu, log_sigma, beta)
            value.backward()
            adam.step()
            rate.step()
        return value.item()

    def encode(self, x):
        return self.encoder(x).chunk(2, dim=-1)

    def decode(self, z):
        return self.decoder(z)
