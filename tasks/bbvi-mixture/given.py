"""Targets: log-densities up to a constant, samples [m k] in, nats [m] out, values without a graph.

Everything that is asked of a black box is its value.
"""

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.nn.functional import logsigmoid


@torch.no_grad()
def ring(
    z: Float64[Tensor, "m k"],
    radius: Float64[Tensor, ""],
    width: Float64[Tensor, ""],
    constant: Float64[Tensor, ""],
) -> Float64[Tensor, " m"]:
    """constant - ½ ((‖z‖ - radius)/width)²: what lies near a circle, or a sphere, is likely."""
    return constant - 0.5 * ((z.norm(dim=1) - radius) / width) ** 2


@torch.no_grad()
def two_modes(
    z: Float64[Tensor, "m 1"],
    log_weights: Float64[Tensor, " 2"],
    centres: Float64[Tensor, " 2"],
    scales: Float64[Tensor, " 2"],
    constant: Float64[Tensor, ""],
) -> Float64[Tensor, " m"]:
    """constant + ln Σ_i w_i f((z - centre_i)/scale_i)/scale_i, with the logistic density f."""
    y = (z - centres) / scales
    log_logistic = logsigmoid(y) + logsigmoid(-y) - scales.log()
    return constant + torch.logsumexp(log_weights + log_logistic, dim=1)
