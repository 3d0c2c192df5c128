"""The layer as a subclass of nn.Conv2d that masks its own weight; steps by an optimiser."""

import torch
from torch import nn
from torch.nn import functional as F


def causal_mask(radius, sees_itself):
    size = 2 * radius + 1
    position = torch.arange(size * size).reshape(size, size)
    centre = position[radius, radius]
    return (position <= centre if sees_itself else position < centre).double()


class MaskedConv2d(nn.Conv2d):
    def __init__(self, c_in, c_out, radius, sees_itself):
        super().__init__(c_in, c_out, 2 * radius + 1, padding="same", dtype=torch.float64)
        self.register_buffer("mask", causal_mask(radius, sees_itself))

    def forward(self, x):
        self.weight.data *= self.mask
        return super().forward(x)


class PixelStack(nn.Module):
    def __init__(self, width, first_radius, radius, depth):
        super().__init__()
        self.layers = nn.ModuleList([MaskedConv2d(1, width, first_radius, False)])
        for _ in range(depth):
            self.layers.append(MaskedConv2d(width, width, radius, True))
        self.layers.append(MaskedConv2d(width, 1, 0, True))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)

    def step(self, x, learning_rate):
        optimiser = torch.optim.SGD(self.parameters(), lr=learning_rate)
        optimiser.zero_grad()
        loss = F.binary_cross_entropy_with_logits(self(x), x, reduction="sum") / len(x)
        loss.backward()
        optimiser.step()
        return loss.detach()
