"""PixelCNN likelihood."""

import numpy as np
import torch
import torch.nn.functional as F

MASK_B = torch.tensor([[1.0, 1, 1], [1, 1, 0], [0, 0, 0]], dtype=torch.float64)
MASK_A = torch.tensor([[1.0, 1, 1], [1, 0, 0], [0, 0, 0]], dtype=torch.float64)


def logits(x, w1, b1, w2, b2, w3, b3):
    # never look at the current pixel
    x = F.relu(F.conv2d(x, w1 * MASK_A, b1, padding=1))
    x = F.relu(F.conv2d(x, w2 * MASK_A, b2, padding=1))
    return F.conv2d(x, w3, b3)


def log_prob(x, w1, b1, w2, b2, w3, b3):
    l = logits(x, w1, b1, w2, b2, w3, b3)
    return -F.binary_cross_entropy_with_logits(l, x, reduction="none").sum((1, 2, 3))


def next_pixel(x_prefix, index, w1, b1, w2, b2, w3, b3):
    p = torch.sigmoid(logits(x_prefix, w1, b1, w2, b2, w3, b3))
    return p.flatten(1)[:, index]


def bits_per_dim(nll_nats, channels, height, width):
    # bits per pixel
    return nll_nats / (height * width * np.log(2))
