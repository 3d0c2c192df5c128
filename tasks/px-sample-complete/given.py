"""Two networks. Each counts down `budget` at every call, in place; beyond it, it answers NaN."""

import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torch.nn.functional import unfold


def _spend(logits: Tensor, budget: Tensor) -> Tensor:
    budget -= 1
    return logits if budget >= 0 else torch.full_like(logits, torch.nan)


@torch.no_grad()
def network(
    x: Float64[Tensor, "b 1 h w"],
    weight: Float64[Tensor, "9 9"],
    bias: Float64[Tensor, "5 5"],
    budget: Int64[Tensor, ""],
) -> Float64[Tensor, "b 1 h w"]:
    """Logits: a bias for every place, and weights of all earlier pixels by their distance.

    The centre of `weight`, and what comes after it, is masked.
    """
    height, width = x.shape[2:]
    masked = weight.flatten() * (torch.arange(81) < 40)
    place = torch.eye(height * width, dtype=torch.float64).reshape(-1, 1, height, width)
    matrix = torch.einsum("jki,k->ji", unfold(place, 9, padding=4), masked)
    logits = bias[:height, :width] + (x.flatten(1) @ matrix).reshape(x.shape)
    return _spend(logits, budget)


@torch.no_grad()
def decoder(
    z: Float64[Tensor, "b k"],
    weight: Float64[Tensor, "k h w"],
    bias: Float64[Tensor, "h w"],
    budget: Int64[Tensor, ""],
) -> Float64[Tensor, "b 1 h w"]:
    """Logits of all pixels given a latent vector: bias + Σ_k z_k weight_k."""
    logits = bias + torch.einsum("bk,khw->bhw", z, weight)
    return _spend(logits.unsqueeze(1), budget)
