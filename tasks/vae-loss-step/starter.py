"""Loss and training step of a VAE. Fill in the bodies; keep the signatures.

Tensors are float64. b is the batch, d the number of pixels, k that of latent dimensions.
`log_sigma` is ln σ, the natural logarithm of the standard deviation (not of the variance), and
`eta` the variance of the Gaussian decoder. Results are in nats.
"""

from jaxtyping import Float64
from torch import Tensor


def bernoulli_rec(
    x: Float64[Tensor, "b d"], x_logits: Float64[Tensor, "b d"]
) -> Float64[Tensor, " b"]:
    """-log p(x | z) of every row, the pixels Bernoulli; differentiable by x_logits."""
    raise NotImplementedError


def gaussian_rec(
    x: Float64[Tensor, "b d"], x_mean: Float64[Tensor, "b d"], eta: Float64[Tensor, ""]
) -> Float64[Tensor, " b"]:
    """-log N(x; x_mean, η I) of every row; differentiable by x_mean and η."""
    raise NotImplementedError


def kl(
    mu: Float64[Tensor, "b k"], log_sigma: Float64[Tensor, "b k"]
) -> Float64[Tensor, " b"]:
    """KL(N(μ, diag σ²) ‖ N(0, I)) of every row; differentiable by both arguments."""
    raise NotImplementedError


def vae_loss(
    x: Float64[Tensor, "b d"],
    x_logits: Float64[Tensor, "b d"],
    mu: Float64[Tensor, "b k"],
    log_sigma: Float64[Tensor, "b k"],
) -> tuple[Float64[Tensor, ""], Float64[Tensor, ""], Float64[Tensor, ""]]:
    """(loss, reconstruction, KL) with Bernoulli pixels, each the mean over the batch.

    No gradient of these is asked for.
    """
    raise NotImplementedError


def network_loss(
    x: Float64[Tensor, "b d"],
    eps: Float64[Tensor, "b k"],
    v: Float64[Tensor, "k d"],
    s: Float64[Tensor, "k d"],
    u: Float64[Tensor, "d k"],
) -> Float64[Tensor, ""]:
    """The loss of the linear VAE at the noise eps; differentiable by v, s and u.

    Its logits reach about ±4e4.
    """
    raise NotImplementedError


def sgd_step(
    x: Float64[Tensor, "b d"],
    eps: Float64[Tensor, "b k"],
    v: Float64[Tensor, "k d"],
    s: Float64[Tensor, "k d"],
    u: Float64[Tensor, "d k"],
    rate: float,
) -> tuple[Float64[Tensor, "k d"], Float64[Tensor, "k d"], Float64[Tensor, "d k"]]:
    """(v, s, u) after one step of gradient descent on network_loss.

    v, s and u come without requires_grad, and their numbers have to stay; what is returned may hang
    on a graph or not.
    """
    raise NotImplementedError
