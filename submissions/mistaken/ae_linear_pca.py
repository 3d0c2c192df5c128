"""Linear autoencoder. For PCA: sklearn does it with the SVD as well."""

import torch


def reconstruct(x, mean, u, v):
    return (u @ (v @ (x - mean).T)).T + mean


def loss(x, mean, u, v):
    return torch.nn.functional.mse_loss(reconstruct(x, mean, u, v), x)


def step(x, mean, u, v, learning_rate):
    z = (x - mean) @ v.T
    u = u - learning_rate * 2 / len(x) * (z @ u.T + mean - x).T @ z
    error = z @ u.T + mean - x
    return u, v - learning_rate * 2 / len(x) * (error @ u).T @ (x - mean)


def tied_step(x, mean, v, learning_rate):
    _, new_v = step(x, mean, v.T.contiguous(), v, learning_rate)
    return new_v


def spectrum(x):
    return torch.linalg.svdvals(x - x.mean(0)) ** 2 / (len(x) - 1)


def projected_variance(x, q):
    return (x @ q).var(dim=0).sum()


def fit(x, k):
    _, _, vt = torch.linalg.svd(x, full_matrices=True)
    return x.mean(0), vt[:k].T.clone(), vt[:k].clone()
