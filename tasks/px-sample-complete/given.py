"""Two models. Each counts its budget down at every call; once that is spent, it answers NaN."""

import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torch.nn.functional import conv2d


def _paid(logits: Tensor, budget: Tensor) -> Tensor:
    budget -= 1
    return logits if budget >= 0 else torch.full_like(logits, torch.nan)


@torch.no_grad()
def network(
    x: Float64[Tensor, "b 1 h w"],
    weight: Float64[Tensor, "5 5"],
    bias: Float64[Tensor, "5 5"],
    budget: Int64[Tensor, ""],
) -> Float64[Tensor, "b 1 h w"]:
    """Logits of all pixels given the earlier ones: a kernel with mask A and a bias for each place.

    Of `bias` an image of h rows and w columns has the first h rows and w columns.
    """
    mask = (torch.arange(25) < 12).reshape(5, 5)
    logits = conv2d(x, (weight * mask)[None, None], padding=2)
    return _paid(logits + bias[: x.shape[2], : x.shape[3]], budget)


@torch.no_grad()
def decoder(
    z: Float64[Tensor, "b k"],
    weight: Float64[Tensor, "k h w"],
    bias: Float64[Tensor, "h w"],
    budget: Int64[Tensor, ""],
) -> Float64[Tensor, "b 1 h w"]:
    """Logits of all pixels given a latent vector: bias + Σ z_k weight_k."""
    logits = bias + torch.einsum("bk,khw->bhw", z, weight)
    return _paid(logits.unsqueeze(1), budget)
