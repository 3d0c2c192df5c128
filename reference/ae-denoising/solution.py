"""An autoencoder whose input is noisy and whose target is clean, as in the lecture.

"When x + ε is used as input, autoencoders can perform denoising" (S2 "AutoEncoders"). Minimised is
the mean of -log p(x | x + σ ε) with Bernoulli pixels; Vincent et al. 2010, section 4.
"""

import torch
from jaxtyping import Float32, Float64
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, relu

PIXELS, HIDDEN, SIGMA = 64, 128, 0.5
STEPS, BATCH, LEARNING_RATE = 1200, 32, 0.003


def corrupt(
    x: Float64[Tensor, "b d"], eps: Float64[Tensor, "b d"], sigma: float
) -> Float64[Tensor, "b d"]:
    """x + σ ε."""
    return x + sigma * eps


def nll(x: Tensor, logits: Tensor) -> Tensor:
    """-Σ x ln p + (1 - x) ln(1 - p), averaged over the batch."""
    return -(x * logsigmoid(logits) + (1 - x) * logsigmoid(-logits)).sum(dim=1).mean()


def dae_loss(
    x: Float64[Tensor, "b d"],
    eps: Float64[Tensor, "b d"],
    sigma: float,
    w: Float64[Tensor, "h d"],
    w0: Float64[Tensor, " h"],
    v: Float64[Tensor, "d h"],
    v0: Float64[Tensor, " d"],
) -> Float64[Tensor, ""]:
    """The clean x is the target, the noisy one the input."""
    noisy = corrupt(x, eps, sigma)
    code = relu(noisy @ w.T + w0)
    return nll(x, code @ v.T + v0)


class DAE(nn.Module):
    """64 → 128, ReLU → 64 logits."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(PIXELS, HIDDEN)
        self.decoder = nn.Linear(HIDDEN, PIXELS)

    def forward(self, noisy: Tensor) -> Tensor:
        """The logits of the clean pixels."""
        return self.decoder(relu(self.encoder(noisy)))

    def fit(self, x: Float32[Tensor, "n 64"], generator: torch.Generator) -> float:
        """Adam; the learning rate stays for half of the steps, then falls to 0."""
        optimiser = torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)
        for step in range(STEPS):
            optimiser.param_groups[0]["lr"] = LEARNING_RATE * min(1.0, 2 - 2 * step / STEPS)
            batch = x[torch.randint(len(x), (BATCH,), generator=generator)]
            eps = torch.randn(batch.shape, generator=generator)
            objective = nll(batch, self(corrupt(batch, eps, SIGMA)))
            optimiser.zero_grad()
            objective.backward()
            optimiser.step()
        return objective.item()

    def denoise(self, noisy: Float32[Tensor, "b 64"]) -> Float32[Tensor, "b 64"]:
        """p of every pixel."""
        return self(noisy).sigmoid()

    def demonstrate(
        self, x: Float32[Tensor, "b 64"], eps: Float32[Tensor, "b 64"]
    ) -> tuple[Float32[Tensor, "b 64"], Float32[Tensor, "b 64"]]:
        """Noisy images, and the same ones denoised."""
        noisy = corrupt(x, eps, SIGMA)
        return noisy, self.denoise(noisy)
