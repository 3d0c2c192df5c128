"""The linear autoencoder. Fill in the bodies; keep the signatures.

Tensors are float64. n is the number of rows (one data point a row), d their dimension, k that of
the code. u is the decoder's matrix, v the encoder's; for a column x of the lecture the code is
v (x - mean), and the reconstruction is mean + u v (x - mean).
"""

from jaxtyping import Float64
from torch import Tensor


def reconstruct(
    x: Float64[Tensor, "n d"],
    mean: Float64[Tensor, " d"],
    u: Float64[Tensor, "d k"],
    v: Float64[Tensor, "k d"],
) -> Float64[Tensor, "n d"]:
    """The reconstruction of every row."""
    raise NotImplementedError


def loss(
    x: Float64[Tensor, "n d"],
    mean: Float64[Tensor, " d"],
    u: Float64[Tensor, "d k"],
    v: Float64[Tensor, "k d"],
) -> Float64[Tensor, ""]:
    """The squared distance of a row from its reconstruction, averaged over the rows."""
    raise NotImplementedError


def step(
    x: Float64[Tensor, "n d"],
    mean: Float64[Tensor, " d"],
    u: Float64[Tensor, "d k"],
    v: Float64[Tensor, "k d"],
    learning_rate: float,
) -> tuple[Float64[Tensor, "d k"], Float64[Tensor, "k d"]]:
    """u and v after one step of gradient descent on the loss."""
    raise NotImplementedError


def tied_step(
    x: Float64[Tensor, "n d"],
    mean: Float64[Tensor, " d"],
    v: Float64[Tensor, "k d"],
    learning_rate: float,
) -> Float64[Tensor, "k d"]:
    """v after one step of gradient descent on the loss with u = v transposed."""
    raise NotImplementedError


def spectrum(x: Float64[Tensor, "n d"]) -> Float64[Tensor, " d"]:
    """All d eigenvalues of the empirical covariance, the largest first."""
    raise NotImplementedError


def projected_variance(
    x: Float64[Tensor, "n d"], q: Float64[Tensor, "d k"]
) -> Float64[Tensor, ""]:
    """The variance of the rows along the columns of q, summed over the columns."""
    raise NotImplementedError


def fit(
    x: Float64[Tensor, "n d"], k: int
) -> tuple[Float64[Tensor, " d"], Float64[Tensor, "d k"], Float64[Tensor, "k d"]]:
    """mean, u and v of the smallest loss."""
    raise NotImplementedError
