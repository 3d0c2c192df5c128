"""The linear autoencoder and its optimum, principal component analysis, as in the lecture.

x̃ = U V x, L = ‖x - x̃‖². "The optimal subspace is spanned by the dominant eigenvectors of the
empirical covariance matrix." Source: S3 "Principal Component Analysis".
"""

import torch
from jaxtyping import Float64
from torch import Tensor


def reconstruct(
    x: Float64[Tensor, "n d"],
    mean: Float64[Tensor, " d"],
    u: Float64[Tensor, "d k"],
    v: Float64[Tensor, "k d"],
) -> Float64[Tensor, "n d"]:
    """x̃ = μ + U V (x - μ), for rows."""
    code = (x - mean) @ v.T
    return mean + code @ u.T


def loss(
    x: Float64[Tensor, "n d"],
    mean: Float64[Tensor, " d"],
    u: Float64[Tensor, "d k"],
    v: Float64[Tensor, "k d"],
) -> Float64[Tensor, ""]:
    """(1/n) Σ ‖x - x̃‖²."""
    error = x - reconstruct(x, mean, u, v)
    return error.square().sum(dim=1).mean()


def step(
    x: Float64[Tensor, "n d"],
    mean: Float64[Tensor, " d"],
    u: Float64[Tensor, "d k"],
    v: Float64[Tensor, "k d"],
    learning_rate: float,
) -> tuple[Float64[Tensor, "d k"], Float64[Tensor, "k d"]]:
    """U ← U - η ∂L/∂U and V ← V - η ∂L/∂V, both gradients at the old U and V."""
    u = u.detach().requires_grad_()
    v = v.detach().requires_grad_()
    du, dv = torch.autograd.grad(loss(x, mean, u, v), (u, v))
    return (u - learning_rate * du).detach(), (v - learning_rate * dv).detach()


def tied_step(
    x: Float64[Tensor, "n d"],
    mean: Float64[Tensor, " d"],
    v: Float64[Tensor, "k d"],
    learning_rate: float,
) -> Float64[Tensor, "k d"]:
    """V ← V - η dL/dV, V being in the encoder and, transposed, in the decoder."""
    v = v.detach().requires_grad_()
    (dv,) = torch.autograd.grad(loss(x, mean, v.T, v), v)
    return (v - learning_rate * dv).detach()


def spectrum(x: Float64[Tensor, "n d"]) -> Float64[Tensor, " d"]:
    """λ_1 ≥ ... ≥ λ_d of C = (1/n) Σ (x - x̄)(x - x̄)ᵀ."""
    return torch.linalg.eigvalsh(_covariance(x)).flip(0)


def projected_variance(
    x: Float64[Tensor, "n d"], q: Float64[Tensor, "d k"]
) -> Float64[Tensor, ""]:
    """tr(Qᵀ C Q) = Σ_j Var(q_jᵀ x)."""
    return torch.trace(q.T @ _covariance(x) @ q)


def fit(
    x: Float64[Tensor, "n d"], k: int
) -> tuple[Float64[Tensor, " d"], Float64[Tensor, "d k"], Float64[Tensor, "k d"]]:
    """U holds the k dominant eigenvectors of C, V = Uᵀ; what k has beyond d stays zero."""
    d = x.shape[1]
    _, vectors = torch.linalg.eigh(_covariance(x))
    u = torch.zeros(d, k, dtype=x.dtype)
    kept = min(k, d)
    u[:, :kept] = vectors[:, d - kept :]
    return x.mean(dim=0), u, u.T.clone()


def _covariance(x: Float64[Tensor, "n d"]) -> Float64[Tensor, "d d"]:
    """C = (1/n) Σ (x - x̄)(x - x̄)ᵀ."""
    centred = x - x.mean(dim=0)
    return centred.T @ centred / len(x)
