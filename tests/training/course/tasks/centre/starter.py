"""A number learnt from draws."""

import torch
from jaxtyping import Float64
from torch import Tensor


def learn(x: Float64[Tensor, " n"], generator: torch.Generator) -> float:
    """The centre of the normal law, sd 1, that x was drawn from."""
    raise NotImplementedError
