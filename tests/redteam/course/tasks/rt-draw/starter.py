"""Uniform draws. Fill in the body; keep the signature."""

import torch
from jaxtyping import Float64
from torch import Tensor


def draw(n: int, generator: torch.Generator) -> Float64[Tensor, " n"]:
    """n draws from the unit interval."""
    raise NotImplementedError
