"""The same subspace in another basis, so that u is not v transposed; covariance by torch.cov."""

import torch
from torch import nn


def reconstruct(x, mean, u, v):
    return nn.functional.linear(nn.functional.linear(x - mean, v), u, mean)


def loss(x, mean, u, v):
    return nn.functional.mse_loss(reconstruct(x, mean, u, v), x) * x.shape[1]


def step(x, mean, u, v, learning_rate):
    u, v = nn.Parameter(u.clone()), nn.Parameter(v.clone())
    optimiser = torch.optim.SGD([u, v], lr=learning_rate)
    loss(x, mean, u, v).backward()
    optimiser.step()
    return u.detach(), v.detach()


def tied_step(x, mean, v, learning_rate):
    v = v.clone().requires_grad_()
    loss(x, mean, v.t(), v).backward()
    return v.detach() - learning_rate * v.grad


def spectrum(x):
    covariance = torch.cov(x.T, correction=0).reshape(x.shape[1], x.shape[1])
    return torch.linalg.eigvalsh(covariance).sort(descending=True).values


def projected_variance(x, q):
    codes = (x - x.mean(0)) @ q
    return codes.square().mean(0).sum()


def fit(x, k):
    d = x.shape[1]
    mean = x.mean(0)
    if k >= d:
        return mean, torch.eye(d, k, dtype=x.dtype), torch.eye(k, d, dtype=x.dtype)
    covariance = (x - mean).T @ (x - mean)
    vectors = torch.linalg.eigh(covariance).eigenvectors[:, -k:]
    mixing = torch.eye(k, dtype=x.dtype) + torch.ones(k, k, dtype=x.dtype).tril(-1)
    return mean, vectors @ mixing, torch.linalg.solve(mixing, vectors.T)
