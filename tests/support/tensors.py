"""Short constructors of tensors, and moments of estimators by Gauss-Hermite quadrature."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import torch


def tensor(array: object) -> torch.Tensor:
    """The array as a new float64 tensor; nested lists of numbers are accepted."""
    return torch.tensor(np.array(array), dtype=torch.float64)


def nodes_of(count: int, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """Points "n dimensions" and weights "n" that integrate over the standard normal law.

    The product of ``count`` Gauss-Hermite nodes an axis: n = count ** dimensions, exact for
    polynomials of degree below 2 * count in each axis. The weights sum to one.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    grid = np.array(list(itertools.product(nodes, repeat=dimensions)))
    law = np.prod(list(itertools.product(weights, repeat=dimensions)), axis=1)
    return grid, law / law.sum()


def moments(
    estimator: Callable[..., tuple[torch.Tensor, torch.Tensor]],
    mu: object,
    sigma: object,
    *,
    samples: int = 1,
    count: int = 24,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of a gradient estimate over its noise, each "2 k": by μ and by ln σ.

    ``estimator(mu, log_sigma, eps)`` takes rows "b k" and noise "samples b k" and returns two
    tensors "b k"; every row gets another node of the joint law of all its samples.
    """
    k = len(mu)
    grid, law = nodes_of(count, samples * k)
    eps = tensor(grid.reshape(-1, samples, k)).transpose(0, 1)
    rows = [tensor(np.tile(row, (len(law), 1))) for row in (mu, np.log(sigma))]
    estimates = np.stack([part.numpy() for part in estimator(*rows, eps)], axis=1)
    mean = np.einsum("n,nik->ik", law, estimates)
    return mean, np.einsum("n,nik->ik", law, (estimates - mean) ** 2)
