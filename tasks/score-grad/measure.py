"""What is measured of score-grad: scores and estimates at given noise, sample by sample.

Values are in units of their scale S, the sum of the absolute terms of the formula, from the inputs
alone, so that a σ of 1e13 and one of 1e-13 count alike.
"""

import itertools

import numpy as np


def _gaussians(domain, rng, m, b, k):
    """mu, log_sigma, eps from all of the domain; μ is 0 beside a σ that would be lost in it."""
    mu, log_sigma = domain.draw(rng, "mu", b * k), np.sort(domain.draw(rng, "log_sigma", b * k))
    mu = np.where(log_sigma < -10, 0.0, mu[np.argsort(np.abs(mu))])
    pair = np.stack([mu, log_sigma])[:, rng.permutation(b * k)]
    return *pair.reshape(2, b, k), domain.draw(rng, "eps", m, b, k)


def _in_units(name, found, scales):
    """All values in one row, each in units of its scale; where that is 0, as they are."""
    pairs = [(f, np.where(s > 0, s, 1)) for f, s in zip(found, scales, strict=True)]
    values = np.concatenate([(f / s).ravel() for f, s in pairs])
    return {name: values, f"{name}__scale": np.ones_like(values)}


def _score_scale(mu, log_sigma, eps):
    """Rounding of z - μ, in units of σ, enters both scores: [2, m, b, k]."""
    sigma = np.exp(log_sigma)
    size = 2 * np.abs(mu) / sigma + np.abs(eps)
    return np.stack([size / sigma, 1 + size * (1 + np.abs(eps))])


def score(student, rng):
    found, scales = [], []
    for m, b, k in ((1, 1, 1), (4, 20, 3), (20, 1, 4), (1, 200, 1), (4, 20, 3)):
        mu, log_sigma, eps = _gaussians(student.domain, rng, m, b, k)
        z = mu + np.exp(log_sigma) * eps
        found.append(np.stack(student.score(z, mu, log_sigma)))
        scales.append(_score_scale(mu, log_sigma, eps))
    return _in_units("score", found, scales)


def _integrand(student, rng, name, z):
    """A function of given.py and the absolute terms of its values at samples of sizes z [m, b]."""
    if name == "square":
        return student.given(name), (z**2).sum(-1)
    if name == "signs":
        return student.given(name), np.full(z.shape[:2], 3.0 + z.shape[2])
    codes, x = student.domain.draw(rng, "codes", z.shape[2], 2), _data(student, rng, z.shape[1], 2)
    return student.given(name, codes, x), ((np.abs(x) + z @ np.abs(codes)) ** 2).sum(-1)


def _data(student, rng, b, d):
    return student.domain.draw(rng, "x", b, d)


def _estimates(student, rng, function, calls, others=False):
    """Both gradients by calls (m, b, k, integrand); with ``others`` each value meets the others."""
    found, scales = [], []
    for m, b, k, name in calls:
        mu, log_sigma, eps = _gaussians(student.domain, rng, m, b, k)
        z = np.abs(mu) + np.exp(log_sigma) * np.abs(eps)
        f, size = _integrand(student, rng, name, z)
        if others:
            size = size + (size.sum(0) - size) / (m - 1)
        found.append(np.stack(function(f, mu, log_sigma, eps)))
        scales.append((size[..., None] * _score_scale(mu, log_sigma, eps)).mean(axis=1))
    return _in_units("grad", found, scales)


def square(student, rng):
    """One sample, but for one call."""
    sizes = ((1, 1, 1), (1, 3, 2), (2, 1, 4), (1, 200, 1), (1, 3, 2))
    return _estimates(student, rng, student.grad_score, [(*size, "square") for size in sizes])


def signs(student, rng):
    """Several samples of a piecewise constant integrand, and of one with a datum for every row."""
    calls = ((16, 4, 2, "signs"), (20, 1, 1, "signs"), (3, 5, 3, "codebook"), (2, 7, 1, "codebook"))
    return _estimates(student, rng, student.grad_score, calls)


def leave_one_out(student, rng):
    """From two samples on."""
    calls = ((2, 3, 2, "square"), (5, 1, 3, "signs"), (20, 4, 1, "square"), (3, 7, 4, "codebook"))
    calls = (*calls, (2, 200, 1, "signs"), (2, 3, 2, "square"))
    return _estimates(student, rng, student.grad_score_loo, calls, others=True)


def _nodes(per_dimension, dimensions):
    """Nodes [n, dimensions] and weights [n] of the standard normal law."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(per_dimension)
    grid = np.array(list(itertools.product(nodes, repeat=dimensions)))
    law = np.prod(list(itertools.product(weights, repeat=dimensions)), axis=1)
    return grid, law / law.sum()


def leave_one_out_law(student, rng):
    """z² over the joint law of three samples of one dimension, a node a row: [nodes, 2]."""
    nodes, law = _nodes(5, 3)
    mu, log_sigma = np.full((len(law), 1), rng.normal()), rng.uniform(np.log(0.5), np.log(1.5))
    rows = mu, np.full_like(mu, log_sigma), np.ascontiguousarray(nodes.T[:, :, None])
    grads = student.grad_score_loo(student.given("square"), *rows)
    return {"grad": np.concatenate(grads, axis=1), "grad__weight": law}


def _categorical(student, rng, calls):
    """The gradient for calls (m, b, c, d, width): logits of the domain, or ``width`` apart."""
    found, scales = [], []
    for m, b, c, d, width in calls:
        logits = student.domain.draw(rng, "logits", b, c)
        if width:
            logits = rng.uniform(-width, width, (b, c))
        # every category once, as far as there is room, and then any
        choices = np.concatenate([np.arange(c), rng.integers(c, size=m * b)])[: m * b]
        choices = rng.permutation(choices).reshape(m, b)
        codes, x = student.domain.draw(rng, "codes", c, d), _data(student, rng, b, d)
        f = student.given("codebook", codes, x)
        found.append(student.grad_score_categorical(f, logits, np.eye(c)[choices]))
        terms = ((np.abs(x) + np.abs(codes[choices])) ** 2).sum(-1).mean(0)
        size = terms * (1 + np.abs(logits).max(axis=1))
        scales.append(np.broadcast_to(size[:, None], (b, c)))
    return _in_units("grad", found, scales)


def categorical(student, rng):
    """One sample: all categories of rows of several kinds."""
    sizes = ((1, 1, 2, 2, 2.0), (1, 8, 4, 3, 2.0), (1, 1, 1, 1, 2.0), (1, 200, 6, 2, 30.0))
    return _categorical(student, rng, (*sizes, (1, 8, 4, 3, 2.0)))


def categorical_far(student, rng):
    """Several samples, at logits hundreds apart, some of categories that never occur."""
    sizes = ((16, 3, 4, 2, 0), (20, 1, 6, 1, 0), (2, 5, 2, 3, 0), (3, 4, 3, 2, 3.0))
    return _categorical(student, rng, sizes)


def example(student, rng):
    return {"agrees": student.example()}
