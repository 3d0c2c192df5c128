# ruff: noqa: F722
"""Logistic regression with a ridge. Fill in the bodies; keep the signatures."""

from jaxtyping import Float64
from torch import Tensor


def loss(
    w: Float64[Tensor, " d"], x: Float64[Tensor, "n d"], y: Float64[Tensor, " n"]
) -> Float64[Tensor, ""]:
    """The mean of log(1 + exp(-y xᵀw)), plus |w|² / 20."""
    raise NotImplementedError


def fit(x: Float64[Tensor, "n d"], y: Float64[Tensor, " n"]) -> Float64[Tensor, " d"]:
    """The w of least loss."""
    raise NotImplementedError


def timed_fit(
    x: Float64[Tensor, "n d"], y: Float64[Tensor, " n"]
) -> tuple[Float64[Tensor, " d"], float]:
    """The same, and the seconds that it took by time.perf_counter."""
    raise NotImplementedError
