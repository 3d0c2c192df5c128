"""With torch.distributions throughout, and torch's own SGD for the step."""

import torch
from torch import nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence


def gaussian(parameters):
    mean, log_scale = parameters.tensor_split(2, dim=-1)
    return Independent(Normal(mean, log_scale.exp(), validate_args=False), 1, validate_args=False)


def kl_diag(mu1, log_sigma1, mu2, log_sigma2):
    first, second = Normal(mu1, log_sigma1.exp()), Normal(mu2, log_sigma2.exp())
    return kl_divergence(first, second).sum(-1)


class Network(nn.Sequential):
    """One hidden layer, of what comes side by side."""

    def __init__(self, inputs, hidden, outputs):
        first, last = nn.Linear(inputs, hidden), nn.Linear(hidden, 2 * outputs)
        super().__init__(first, nn.ReLU(), last)

    def forward(self, *inputs):
        return super().forward(torch.cat(inputs, dim=-1))


class CVAE(nn.Module):
    def __init__(self, d=2, m=1, h=32, k=1):
        super().__init__()
        self.encoder, self.decoder = Network(d + m, h, k), Network(d + k, h, m)
        self.prior = nn.Linear(d, 2 * k)
        self.to(torch.float64)

    def encode(self, x, y):
        return tuple(self.encoder(x, y).tensor_split(2, dim=1))

    def conditional_prior(self, x):
        return tuple(self.prior(x).tensor_split(2, dim=1))

    def decode(self, x, z):
        return tuple(self.decoder(x, z).tensor_split(2, dim=1))

    def _objective(self, x, y, eps):
        q, p = gaussian(self.encoder(x, y)), gaussian(self.prior(x))
        z = q.base_dist.loc + q.base_dist.scale * eps
        return kl_divergence(q, p) - gaussian(self.decoder(x, z)).log_prob(y)

    def loss(self, x, y, eps):
        return self._objective(x, y, eps)

    def step(self, x, y, eps, rate):
        optimiser = torch.optim.SGD(self.parameters(), lr=rate)
        optimiser.zero_grad()
        mean = self._objective(x, y, eps).mean()
        mean.backward()
        optimiser.step()
        return mean.item()

    def log_likelihood(self, x, y, eps):
        p = gaussian(self.prior(x)).base_dist
        z = (p.loc + p.scale * eps).transpose(0, 1)
        outputs = gaussian(self.decoder(x[:, None].expand(-1, z.shape[1], -1), z))
        weights = Categorical(logits=torch.zeros(z.shape[:2], dtype=z.dtype))
        return MixtureSameFamily(weights, outputs, validate_args=False).log_prob(y)

    def sample(self, x, eps, noise):
        p = gaussian(self.prior(x)).base_dist
        outputs = gaussian(self.decoder(x, p.loc + p.scale * eps)).base_dist
        return outputs.loc + outputs.scale * noise

    def fit(self, x, y, generator):
        self.float()
        pairs = torch.cat((x, y), 1).float()
        optimiser = torch.optim.Adam(self.parameters(), lr=0.02)
        fall = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda t: min(1.0, 2 - t / 300))
        for _ in range(600):
            batch = pairs[torch.randint(4000, (512,), generator=generator)]
            loss = self._objective(batch[:, :2], batch[:, 2:], torch.randn(512, 1)).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            fall.step()
        self.double()
        return loss.item()
