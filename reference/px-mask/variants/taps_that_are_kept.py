"""One shifted image and one matrix for every tap that is kept; the masked taps are never read."""

import torch
import torch.nn.functional as F


def _taps(radius, sees_itself):
    """The offsets (row, column) of the pixels that are seen, in raster order."""
    reach = range(-radius, radius + 1)
    before = [(r, c) for r in range(-radius, 0) for c in reach]
    before += [(0, c) for c in range(-radius, 0)]
    return [*before, (0, 0)] if sees_itself else before


def causal_mask(radius, sees_itself):
    mask = torch.zeros(2 * radius + 1, 2 * radius + 1, dtype=torch.float64)
    for r, c in _taps(radius, sees_itself):
        mask[radius + r, radius + c] = 1
    return mask


class MaskedConv2d(torch.nn.Module):
    def __init__(self, c_in, c_out, radius, sees_itself):
        super().__init__()
        self.radius, self.taps = radius, _taps(radius, sees_itself)
        side = 2 * radius + 1
        start = torch.empty(c_out, c_in, side, side, dtype=torch.float64)
        self.weight = torch.nn.Parameter(torch.nn.init.xavier_uniform_(start))
        self.bias = torch.nn.Parameter(torch.zeros(c_out, dtype=torch.float64))

    def forward(self, x):
        height, width = x.shape[2:]
        r = self.radius
        padded = F.pad(x, (r, r, r, r))
        total = self.bias.reshape(1, -1, 1, 1).expand(len(x), -1, height, width)
        for down, right in self.taps:
            row, column = r + down, r + right
            shifted = padded[:, :, row : row + height, column : column + width]
            matrix = self.weight[:, :, row, column]
            total = total + torch.einsum("bihw,oi->bohw", shifted, matrix)
        return total


class PixelStack(torch.nn.Module):
    def __init__(self, width, first_radius, radius, depth):
        super().__init__()
        sizes = [1] + [width] * (depth + 1) + [1]
        radii = [first_radius] + [radius] * depth + [0]
        self.layers = torch.nn.ModuleList(
            MaskedConv2d(sizes[n], sizes[n + 1], radii[n], sees_itself=n > 0)
            for n in range(depth + 2)
        )

    def forward(self, x):
        for place, layer in enumerate(self.layers):
            x = layer(x.clamp(min=0) if place > 0 else x)
        return x

    def step(self, x, learning_rate):
        self.zero_grad()
        logits = self(x)
        log_p = torch.where(x == 1, F.logsigmoid(logits), F.logsigmoid(-logits))
        loss = -log_p.flatten(1).sum(1).mean(0)
        loss.backward()
        with torch.no_grad():
            for parameter in self.parameters():
                if parameter.grad is not None:
                    parameter.sub_(learning_rate * parameter.grad)
        return loss.detach()
