"""The same by gradient descent with a fixed step."""

import time

import torch


def loss(w, x, y):
    return torch.log1p(torch.exp(-y * (x @ w))).mean() + (w @ w) / 20


def fit(x, y):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(600):
        w = w - (0.1 * w - (y / (1 + torch.exp(y * (x @ w)))) @ x / len(y))
    return w


def timed_fit(x, y):
    before = time.perf_counter()
    found = fit(x, y)
    return found, time.perf_counter() - before
