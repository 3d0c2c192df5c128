"""PixelCNN layers: the kernel is zeroed in a copy before every convolution."""

import torch
import torch.nn.functional as F
from torch import nn


def causal_mask(radius, sees_itself):
    k = 2 * radius + 1
    mask = torch.ones(k, k, dtype=torch.float64)
    mask[radius + 1 :] = 0  # rows below
    mask[radius, radius + 1 :] = 0  # to the right
    if not sees_itself:
        mask[radius, radius] = 0
    return mask


class MaskedConv2d(nn.Module):
    def __init__(self, c_in, c_out, radius, sees_itself):
        super().__init__()
        k = 2 * radius + 1
        conv = nn.Conv2d(c_in, c_out, k, dtype=torch.float64)
        self.weight, self.bias = conv.weight, conv.bias
        self.radius = radius
        self.hidden = causal_mask(radius, sees_itself) == 0

    def forward(self, x):
        kernel = self.weight.masked_fill(self.hidden, 0.0)
        x = F.pad(x, [self.radius] * 4)
        return F.conv2d(x, kernel, self.bias)


class PixelStack(nn.Module):
    def __init__(self, width, first_radius, radius, depth):
        super().__init__()
        layers = [MaskedConv2d(1, width, first_radius, False)]
        layers += [MaskedConv2d(width, width, radius, True) for i in range(depth)]
        layers += [MaskedConv2d(width, 1, 0, True)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        for layer in list(self.layers)[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)

    def step(self, x, learning_rate):
        logits = self(x)
        nll = F.softplus(logits, threshold=100) - x * logits
        loss = nll.sum((1, 2, 3)).mean()
        self.zero_grad()
        loss.backward()
        for p in self.parameters():
            p.data -= learning_rate * p.grad
        return loss.detach()
