"""What is measured of path-derivative: its mean, its parts, and that it vanishes at the posterior.

Values are in units of their scale S, the sum of the absolute terms of the formula, from the inputs
alone.
"""

import itertools
from functools import partial

import numpy as np

B, K, D = 5, 2, 3
M = 16
NEAR = np.geomspace(1e-4, 1e-9, 6)  # distances from a posterior


def _sizes(domain, rng):
    """(m, b, k): every number of samples, as many numbers of rows, every number of dimensions.

    Then axes of one size, the most rows, two odd numbers of rows in between, neither a multiple of
    5, so that a loop over chunks is left with a rest, and the most of all.
    """
    (_, m), (_, b), (_, k) = (domain.sizes(axis) for axis in "mbk")
    small = rng.permutation(m) + 1, rng.permutation(m) + 1, rng.permutation(m) % k + 1
    same, more = rng.integers(2, k + 1), rng.integers(k + 1, m + 1)
    odd = np.setdiff1d(np.arange(m + 1, b, 2), np.arange(25, b, 10))
    between = rng.choice(odd[odd < b / 2]), rng.choice(odd[odd > b / 2])
    sizes = [*np.stack(small, axis=1), (same, same, same), (more, more, 2), (2, b, 1)]
    sizes += [(3, between[0], 3), (1, between[1], 2), (m, b, k)]
    return [tuple(map(int, size)) for size in sizes]


def _gaussians(domain, rng, shape, about):
    """mu, log_sigma [b, k], eps [m, b, k]; μ is 0 beside a σ that would be lost in it."""
    m, b, k = shape
    mu, eps = domain.draw(rng, "mu", b, k), domain.draw(rng, "eps", m, b, k)
    log_sigma = np.full((b, k), about)
    if abs(about) < 10:
        log_sigma += rng.uniform(-1.0, 1.0, (b, k))
    return np.zeros((b, k)) if about < -5 else mu, log_sigma, eps


def _tied(i, mu, log_sigma, eps):
    """In three calls of four something is zero or there twice, as where a training begins.

    The same μ in all rows and a sample twice; σ = 1 in all rows, and noise that is zero or
    mirrored, as quadrature nodes are; rows that are standard normal beside others, and the same
    noise in all rows.
    """
    half, pairs = slice(None, -(-len(mu) // 2)), len(eps) // 2
    if i % 4 == 1:
        mu[:], eps[-1] = mu[0], eps[0]
    elif i % 4 == 2:
        log_sigma[:], eps[0, half], eps[pairs : len(eps) - pairs] = 0.0, 0.0, 0.0
        eps[len(eps) - pairs :] = -eps[:pairs][::-1]
    elif i % 4 == 3:
        mu[half], log_sigma[half], eps[:] = 0.0, 0.0, eps[:, :1]
    return mu, log_sigma, eps


def _in_units(name, found, scales):
    """All values in one row, each in units of its scale."""
    rows = [(f / s).ravel() for f, s in zip(found, scales, strict=True)]
    values = np.concatenate(rows)
    return {name: values, f"{name}__scale": np.ones_like(values)}


def _linear(domain, rng, b, k, d, eta):
    """x [b, d], weight [d, k], bias [d], eta of a linear Gaussian model."""
    shapes = {"x": (b, d), "weight": (d, k), "bias": (d,)}
    return *(domain.draw(rng, name, *shape) for name, shape in shapes.items()), np.array(eta)


def _linear_terms(model, z):
    """The absolute terms of the gradient of its log-density by z, where z stands for its size."""
    x, weight, bias, eta = model
    return (np.abs(x) + np.abs(bias) + z @ np.abs(weight).T) @ np.abs(weight) / eta + z


def _mixture_terms(centres, z):
    """Rounding moves the weights of the modes by that of their distances."""
    return (z + np.abs(centres).max(0)) * (1 + (z**2).sum(-1, keepdims=True) + (centres**2).sum())


def _q_terms(mu, log_sigma, eps):
    """What log q adds to the gradient by z and by μ, and the rounding of z in it."""
    sigma = np.exp(log_sigma)
    return 2 * (2 * np.abs(mu) / sigma + np.abs(eps)) / sigma


def _scales(terms, q_terms, mu, log_sigma, eps):
    """Scales of both gradients from the terms of that by z, those of log q apart.

    A derivative by z is multiplied by σ ε, which may be computed as z - μ and is as large as z
    then; in log q the rounding of that is counted already.
    """
    step = np.exp(log_sigma) * np.abs(eps)
    by_log_sigma = terms * (np.abs(mu) + step) + q_terms * step + 2
    return np.stack([(terms + q_terms).mean(0), by_log_sigma.mean(0)])


def _mixture(student, rng, k, c):
    """A mixture of c modes, and the absolute terms of its gradient by z where that is a size."""
    centres = student.domain.draw(rng, "centres", c, k)
    return student.given("mixture", centres), partial(_mixture_terms, centres)


def _gaussian(student, rng, sizes, eta):
    """The same of a linear Gaussian model of sizes b, k, d."""
    model = _linear(student.domain, rng, *sizes, eta)
    return student.given("linear_gaussian", *model), partial(_linear_terms, model)


def _calls(student, rng):
    """(target, mu, log_sigma, eps) of all sizes, a third of the targets mixtures.

    Every other linear model has any σ, both ends among them; modes are told apart where σ is
    about 1. Last come calls of which each differs from the first of them in one argument alone.
    """
    domain, sizes = student.domain, _sizes(student.domain, rng)
    wide = rng.permutation([-10.0, 10.0, *rng.uniform(-9, 9, len(sizes) // 3 - 2)])
    noise = domain.draw(rng, "eta", len(sizes))
    noise[1:3] = domain.draw(rng, "eta", 2)
    for i, (m, b, k) in enumerate(sizes):
        about = wide[i // 3] if i % 3 == 2 else rng.uniform(-1, 1)
        if i % 3 == 0:
            target = _mixture(student, rng, k, i // 3 % domain.sizes("c")[1] + 1)
        else:
            target = _gaussian(student, rng, (b, k, i // 3 % domain.sizes("d")[1] + 1), noise[i])
        gaussians = _gaussians(domain, rng, (m, b, k), about)
        yield target, *(gaussians if i % 3 == 2 else _tied(i // 3, *gaussians))
    usual = [(_gaussian(student, rng, (B, K, D), 1.0), *_usual(rng, M, B, K)) for _ in range(2)]
    yield from domain.replaced(*usual)


def _usual(rng, m, b, k):
    """mu, log_sigma, eps of usual sizes."""
    return rng.normal(size=(b, k)), rng.uniform(-1, 1, (b, k)), rng.normal(size=(m, b, k))


def _targets(student, rng):
    """Calls (log_joint, mu, log_sigma, eps) and the scales of what is averaged over samples."""
    for (log_joint, terms_of), mu, log_sigma, eps in _calls(student, rng):
        terms = terms_of(np.abs(mu) + np.exp(log_sigma) * np.abs(eps))
        phi = mu, log_sigma, eps
        yield (log_joint, *phi), _scales(terms, _q_terms(*phi), *phi)


def mean(student, rng):
    """Every row once a node, one or two samples of one or two dimensions: [nodes, …]."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(3)
    grid = np.array(list(itertools.product(nodes, repeat=2)))
    law = np.prod(list(itertools.product(weights, repeat=2)), axis=1)
    found = []
    for m, k in ((1, 2), (1, 1), (2, 1)):
        x, *model = _linear(student.domain, rng, B, k, D, rng.uniform(0.3, 1.0))
        mu, log_sigma = rng.normal(size=(B, k)), rng.uniform(np.log(0.4), np.log(1.5), (B, k))
        mu, log_sigma, x = (np.tile(row, (len(law), 1)) for row in (mu, log_sigma, x))
        eps = np.repeat(grid[:, : m * k].reshape(-1, m, k), B, axis=0).swapaxes(0, 1)
        log_joint = student.given("linear_gaussian", x, *model)
        grads = student.grad_path_derivative(log_joint, mu, log_sigma, np.ascontiguousarray(eps))
        found += [grad.reshape(len(law), -1) for grad in grads]
    return {"grad": np.concatenate(found, axis=1), "grad__weight": law / law.sum()}


def _posterior(student, rng, b, k, d):
    """A linear model and its posterior; columns of W at right angles make it diagonal."""
    directions, _ = np.linalg.qr(rng.normal(size=(d, k)))
    x, _, bias, eta = _linear(student.domain, rng, b, k, d, rng.uniform(0.3, 1.0))
    weight = directions * rng.uniform(0.5, 2.0, k)
    precision = 1 + (weight**2).sum(0) / eta
    mu = (x - bias) @ weight / eta / precision
    return (x, weight, bias, eta), mu, np.tile(-0.5 * np.log(precision), (b, 1))


def posterior(student, rng):
    found, scales = [], []
    for m, b, k, d in ((M, B, K, D), (1, 1, 1, 1), (3, 2, 3, 3)):
        model, mu, log_sigma = _posterior(student, rng, b, k, d)
        eps = rng.normal(size=(m, b, k))
        log_joint = student.given("linear_gaussian", *model)
        found.append(np.stack(student.grad_path_derivative(log_joint, mu, log_sigma, eps)))
        z = np.abs(mu) + np.exp(log_sigma) * np.abs(eps)
        terms = _linear_terms(model, z) + (z + np.abs(mu)) * np.exp(-2 * log_sigma)
        scales.append(_scales(0, terms, mu, log_sigma, eps))
    return _in_units("residual", found, scales)


def average(student, rng):
    """Its values; last at rows where q is more and more the posterior, so that they are small."""
    found, scales = [], []
    for args, scale in _targets(student, rng):
        found.append(np.stack(student.grad_path_derivative(*args)))
        scales.append(scale)
    model, mu, log_sigma = _posterior(student, rng, len(NEAR), K, D)
    eps, mu = rng.normal(size=(2, *mu.shape)), mu + NEAR[:, None]
    log_joint = student.given("linear_gaussian", *model)
    found.append(np.stack(student.grad_path_derivative(log_joint, mu, log_sigma, eps)))
    z = np.abs(mu) + np.exp(log_sigma) * np.abs(eps)
    phi = mu, log_sigma, eps
    scales.append(_scales(_linear_terms(model, z), _q_terms(*phi), *phi))
    return _in_units("grad", found, scales)


def total(student, rng):
    found, scales = [], []
    for args, scale in _targets(student, rng):
        found.append(np.stack(student.grad_total(*args)))
        scales.append(scale)
    return _in_units("grad", found, scales)


def score(student, rng):
    calls = []
    for i, (m, b, k) in enumerate(_sizes(student.domain, rng)):
        log_sigma = student.domain.draw(rng, "score_term.log_sigma", b, k)
        mu, _, eps = _gaussians(student.domain, rng, (m, b, k), 0.0)
        mu = np.where((log_sigma < -10) & (np.abs(mu) < 10), 0.0, mu)
        calls.append((mu, log_sigma, eps) if i % 3 else _tied(i // 3, *_usual(rng, m, b, k)))
    calls += student.domain.replaced(*(_usual(rng, M, B, K) for _ in range(2)))
    found = [np.stack(student.score_term(*call)) for call in calls]
    return _in_units("term", found, [_scales(0, _q_terms(*call), *call) for call in calls])


def parts(student, rng):
    """The whole is the path derivative less the score term."""
    found, scales = [], []
    for (target, *phi), scale in itertools.islice(_targets(student, rng), 3):
        whole, path = student.grad_total(target, *phi), student.grad_path_derivative(target, *phi)
        found.append(np.stack(whole) - (np.stack(path) - np.stack(student.score_term(*phi))))
        scales.append(3 * scale)
    return _in_units("residual", found, scales)


def example(student, rng):
    return {"agrees": student.example()}
