"""The same bound with log q - log p at the sampled z in place of the closed KL."""

import torch
from torch import nn
from torch.nn.functional import softplus


class VAE(nn.Module):
    def __init__(self, pixels, latent):
        super().__init__()
        kind = {"dtype": torch.float64}
        self.hidden, self.code = nn.Linear(pixels, 64, **kind), nn.Linear(64, 2 * latent, **kind)
        self.back, self.image = nn.Linear(latent, 64, **kind), nn.Linear(64, pixels, **kind)

    def fit(self, images, generator):
        for name, parameter in self.named_parameters():
            scale = 0.0 if name.endswith("bias") else parameter.shape[-1] ** -0.5
            parameter.data = scale * torch.randn(
                parameter.shape, generator=generator, dtype=torch.float64
            )
        optimiser = torch.optim.Adam(self.parameters(), lr=4e-3)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 700)
        for _ in range(700):
            x = images[torch.randperm(len(images), generator=generator)[:128]]
            mu, log_sigma = self.encode(x)
            z = self.sample(mu, log_sigma, generator)
            log_q = -0.5 * ((z - mu) / log_sigma.exp()) ** 2 - log_sigma
            rec = softplus((1 - 2 * x) * self.decode(z)).sum(1)
            loss = (rec + (log_q + 0.5 * z**2).sum(1)).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        return loss.item()

    def encode(self, x):
        return self.code(self.hidden(x).relu()).chunk(2, dim=1)

    def sample(self, mu, log_sigma, generator):
        return mu + log_sigma.exp() * torch.randn(mu.shape, generator=generator, dtype=mu.dtype)

    def decode(self, z):
        return self.image(self.back(z).relu())
