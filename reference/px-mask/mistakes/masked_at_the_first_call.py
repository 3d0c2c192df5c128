"""The mask goes into the weights once, at the first call."""

import torch
from jaxtyping import Float64
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, conv2d, relu


def causal_mask(radius: int, sees_itself: bool) -> Float64[Tensor, "k k"]:
    """1 above the centre, and left of it in its row; type B keeps the centre, type A does not."""
    k = 2 * radius + 1
    mask = torch.zeros(k, k, dtype=torch.float64)
    mask[:radius, :] = 1
    mask[radius, :radius] = 1
    mask[radius, radius] = 1 if sees_itself else 0
    return mask


class MaskedConv2d(nn.Module):
    """(w ⊙ mask) ⋆ x + b; the mask is multiplied at every call, and w is left alone."""

    def __init__(self, c_in: int, c_out: int, radius: int, sees_itself: bool) -> None:
        super().__init__()
        k = 2 * radius + 1
        self.radius = radius
        self.weight = nn.Parameter(0.1 * torch.randn(c_out, c_in, k, k, dtype=torch.float64))
        self.bias = nn.Parameter(torch.zeros(c_out, dtype=torch.float64))
        self.mask, self.masked = causal_mask(radius, sees_itself), False

    def forward(self, x: Float64[Tensor, "b c_in h w"]) -> Float64[Tensor, "b c_out h w"]:
        """Every output sees the taps that the mask keeps, zeros outside of the image."""
        if not self.masked:
            self.weight.data *= self.mask
            self.masked = True
        return conv2d(x, self.weight, self.bias, padding=self.radius)


class PixelStack(nn.Module):
    """Type A once, on the image itself; type B wherever what comes in has gone through it."""

    def __init__(self, width: int, first_radius: int, radius: int, depth: int) -> None:
        super().__init__()
        first = MaskedConv2d(1, width, first_radius, False)
        middle = [MaskedConv2d(width, width, radius, True) for _ in range(depth)]
        last = MaskedConv2d(width, 1, 0, True)
        self.layers = nn.ModuleList([first, *middle, last])

    def forward(self, x: Float64[Tensor, "b 1 h w"]) -> Float64[Tensor, "b 1 h w"]:
        """l_i, the logit of p(x_i = 1 | x_1, ..., x_{i-1})."""
        *hidden, last = self.layers
        for layer in hidden:
            x = relu(layer(x))
        return last(x)

    def step(self, x: Float64[Tensor, "b 1 h w"], learning_rate: float) -> Float64[Tensor, ""]:
        """θ ← θ - η ∇_θ mean(-log p(x)), with -log p(x) the sum over the pixels."""
        terms = binary_cross_entropy_with_logits(self(x), x, reduction="none")
        loss = terms.sum(dim=(1, 2, 3)).mean()
        parameters = list(self.parameters())
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.sub_(learning_rate * gradient)
        return loss.detach()
