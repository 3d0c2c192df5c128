"""PixelCNN layers. The mask goes into the weights at the start, so it costs nothing later."""

import torch
import torch.nn.functional as F
from torch import nn


def causal_mask(radius, sees_itself):
    k = 2 * radius + 1
    mask = torch.ones(k, k, dtype=torch.float64)
    mask[radius, radius + sees_itself :] = 0
    mask[radius + 1 :] = 0
    return mask


class MaskedConv2d(nn.Module):
    def __init__(self, c_in, c_out, radius, sees_itself):
        super().__init__()
        k = 2 * radius + 1
        conv = nn.Conv2d(c_in, c_out, k, padding=radius, dtype=torch.float64)
        self.weight, self.bias, self.radius = conv.weight, conv.bias, radius
        self.weight.data *= causal_mask(radius, sees_itself)

    def forward(self, x):
        return F.conv2d(x, self.weight, self.bias, padding=self.radius)


class PixelStack(nn.Module):
    def __init__(self, width, first_radius, radius, depth):
        super().__init__()
        self.layers = nn.ModuleList(
            [MaskedConv2d(1, width, first_radius, False)]
            + [MaskedConv2d(width, width, radius, True) for _ in range(depth)]
            + [MaskedConv2d(width, 1, 0, False)]
        )

    def forward(self, x):
        for layer in self.layers:
            x = F.relu(layer(x))
        return x

    def step(self, x, learning_rate):
        loss = F.binary_cross_entropy_with_logits(self(x), x)
        self.zero_grad()
        loss.backward()
        for p in self.parameters():
            p.data -= learning_rate * p.grad
        return loss.detach()
