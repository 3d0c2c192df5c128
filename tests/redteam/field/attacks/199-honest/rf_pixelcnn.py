"""A fully visible sigmoid belief net: one logistic regression a pixel, by Newton's method."""

import torch


def fit(images):
    """w of largest penalised likelihood; row i holds the bias of pixel i at i."""
    n, d = images.shape
    w = torch.zeros(d, d, dtype=images.dtype)
    for i in range(d):
        design = torch.cat([images[:, :i], torch.ones(n, 1, dtype=images.dtype)], dim=1)
        for _ in range(8):
            p = (design @ w[i, : i + 1]).sigmoid()
            slope = design.T @ (p - images[:, i]) + w[i, : i + 1]
            curve = (design.T * (p * (1 - p))) @ design + torch.eye(i + 1, dtype=images.dtype)
            w[i, : i + 1] -= torch.linalg.solve(curve, slope)
    return w


def logits(w, x):
    """w_ii + Σ_{j<i} w_ij x_j."""
    return x @ w.tril(-1).T + w.diagonal()
