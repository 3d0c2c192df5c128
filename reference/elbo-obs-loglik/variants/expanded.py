"""The square multiplied out, precision instead of variance."""

import math

import torch


def gauss_loglik(x, mean, eta):
    precision = eta.reciprocal()
    cross = torch.einsum("bd,bd->b", x, mean)
    squares = x.square().sum(-1) - 2 * cross + mean.square().sum(-1)
    log_normaliser = torch.log(precision / math.tau) * (x.shape[-1] / 2)
    return log_normaliser - precision / 2 * squares


def best_eta(x, mean):
    rows, dimensions = x.shape
    return torch.linalg.vector_norm(x - mean).square() / (rows * dimensions)
