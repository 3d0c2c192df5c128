"""A PixelCNN of small black and white images. Fill in the bodies; keep the names.

Tensors and parameters are float64, results in nats. b is the batch, h and w are height and width of
an image, c is the number of outcomes of a law. `log_p` and `log_q` hold natural logarithms of
probabilities, -inf among them.
"""

import torch
from jaxtyping import Float64
from torch import Tensor


def entropy(log_p: Float64[Tensor, "b c"]) -> Float64[Tensor, " b"]:
    """H(p) of every row, with 0 · log 0 = 0; differentiable."""
    raise NotImplementedError


def divergence(
    log_p: Float64[Tensor, "b c"], log_q: Float64[Tensor, "b c"]
) -> Float64[Tensor, " b"]:
    """KL(p ‖ q) of every row: inf where q gives 0 to what p gives more; differentiable."""
    raise NotImplementedError


def nll(logits: Float64[Tensor, "b h w"], x: Float64[Tensor, "b h w"]) -> Float64[Tensor, ""]:
    """What training minimises: the mean over the images of -log p(x); differentiable in logits."""
    raise NotImplementedError


class PixelCNN(torch.nn.Module):
    """The statement's four masked layers, kept in order as `layers`, untrained."""

    def __init__(self) -> None:
        raise NotImplementedError

    def forward(self, x: Float64[Tensor, "b h w"]) -> Float64[Tensor, "b h w"]:
        """The logit of "this pixel is 1" given the earlier pixels, for all pixels at once."""
        raise NotImplementedError

    def log_prob(self, x: Float64[Tensor, "b h w"]) -> Float64[Tensor, " b"]:
        """log p(x) of every image."""
        raise NotImplementedError

    def fit(self, x: Float64[Tensor, "n 4 4"], generator: torch.Generator) -> float:
        """Trains on the images x; returns the last loss, which isn't marked."""
        raise NotImplementedError
