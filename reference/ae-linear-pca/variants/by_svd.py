"""The singular value decomposition of the centred rows; gradients by hand; einsum."""

import torch


def reconstruct(x, mean, u, v):
    return mean + torch.einsum("dk,ke,ne->nd", u, v, x - mean)


def loss(x, mean, u, v):
    return (x - reconstruct(x, mean, u, v)).pow(2).sum() / x.shape[0]


def _slope(x, mean, u, v):
    """-dL/d(UV): twice the mean of (x - x̃)(x - μ)ᵀ."""
    centred = x - mean
    return 2 * (x - reconstruct(x, mean, u, v)).T @ centred / len(x)


def step(x, mean, u, v, learning_rate):
    slope = _slope(x, mean, u, v)
    return u + learning_rate * slope @ v.T, v + learning_rate * u.T @ slope


def tied_step(x, mean, v, learning_rate):
    slope = _slope(x, mean, v.T, v)
    return v + learning_rate * (v @ slope + v @ slope.T)


def _svd(x):
    _, values, right = torch.linalg.svd(x - x.mean(0), full_matrices=True)
    return values, right


def spectrum(x):
    values, _ = _svd(x)
    eigenvalues = torch.zeros(x.shape[1], dtype=x.dtype)
    eigenvalues[: len(values)] = values**2 / len(x)
    return eigenvalues


def projected_variance(x, q):
    return (x @ q).var(dim=0, correction=0).sum()


def fit(x, k):
    _, right = _svd(x)
    d = x.shape[1]
    v = torch.cat([right[:k], torch.zeros(max(0, k - d), d, dtype=x.dtype)])
    return x.mean(0), v.T.contiguous(), v
