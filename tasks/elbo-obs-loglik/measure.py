"""What is measured of elbo-obs-loglik: values, integrals, gradients, and the variance of best fit.

The scale S of a value is the sum of the absolute terms of its formula, from the inputs alone.
"""

import numpy as np

ETAS = (1e-3, 0.04, 0.5, 1.0, 7.0, 100.0)


def _rows(rng, b, d):
    return rng.normal(0, 2, (b, d)), rng.normal(0, 2, (b, d))


def _squares(x, mean):
    """Larger than the squared differences, however they are computed: [b, d]."""
    return (np.abs(x) + np.abs(mean)) ** 2


def value(student, rng):
    """[b] for all of three sizes and six variances, end to end."""
    found, scale = [], []
    for d in (1, 3, 64):
        x, mean = _rows(rng, 12, d)
        for eta in ETAS:
            found.append(student.gauss_loglik(x, mean, np.array(eta)))
            constant = 0.5 * d * (np.log(2 * np.pi) + abs(np.log(eta)))
            scale.append(_squares(x, mean).sum(1) / (2 * eta) + constant)
    return {"log_p": np.concatenate(found), "log_p__scale": np.concatenate(scale)}


def normalised(student, rng):
    """log of density times cell, on grids of 41² points ten standard deviations to each side."""
    line = np.linspace(-10, 10, 41)
    plane = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    fine = np.linspace(-10, 10, len(plane))[:, None]
    logs = []
    for eta in (0.01, 0.5, 30.0):
        for grid, step in ((fine, fine[1, 0] - fine[0, 0]), (plane, line[1] - line[0])):
            d = grid.shape[1]
            mean = np.tile(rng.normal(size=d), (len(grid), 1))
            log_p = student.gauss_loglik(mean + np.sqrt(eta) * grid, mean, np.array(eta))
            logs.append(log_p + d * np.log(step * np.sqrt(eta)))
    return {"log_p": np.stack(logs)}


def gradient(student, rng):
    """Vector-Jacobian products by the means and by η, end to end."""
    found, scale = [], []
    for d, eta in ((1, 0.04), (3, 0.5), (3, 7.0), (64, 2.0)):
        x, mean = _rows(rng, 8, d)
        cotangent = rng.normal(size=8)
        arguments = (x, mean, np.array(eta))
        by_mean, by_eta = student.vjp("gauss_loglik", arguments, (1, 2), cotangent)
        weight = np.abs(cotangent)
        found += [by_mean.ravel(), by_eta.ravel()]
        scale.append((weight[:, None] * (np.abs(x) + np.abs(mean)) / eta).ravel())
        terms = _squares(x, mean).sum(1) / (2 * eta**2) + d / (2 * eta)
        scale.append(np.array([(weight * terms).sum()]))
    return {"grad": np.concatenate(found), "grad__scale": np.concatenate(scale)}


def best(student, rng):
    """Residuals with a mean of their own, and batches of different shapes."""
    found, scale = [], []
    for b, d in ((1, 3), (20, 1), (8, 5), (4, 64)):
        x, mean = _rows(rng, b, d)
        x += 0.7
        found.append(student.best_eta(x, mean))
        scale.append(_squares(x, mean).mean())
    return {"eta": np.stack(found), "eta__scale": np.array(scale)}
