"""What is measured of path-derivative: its mean, its parts, and that it vanishes at the posterior.

The scale S of a value is the sum of the absolute terms of its formula, from the inputs alone.
"""

import itertools

import numpy as np

B, K, D = 5, 2, 3
M = 16


def _nodes(per_dimension):
    """Nodes [n, k] and weights [n] of the standard normal law."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(per_dimension)
    grid = np.array(list(itertools.product(nodes, repeat=K)))
    law = np.prod(list(itertools.product(weights, repeat=K)), axis=1)
    return grid, law / law.sum()


def _gaussians(rng):
    """mu, log_sigma [b, k]: σ between 0.4 and 1.5."""
    return rng.normal(size=(B, K)), rng.uniform(np.log(0.4), np.log(1.5), (B, K))


def _data(rng, weight):
    """x [b, d], weight [d, k], bias [d], eta: a linear Gaussian model and data of that size."""
    bias, eta = rng.normal(size=D), rng.uniform(0.3, 1.0)
    x = rng.normal(size=(B, K)) @ weight.T + bias + np.sqrt(eta) * rng.normal(size=(B, D))
    return x, weight, bias, np.array(eta)


def mean(student, rng):
    """One sample at the nodes, every row once a node in the batch: [nodes, 2, b, k]."""
    nodes, law = _nodes(5)
    x, *model = _data(rng, rng.normal(size=(D, K)))
    mu, log_sigma = (np.tile(row, (len(law), 1)) for row in _gaussians(rng))
    log_joint = student.given("linear_gaussian", np.tile(x, (len(law), 1)), *model)
    eps = np.repeat(nodes, B, axis=0)[None]
    grads = student.grad_path_derivative(log_joint, mu, log_sigma, eps)
    by_node = np.stack([grad.reshape(len(law), B, K) for grad in grads], axis=1)
    return {"grad": by_node, "grad__weight": law}


def posterior(student, rng):
    """Columns of W at right angles, so that the posterior is a diagonal Gaussian; q is it."""
    directions, _ = np.linalg.qr(rng.normal(size=(D, K)))
    x, weight, bias, eta = _data(rng, directions * rng.uniform(0.5, 2.0, K))
    precision = 1 + (weight**2).sum(0) / eta
    mu = (x - bias) @ weight / eta / precision
    log_sigma = np.tile(-0.5 * np.log(precision), (B, 1))
    eps = rng.normal(size=(M, B, K))
    log_joint = student.given("linear_gaussian", x, weight, bias, eta)
    residual = np.stack(student.grad_path_derivative(log_joint, mu, log_sigma, eps))

    step = np.exp(log_sigma) * np.abs(eps)
    z = np.abs(mu) + step
    size = (np.abs(x) + np.abs(bias) + z @ np.abs(weight).T) @ np.abs(weight) / eta
    size = size + z + (z + np.abs(mu)) * precision
    scale = np.stack([size.mean(0), (size * step + 1).mean(0)])
    return {"residual": residual, "residual__scale": scale}


def _mixture(student, rng):
    """A target with four modes, the arguments, and the size of its gradient's terms [m, b, k]."""
    centres = rng.normal(0.0, 2.0, (4, K))
    mu, log_sigma = _gaussians(rng)
    eps = rng.normal(size=(M, B, K))
    z = np.abs(mu) + np.exp(log_sigma) * np.abs(eps)
    # rounding moves the weights of the modes by that of their distances
    size = (z + np.abs(centres).max(0)) * (1 + (z**2).sum(-1, keepdims=True) + (centres**2).sum())
    return student.given("mixture", centres), (mu, log_sigma, eps), size


def _scales(size, log_sigma, eps):
    step = np.exp(log_sigma) * np.abs(eps)
    return np.stack([size.mean(0), (size * step + 1).mean(0)])


def average(student, rng):
    target, (mu, log_sigma, eps), size = _mixture(student, rng)
    grads = student.grad_path_derivative(target, mu, log_sigma, eps)
    sigma = np.exp(log_sigma)
    size = size + (2 * np.abs(mu) + sigma * np.abs(eps)) / sigma**2
    return {"grad": np.stack(grads), "grad__scale": _scales(size, log_sigma, eps)}


def total(student, rng):
    target, (mu, log_sigma, eps), size = _mixture(student, rng)
    grads = student.grad_total(target, mu, log_sigma, eps)
    # log q(z) passes both ways through z and through q, and the two cancel in part
    sigma = np.exp(log_sigma)
    size = size + (2 * np.abs(mu) + sigma * np.abs(eps)) / sigma**2
    return {"grad": np.stack(grads), "grad__scale": _scales(size, log_sigma, eps)}


def score(student, rng):
    mu, log_sigma = _gaussians(rng)
    eps = rng.normal(size=(M, B, K))
    sigma = np.exp(log_sigma)
    size = (2 * np.abs(mu) + sigma * np.abs(eps)) / sigma**2
    found = np.stack(student.score_term(mu, log_sigma, eps))
    return {"term": found, "term__scale": _scales(size, log_sigma, eps)}


def parts(student, rng):
    """The whole is the path derivative less the score term."""
    target, (mu, log_sigma, eps), size = _mixture(student, rng)
    whole = np.stack(student.grad_total(target, mu, log_sigma, eps))
    path = np.stack(student.grad_path_derivative(target, mu, log_sigma, eps))
    fixed = np.stack(student.score_term(mu, log_sigma, eps))
    sigma = np.exp(log_sigma)
    size = size + (2 * np.abs(mu) + sigma * np.abs(eps)) / sigma**2
    scale = 3 * _scales(size, log_sigma, eps)
    return {"residual": whole - (path - fixed), "residual__scale": scale}
