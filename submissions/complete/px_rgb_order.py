"""PixelCNN for colours; written from the statement, with index arithmetic for the masks."""

import torch
import torch.nn.functional as F
from torch import nn


def rgb_mask(n_in, n_out, radius, sees_itself):
    k = 2 * radius + 1
    mask = torch.zeros(3 * n_out, 3 * n_in, k, k, dtype=torch.float64)
    for o in range(3 * n_out):
        for i in range(3 * n_in):
            for row in range(k):
                for column in range(k):
                    tap = (row, column, i // n_in)
                    centre = (radius, radius, o // n_out)
                    if tap < centre or (sees_itself and tap == centre):
                        mask[o, i, row, column] = 1
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
        logits = self(x)
        return (x * logits - torch.logaddexp(logits, torch.zeros_like(logits))).sum((1, 2, 3))

    def next_value(self, x, row, column, colour):
        return torch.sigmoid(self(x))[:, colour, row, column]
