"""Linear autoencoder; by hand where the derivative is short."""

import torch


def reconstruct(x, mean, u, v):
    return (u @ (v @ (x - mean).T)).T + mean


def loss(x, mean, u, v):
    return torch.linalg.vector_norm(x - reconstruct(x, mean, u, v), dim=1).pow(2).mean()


def step(x, mean, u, v, learning_rate):
    z = (x - mean) @ v.T
    error = reconstruct(x, mean, u, v) - x
    grad_u = 2 / len(x) * error.T @ z
    grad_v = 2 / len(x) * (error @ u).T @ (x - mean)
    return u - learning_rate * grad_u, v - learning_rate * grad_v


def tied_step(x, mean, v, learning_rate):
    new_u, new_v = step(x, mean, v.T.contiguous(), v, learning_rate)
    return new_v + new_u.T - v


def spectrum(x):
    centred = x - x.mean(0, keepdim=True)
    c = centred.T @ centred / x.shape[0]
    return torch.linalg.eigh(c)[0].flip(0)


def projected_variance(x, q):
    return torch.var(x @ q, dim=0, unbiased=False).sum()


def fit(x, k):
    mean = x.mean(0)
    d = len(mean)
    _, _, vt = torch.linalg.svd(x - mean, full_matrices=True)
    v = x.new_zeros(k, d)
    v[: min(k, d)] = vt[:k]
    return mean, v.T.clone(), v
