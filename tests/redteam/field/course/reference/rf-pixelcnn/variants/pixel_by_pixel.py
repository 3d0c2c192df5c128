"""The same model by gradient steps of fixed size, the logits one pixel after another."""

import torch


def fit(images):
    n, d = images.shape
    w = torch.zeros(d, d, dtype=images.dtype)
    for i in range(d):
        earlier, bias = images[:, :i], torch.zeros((), dtype=images.dtype)
        row = torch.zeros(i, dtype=images.dtype)
        for _ in range(600):
            error = (earlier @ row + bias).sigmoid() - images[:, i]
            row, bias = row - 0.8 * earlier.T @ error / n, bias - 0.8 * error.mean()
        w[i, :i], w[i, i] = row, bias
    return w


def logits(w, x):
    columns = [x[:, :i] @ w[i, :i] + w[i, i] for i in range(len(w))]
    return torch.stack(columns, dim=1)
