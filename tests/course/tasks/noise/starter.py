"""Normal draws. Fill in the bodies; keep the signatures."""

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor


def draw(mu: Float64[Tensor, " d"], n: int, generator: torch.Generator) -> Float64[Tensor, "n d"]:
    """n draws of N(mu, 1)."""
    raise NotImplementedError


def draw_numpy(
    mu: Float64[Tensor, " d"], n: int, generator: np.random.Generator
) -> Float64[Tensor, "n d"]:
    """The same from a generator of numpy's."""
    raise NotImplementedError
