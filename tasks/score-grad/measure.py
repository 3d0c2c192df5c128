"""What is measured of score-grad: scores, and estimators over laws that are listed or integrated.

The batch holds every row once an outcome (a quadrature node, or a joint choice of categories), so
that one call gives the estimate at all of them; weighted moments are those over the noise.
"""

import itertools

import numpy as np

B, K = 4, 2
ROWS, CATEGORIES, D = 3, 4, 2
AVERAGED = 16


def _nodes(per_dimension, dimensions):
    """Nodes [n, dimensions] and weights [n] of the standard normal law."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(per_dimension)
    grid = np.array(list(itertools.product(nodes, repeat=dimensions)))
    law = np.prod(list(itertools.product(weights, repeat=dimensions)), axis=1)
    return grid, law / law.sum()


def _gaussians(rng, b=B):
    """mu, log_sigma [b, k]: σ between 0.5 and 1.5."""
    return rng.normal(size=(b, K)), rng.uniform(np.log(0.5), np.log(1.5), (b, K))


def _repeated(nodes, *rows):
    """Noise [m, nodes * b, k] for nodes [n, m, k], and every array [b, …] once a node."""
    count, b = len(nodes), len(rows[0])
    eps = np.repeat(nodes, b, axis=0).swapaxes(0, 1)
    return np.ascontiguousarray(eps), [np.tile(row, (count, 1)) for row in rows]


def _by_node(grads, count):
    """Both gradients [nodes * b, k] as [nodes, 2, b, k]."""
    return np.stack([grad.reshape(count, -1, K) for grad in grads], axis=1)


def _score_scale(mu, log_sigma, eps):
    """Rounding of z - μ, in units of σ, enters both scores: [2, m, b, k]."""
    sigma = np.exp(log_sigma)
    size = 2 * np.abs(mu) / sigma + np.abs(eps)
    return np.stack([size / sigma, 1 + size * (1 + np.abs(eps))])


def score(student, rng):
    """Ordinary rows, and two with ln σ = ±30 about μ = 0."""
    mu, log_sigma = rng.normal(0.0, 2.0, (20, 3)), rng.uniform(-3.0, 2.0, (20, 3))
    mu[:2], log_sigma[0], log_sigma[1] = 0.0, 30.0, -30.0
    eps = rng.normal(size=(4, 20, 3))
    z = mu + np.exp(log_sigma) * eps
    unit = np.exp(np.stack([log_sigma, np.zeros_like(log_sigma)]))[:, None]
    found = np.stack(student.score(z, mu, log_sigma))
    return {"score": found * unit, "score__scale": _score_scale(mu, log_sigma, eps) * unit}


def square(student, rng):
    """z² with one sample at five nodes a dimension, exact for its mean: [nodes, 2, b, k]."""
    nodes, law = _nodes(5, K)
    eps, (mu, log_sigma) = _repeated(nodes[:, None], *_gaussians(rng))
    grads = student.grad_score(student.given("square"), mu, log_sigma, eps)
    return {"grad": _by_node(grads, len(law)), "grad__weight": law}


def signs(student, rng):
    """A piecewise constant integrand at sixteen samples."""
    mu, log_sigma = _gaussians(rng)
    eps = rng.normal(size=(AVERAGED, B, K))
    grads = student.grad_score(student.given("signs"), mu, log_sigma, eps)
    value = 3 + np.sign(mu + np.exp(log_sigma) * eps).sum(-1, keepdims=True)
    terms = np.abs(value) * _score_scale(mu, log_sigma, eps)
    return {"grad": np.stack(grads), "grad__scale": terms.mean(axis=1)}


def leave_one_out(student, rng):
    """z² over the joint law of three samples of one dimension: [nodes, 2, b, 1]."""
    nodes, law = _nodes(5, 3)
    mu, log_sigma = _gaussians(rng)
    eps, rows = _repeated(nodes[:, :, None], mu.reshape(-1, 1), log_sigma.reshape(-1, 1))
    grads = student.grad_score_loo(student.given("square"), *rows, eps)
    found = np.stack([grad.reshape(len(law), -1) for grad in grads], axis=1)
    return {"grad": found, "grad__weight": law}


def _codebook(rng):
    """codes [c, d] and one x [d] a row."""
    return rng.normal(0.0, 1.5, (CATEGORIES, D)), rng.normal(size=(ROWS, D))


def _softmax(logits):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def categorical(student, rng):
    """Every joint choice of categories in three rows, one sample: [64, rows, c]."""
    logits = rng.normal(size=(ROWS, CATEGORIES))
    codes, x = _codebook(rng)
    choices = np.array(list(itertools.product(range(CATEGORIES), repeat=ROWS)))
    law = _softmax(logits)[np.arange(ROWS), choices].prod(axis=1)
    z = np.eye(CATEGORIES)[choices].reshape(1, -1, CATEGORIES)
    x = np.tile(x, (len(law), 1))
    f = student.given("codebook", codes, x)
    grad = student.grad_score_categorical(f, np.tile(logits, (len(law), 1)), z)
    return {"grad": grad.reshape(len(law), ROWS, CATEGORIES), "grad__weight": law / law.sum()}


def categorical_far(student, rng):
    """Sixteen samples at logits hundreds apart, some of them of categories that never occur."""
    logits = rng.uniform(-1.0, 1.0, (ROWS, CATEGORIES))
    logits[:, 0] -= 800.0
    logits[0] += 400.0
    codes, x = _codebook(rng)
    choices = rng.integers(CATEGORIES, size=(AVERAGED, ROWS))
    choices[0] = 0
    z = np.eye(CATEGORIES)[choices]
    f = student.given("codebook", codes, x)
    terms = ((np.abs(x) + np.abs(codes[choices])) ** 2).sum(-1).mean(0)
    scale = np.broadcast_to(terms[:, None] * (1 + np.abs(logits).max()), logits.shape)
    return {"grad": student.grad_score_categorical(f, logits, z), "grad__scale": scale}
