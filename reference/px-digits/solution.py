"""A PixelCNN of binary digits, its exact likelihood, and the bound of a VAE in the same unit.

p(x) = Π_i p(x_i | x_<i) (S1 "Decompose An Image", "PixelCNN"); of a VAE only a bound is known (S1
"The Marginal Likelihood"). Van den Oord, Kalchbrenner & Kavukcuoglu 2016, section 3.4; Burda et al.
2016, equation 8.
"""

import math

import torch
from jaxtyping import Float32, Float64
from torch import Tensor
from torch.nn.functional import conv2d, logsigmoid, relu

CHANNELS, STEPS, BATCH, LEARNING_RATE = 16, 500, 64, 0.01


def _masked(x: Tensor, kernel: Tensor, bias: Tensor, sees_itself: bool) -> Tensor:
    """(w ⊙ M) ⋆ x + b; M keeps the taps above and left of the centre, type B the centre too."""
    radius = kernel.shape[-1] // 2
    mask = torch.zeros_like(kernel[0, 0])
    mask[:radius] = 1
    mask[radius, :radius] = 1
    mask[radius, radius] = 1 if sees_itself else 0
    return conv2d(x, kernel * mask, bias, padding=radius)


def _logits(x: Tensor, *parameters: Tensor) -> Tensor:
    """ℓ of all pixels; type A once, on the image itself, type B on what has gone through it."""
    w1, b1, w2, b2, w3, b3, w4, b4 = parameters
    h = relu(_masked(2 * x.unsqueeze(1) - 1, w1, b1, sees_itself=False))
    h = relu(_masked(h, w2, b2, sees_itself=True))
    h = relu(_masked(h, w3, b3, sees_itself=True))
    return _masked(h, w4, b4, sees_itself=True).squeeze(1)


def _nll(logits: Tensor, x: Tensor) -> Tensor:
    """-Σ_i log p(x_i | x_<i): -log σ(ℓ_i) where x_i = 1, -log σ(-ℓ_i) where it is 0."""
    sign = 2 * x - 1
    return -logsigmoid(sign * logits).sum(dim=(1, 2))


def logits(
    x: Float64[Tensor, "b h w"],
    w1: Float64[Tensor, "c 1 7 7"],
    b1: Float64[Tensor, " c"],
    w2: Float64[Tensor, "c c 3 3"],
    b2: Float64[Tensor, " c"],
    w3: Float64[Tensor, "c c 3 3"],
    b3: Float64[Tensor, " c"],
    w4: Float64[Tensor, "1 c 1 1"],
    b4: Float64[Tensor, " 1"],
) -> Float64[Tensor, "b h w"]:
    """ℓ_i, the logit of p(x_i = 1 | x_<i)."""
    return _logits(x, w1, b1, w2, b2, w3, b3, w4, b4)


def nll(logits: Float64[Tensor, "b h w"], x: Float64[Tensor, "b h w"]) -> Float64[Tensor, " b"]:
    """-log p(x) of every image, in nats."""
    return _nll(logits, x)


def bits_per_dim(nats: Float64[Tensor, " b"], d: int) -> Float64[Tensor, " b"]:
    """-log₂ p(x) / d."""
    return nats / (d * math.log(2))


def nats_per_image(bits: Float64[Tensor, " b"], d: int) -> Float64[Tensor, " b"]:
    """The inverse of that."""
    return bits * (d * math.log(2))


def _importance(log_w: Tensor) -> Tensor:
    """-log 1/S Σ_s w_s."""
    return math.log(len(log_w)) - torch.logsumexp(log_w, dim=0)


def bounds(
    log_w: Float64[Tensor, "s b"],
) -> tuple[Float64[Tensor, " b"], Float64[Tensor, " b"]]:
    """-1/S Σ_s log w_s, and the same with the mean inside of the logarithm."""
    return -log_w.mean(dim=0), _importance(log_w)


def compare(
    nats: Float64[Tensor, " m"], log_w: Float64[Tensor, "s m"], d: int
) -> tuple[Float64[Tensor, ""], Float64[Tensor, ""]]:
    """Mean of Δ_i, and its standard error: both models code the same images."""
    surplus = (_importance(log_w) - nats) / (d * math.log(2))
    return surplus.mean(), surplus.std(correction=1) / math.sqrt(len(surplus))


def _initial(generator: torch.Generator) -> list[Tensor]:
    """Kernels and biases, uniform in ±1/√(inputs · k²)."""
    layers = [(1, CHANNELS, 7), (CHANNELS, CHANNELS, 3), (CHANNELS, CHANNELS, 3), (CHANNELS, 1, 1)]
    parameters = []
    for inputs, outputs, k in layers:
        bound = 1 / math.sqrt(inputs * k**2)
        for shape in ((outputs, inputs, k, k), (outputs,)):
            parameters.append(torch.empty(shape).uniform_(-bound, bound, generator=generator))
    return parameters


def fit(
    x: Float32[Tensor, "n 8 8"], generator: torch.Generator
) -> tuple[
    Float32[Tensor, "16 1 7 7"],
    Float32[Tensor, " 16"],
    Float32[Tensor, "16 16 3 3"],
    Float32[Tensor, " 16"],
    Float32[Tensor, "16 16 3 3"],
    Float32[Tensor, " 16"],
    Float32[Tensor, "1 16 1 1"],
    Float32[Tensor, " 1"],
]:
    """Adam on the mean of -log p; the rate stays for half of the steps, then falls to 0."""
    parameters = [each.requires_grad_() for each in _initial(generator)]
    optimiser = torch.optim.Adam(parameters, lr=LEARNING_RATE)
    for step in range(STEPS):
        optimiser.param_groups[0]["lr"] = LEARNING_RATE * min(1.0, 2 - 2 * step / STEPS)
        batch = x[torch.randint(len(x), (BATCH,), generator=generator)]
        loss = _nll(_logits(batch, *parameters), batch).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return tuple(each.detach() for each in parameters)
