"""A gradient that is not zero, and a minimum whose gradient the grader computes itself.

No second that the program tells counts: a call has the grader's deadline.
"""

import numpy as np

RIDGE = 0.1


def _data(rng):
    """Points and labels of a logistic model."""
    x = rng.normal(size=(60, 3))
    y = np.where(rng.random(60) < 1 / (1 + np.exp(-x @ rng.normal(size=3))), 1.0, -1.0)
    return x, y


def _slope(w, x, y):
    """∇L(w), and the sum of its absolute terms."""
    weight = 1 / (1 + np.exp(y * (x @ w)))
    terms = -(weight * y)[:, None] * x / len(x)
    return terms.sum(axis=0) + RIDGE * w, np.abs(terms).sum(axis=0) + RIDGE * np.abs(w)


def _gradient(student, rng):
    x, y = _data(rng)
    w = rng.normal(size=3)
    (slope,) = student.vjp("loss", (w, x, y), (0,), np.array(1.0))
    return {"slope": slope, "slope__scale": _slope(w, x, y)[1]}


def gradient(student, rng):
    """∇L by the program's autograd, where it is not zero."""
    return _gradient(student, rng)


def minimum(student, rng):
    """∇L by the grader's own formula, where the program says that it is zero."""
    x, y = _data(rng)
    w, _ = student.timed_fit(x, y)
    slope, scale = _slope(w, x, y)
    return {"slope": slope, "slope__scale": scale}
