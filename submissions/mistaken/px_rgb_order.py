"""PixelCNN for colours. The channels of a layer are r, g, b, r, g, b and so on."""

import torch
import torch.nn.functional as F
from torch import nn


def rgb_mask(n_in, n_out, radius, sees_itself):
    k = 2 * radius + 1
    mask = torch.zeros(3 * n_out, 3 * n_in, k, k, dtype=torch.float64)
    mask[:, :, :radius] = 1
    mask[:, :, radius, :radius] = 1
    colour_out = torch.arange(3 * n_out) % 3
    colour_in = torch.arange(3 * n_in) % 3
    seen = colour_in[None, :] < colour_out[:, None] + int(sees_itself)
    mask[:, :, radius, radius] = seen.double()
    return mask


class Masked(nn.Conv2d):
    def __init__(self, n_in, n_out, radius, sees_itself):
        super().__init__(3 * n_in, 3 * n_out, 2 * radius + 1, padding=radius, dtype=torch.float64)
        self.register_buffer("mask", rgb_mask(n_in, n_out, radius, sees_itself))

    def forward(self, x):
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


class RGBStack(nn.Module):
    def __init__(self, features, radius, depth):
        super().__init__()
        layers = [Masked(1, features, radius, False)]
        layers += [Masked(features, features, radius, True) for _ in range(depth)]
        layers += [Masked(features, 1, 0, True)]
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x)

    def log_prob(self, x):
        p = torch.sigmoid(self(x))
        return torch.log(torch.where(x == 1, p, 1 - p)).mean(1).sum((1, 2))

    def next_value(self, x, row, column, colour):
        return torch.sigmoid(self(x))[:, colour, row, column]
