"""Every block of outputs as a convolution of its own: of the pixels before, plus a matrix of the
colours that it may see at the pixel itself."""

import torch
import torch.nn.functional as F


def rgb_mask(n_in, n_out, radius, sees_itself):
    side = 2 * radius + 1
    blocks = torch.zeros(3, 3, side, side, dtype=torch.float64)
    for row in range(side):
        for column in range(side):
            if (row, column) < (radius, radius):
                blocks[:, :, row, column] = 1
    order = torch.ones(3, 3, dtype=torch.float64).tril(0 if sees_itself else -1)
    blocks[:, :, radius, radius] = order
    return blocks.repeat_interleave(n_out, 0).repeat_interleave(n_in, 1)


class Layer(torch.nn.Module):
    def __init__(self, n_in, n_out, radius, sees_itself):
        super().__init__()
        side = 2 * radius + 1
        start = torch.empty(3 * n_out, 3 * n_in, side, side, dtype=torch.float64)
        self.weight = torch.nn.Parameter(torch.nn.init.xavier_uniform_(start))
        self.bias = torch.nn.Parameter(torch.zeros(3 * n_out, dtype=torch.float64))
        self.n_in, self.n_out, self.radius = n_in, n_out, radius
        self.own = 1 if sees_itself else 0
        self.before = rgb_mask(n_in, n_out, radius, False)
        self.before[:, :, radius, radius] = 0

    def forward(self, x):
        r = self.radius
        past = F.conv2d(F.pad(x, (r, r, r, r)), self.weight * self.before, self.bias)
        present = []
        for colour in range(3):
            rows = slice(colour * self.n_out, (colour + 1) * self.n_out)
            seen = (colour + self.own) * self.n_in
            matrix = self.weight[rows, :seen, r, r]
            present.append(torch.einsum("bihw,oi->bohw", x[:, :seen], matrix))
        return past + torch.cat(present, dim=1)


class RGBStack(torch.nn.Module):
    def __init__(self, features, radius, depth):
        super().__init__()
        sizes = [1] + [features] * (depth + 1) + [1]
        radii = [radius] * (depth + 1) + [0]
        self.layers = torch.nn.ModuleList(
            Layer(sizes[n], sizes[n + 1], radii[n], sees_itself=n > 0) for n in range(depth + 2)
        )

    def forward(self, x):
        for place, layer in enumerate(self.layers):
            x = layer(x.clamp(min=0) if place > 0 else x)
        return x

    def log_prob(self, x):
        logits = self(x)
        terms = torch.where(x == 1, F.logsigmoid(logits), F.logsigmoid(-logits))
        return terms.sum(1).sum((1, 2))

    def next_value(self, x, row, column, colour):
        return 1 / (1 + torch.exp(-self(x)[:, colour, row, column]))
