"""A PixelCNN of binary images, and the two sums by which it is judged, as in the lectures.

H(p) = -Σ p log p, KL(p ‖ q) = Σ p log p/q (S1 "KL divergence", S4 "A brief aside… Entropy"), and
p(x) = Π_i p(x_i | x_<i) (S1 "Decompose An Image", "PixelCNN"); van den Oord, Kalchbrenner &
Kavukcuoglu 2016, section 3.4.
"""

import torch
from jaxtyping import Float64
from torch import Tensor, nn
from torch.nn.functional import conv2d, logsigmoid, relu

CHANNELS, STEPS, BATCH, LEARNING_RATE = 16, 500, 128, 0.005


def entropy(log_p: Float64[Tensor, "b c"]) -> Float64[Tensor, " b"]:
    """H(p) = -Σ p log p over what is possible."""
    possible = log_p > -torch.inf
    log_p = log_p.where(possible, 0)
    p = log_p.exp().where(possible, 0)
    return -(p * log_p).sum(dim=1)


def divergence(
    log_p: Float64[Tensor, "b c"], log_q: Float64[Tensor, "b c"]
) -> Float64[Tensor, " b"]:
    """KL(p ‖ q) = Σ p (log p - log q) over what is possible under p."""
    possible = log_p > -torch.inf
    log_p, log_q = log_p.where(possible, 0), log_q.where(possible, 0)
    p = log_p.exp().where(possible, 0)
    return (p * (log_p - log_q)).sum(dim=1)


def nll(logits: Float64[Tensor, "b h w"], x: Float64[Tensor, "b h w"]) -> Float64[Tensor, ""]:
    """-log p(x) = Σ_i log(1 + e^{-ℓ_i}) where x_i = 1, log(1 + e^{ℓ_i}) where it is 0; the mean."""
    sign = 2 * x - 1
    return -logsigmoid(sign * logits).sum(dim=(1, 2)).mean()


class MaskedConv2d(nn.Conv2d):
    """(w ⊙ mask) ⋆ x + b; type A sees earlier pixels only, type B the pixel itself as well."""

    def __init__(self, c_in: int, c_out: int, radius: int, sees_itself: bool) -> None:
        k = 2 * radius + 1
        super().__init__(c_in, c_out, k, padding=radius)
        mask = torch.zeros(k, k)
        mask[:radius] = 1
        mask[radius, :radius] = 1
        mask[radius, radius] = 1 if sees_itself else 0
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        return conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


class PixelCNN(nn.Module):
    """Type A once, on the image itself; type B wherever what comes in has gone through it."""

    def __init__(self) -> None:
        super().__init__()
        first = MaskedConv2d(1, CHANNELS, 3, sees_itself=False)
        middle = [MaskedConv2d(CHANNELS, CHANNELS, 1, sees_itself=True) for _ in range(2)]
        last = MaskedConv2d(CHANNELS, 1, 0, sees_itself=True)
        self.layers = nn.ModuleList([first, *middle, last]).double()

    def forward(self, x: Float64[Tensor, "b h w"]) -> Float64[Tensor, "b h w"]:
        """ℓ_i, the logit of p(x_i = 1 | x_<i)."""
        *hidden, last = self.layers
        h = 2 * x.unsqueeze(1) - 1
        for layer in hidden:
            h = relu(layer(h))
        return last(h).squeeze(1)

    def log_prob(self, x: Float64[Tensor, "b h w"]) -> Float64[Tensor, " b"]:
        """log p(x) = Σ_i log σ(ℓ_i) where x_i = 1, log σ(-ℓ_i) where it is 0."""
        sign = 2 * x - 1
        return logsigmoid(sign * self(x)).sum(dim=(1, 2))

    def fit(self, x: Float64[Tensor, "n 4 4"], generator: torch.Generator) -> float:
        """Adam on -log p(x), in single precision; the learning rate falls in the second half."""
        self.float()
        x = x.float()
        optimiser = torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)
        for step in range(STEPS):
            optimiser.param_groups[0]["lr"] = LEARNING_RATE * min(1.0, 2 - 2 * step / STEPS)
            batch = x[torch.randint(len(x), (BATCH,), generator=generator)]
            objective = nll(self(batch), batch)
            optimiser.zero_grad()
            objective.backward()
            optimiser.step()
        self.double()
        return objective.item()
