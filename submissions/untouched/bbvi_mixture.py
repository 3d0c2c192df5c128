"""Black-box variational inference with a mixture of Gaussians. Fill in the bodies; keep the
signatures.

Tensors are float64. m (or n, from 2 on) is the number of samples, c that of components, k that of
dimensions. q has the weights softmax(logits); `log_sigma` is ln σ, the natural logarithm of the
standard deviation. `log_p` gives the logarithm of the target's density up to a constant, in nats,
as values without a graph. A graph on results does no harm.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor


def log_q(
    z: Float64[Tensor, "m k"],
    logits: Float64[Tensor, " c"],
    mu: Float64[Tensor, "c k"],
    log_sigma: Float64[Tensor, "c k"],
) -> Float64[Tensor, " m"]:
    """log q(z) of every sample: a mixture of Gaussians, each with independent dimensions."""
    raise NotImplementedError


def sample_q(
    u: Float64[Tensor, " m"],
    eps: Float64[Tensor, "m k"],
    logits: Float64[Tensor, " c"],
    mu: Float64[Tensor, "c k"],
    log_sigma: Float64[Tensor, "c k"],
) -> Float64[Tensor, "m k"]:
    """Samples of q: u in [0, 1) chooses the component, standard normal eps the place in it."""
    raise NotImplementedError


def grad_bbvi(
    log_p: Callable[[Float64[Tensor, "m k"]], Float64[Tensor, " m"]],
    logits: Float64[Tensor, " c"],
    mu: Float64[Tensor, "c k"],
    log_sigma: Float64[Tensor, "c k"],
    z: Float64[Tensor, "m k"],
) -> tuple[Float64[Tensor, " c"], Float64[Tensor, "c k"], Float64[Tensor, "c k"]]:
    """Score-function estimates of the gradients of L by logits, μ and ln σ, from samples z of q."""
    raise NotImplementedError


def grad_bbvi_cv(
    log_p: Callable[[Float64[Tensor, "m k"]], Float64[Tensor, " m"]],
    logits: Float64[Tensor, " c"],
    mu: Float64[Tensor, "c k"],
    log_sigma: Float64[Tensor, "c k"],
    z: Float64[Tensor, "n k"],
) -> tuple[Float64[Tensor, " c"], Float64[Tensor, "c k"], Float64[Tensor, "c k"]]:
    """The same with a control variate, its coefficients from the other samples; n is at least 2."""
    raise NotImplementedError


def fit(
    log_p: Callable[[Float64[Tensor, "m k"]], Float64[Tensor, " m"]],
    c: int,
    generator: torch.Generator,
) -> tuple[Float64[Tensor, " c"], Float64[Tensor, "c 1"], Float64[Tensor, "c 1"]]:
    """logits, μ and ln σ of a q with c components, fitted to a target of one dimension."""
    raise NotImplementedError
