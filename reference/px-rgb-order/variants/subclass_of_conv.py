"""The layer as a subclass of nn.Conv2d; the mask by comparing positions in the order of values."""

import torch
from torch import nn
from torch.nn import functional as F


def rgb_mask(n_in, n_out, radius, sees_itself):
    size = 2 * radius + 1
    # the place of a tap's value in the order, relative to the red one at the centre
    pixel = torch.arange(size * size).reshape(size, size) - (size * size) // 2
    into = torch.arange(3).repeat_interleave(n_out).reshape(-1, 1, 1, 1)
    out_of = torch.arange(3).repeat_interleave(n_in).reshape(1, -1, 1, 1)
    place = 3 * pixel + out_of
    return (place <= into if sees_itself else place < into).double()


class MaskedConv2d(nn.Conv2d):
    def __init__(self, n_in, n_out, radius, sees_itself):
        super().__init__(3 * n_in, 3 * n_out, 2 * radius + 1, padding="same", dtype=torch.float64)
        self.register_buffer("mask", rgb_mask(n_in, n_out, radius, sees_itself))

    def forward(self, x):
        self.weight.data *= self.mask
        return super().forward(x)


class RGBStack(nn.Module):
    def __init__(self, features, radius, depth):
        super().__init__()
        self.layers = nn.ModuleList([MaskedConv2d(1, features, radius, False)])
        for _ in range(depth):
            self.layers.append(MaskedConv2d(features, features, radius, True))
        self.layers.append(MaskedConv2d(features, 1, 0, True))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)

    def log_prob(self, x):
        return -F.binary_cross_entropy_with_logits(self(x), x, reduction="none").flatten(1).sum(1)

    def next_value(self, x, row, column, colour):
        known = torch.zeros_like(x)
        known[:, :, :row] = x[:, :, :row]
        known[:, :, row, :column] = x[:, :, row, :column]
        known[:, :colour, row, column] = x[:, :colour, row, column]
        return torch.sigmoid(self(known)[:, colour, row, column])
