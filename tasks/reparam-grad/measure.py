"""What is measured of reparam-grad: estimates at given noise, and the moments of some over it.

Where every sample's estimate is determined by its noise, values are compared; the bound's gradient,
which may be estimated in several ways, is compared in expectation over Gauss–Hermite nodes, and in
what all of these ways have in common. Values are in units of their scale S, the sum of the absolute
terms of the formula, from the inputs alone.
"""

import itertools

import numpy as np

# m, b, k: the smallest and the largest of every axis, odd and even ones, one that no chunk divides,
# and one size twice, so that nothing kept from the first call goes unnoticed
SIZES = ((1, 1, 1), (2, 3, 2), (3, 1, 4), (1, 200, 2), (50, 4, 1), (2, 3, 2))
SIZES += ((4, 5, 3), (5, 7, 2), (31, 6, 3))
ROWS = 2


def _wide(domain, rng, m, b, k):
    """mu, log_sigma, eps from all of the domain; μ is 0 beside a σ that would be lost in it."""
    log_sigma, eps = domain.draw(rng, "log_sigma", b, k), domain.draw(rng, "eps", m, b, k)
    return np.where(log_sigma < -10, 0.0, domain.draw(rng, "mu", b, k)), log_sigma, eps


def _alike(domain, rng, shape, log_sigma):
    """mu, log_sigma, eps with σ of one size in all of a call, where coordinates meet in sums."""
    m, b, k = shape
    mu, eps = domain.draw(rng, "mu", b, k), domain.draw(rng, "eps", m, b, k)
    spread = np.full((b, k), float(log_sigma))
    if abs(log_sigma) < 10:
        spread += rng.uniform(-1.0, 1.0, (b, k))
    return np.zeros((b, k)) if log_sigma < -5 else mu, spread, eps


def _decoder(domain, rng, b, k, d, eta):
    """x [b, d], weight [d, k], bias [d] and eta of a linear Gaussian model."""
    shapes = {"x": (b, d), "weight": (d, k), "bias": (d,)}
    return *(domain.draw(rng, name, *shape) for name, shape in shapes.items()), np.array(float(eta))


def _in_units(name, found, scales):
    """All values in one row, each in units of its scale."""
    rows = [(f / s).ravel() for f, s in zip(found, scales, strict=True)]
    values = np.concatenate(rows)
    return {name: values, f"{name}__scale": np.ones_like(values)}


def _spread(mu, log_sigma, eps):
    """|σ ε| and the largest |z|: [m, b, k]."""
    spread = np.exp(log_sigma) * np.abs(eps)
    return spread, np.abs(mu) + spread


def _both(terms, spread):
    """The scales of both gradients from the terms of ∂f/∂z: [2, b, k]."""
    return np.stack([terms.mean(0), (terms * spread).mean(0)])


def _joint_terms(decoder, z):
    """The absolute terms of the gradient of log_joint by z, where z stands for its size."""
    x, weight, bias, eta = decoder
    residual = np.abs(x) + np.abs(bias) + z @ np.abs(weight).T
    return residual @ np.abs(weight) / eta + z


def square(student, rng):
    found, scales = [], []
    for m, b, k in SIZES:
        mu, log_sigma, eps = _wide(student.domain, rng, m, b, k)
        grads = student.grad_pathwise(student.given("square"), mu, log_sigma, eps)
        spread, z = _spread(mu, log_sigma, eps)
        found.append(np.stack(grads))
        scales.append(_both(2 * z, spread))
    return _in_units("grad", found, scales)


def sine(student, rng):
    """The rounding of z is that of the argument of the sine, so σ is at most e²."""
    found, scales = [], []
    for m, b, k in SIZES:
        mu, log_sigma, eps = _wide(student.domain, rng, m, b, k)
        log_sigma = np.minimum(log_sigma, 2.0)
        grads = student.grad_pathwise(student.given("sine"), mu, log_sigma, eps)
        spread, z = _spread(mu, log_sigma, eps)
        found.append(np.stack(grads))
        scales.append(_both(1 + z, spread))
    return _in_units("grad", found, scales)


def average(student, rng):
    """A function that holds another datum for every row and in which the coordinates meet."""
    found, scales = [], []
    sizes = ((16, 6, 2, 0.0), (3, 1, 3, -20.0), (1, 2, 4, 10.0), (16, 6, 2, -1.0))
    for m, b, k, size in sizes:
        decoder = _decoder(student.domain, rng, b, k, 3, rng.uniform(0.3, 1.0))
        mu, log_sigma, eps = _alike(student.domain, rng, (m, b, k), size)
        grads = student.grad_pathwise(student.given("log_joint", *decoder), mu, log_sigma, eps)
        spread, z = _spread(mu, log_sigma, eps)
        found.append(np.stack(grads))
        scales.append(_both(_joint_terms(decoder, z), spread))
    return _in_units("grad", found, scales)


def _nodes(per_dimension, dimensions):
    """Nodes [n, dimensions] and weights [n] of the standard normal law."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(per_dimension)
    grid = np.array(list(itertools.product(nodes, repeat=dimensions)))
    law = np.prod(list(itertools.product(weights, repeat=dimensions)), axis=1)
    return grid, law / law.sum()


def _repeated(nodes, *rows):
    """Noise [m, nodes * b, k] for nodes [n, m, k], and every array [b, …] once a node."""
    count, b = len(nodes), len(rows[0])
    eps = np.repeat(nodes, b, axis=0).swapaxes(0, 1)
    return np.ascontiguousarray(eps), [np.tile(row, (count, 1)) for row in rows]


def elbo(student, rng):
    """Every row once a node, for one to four samples of one to four dimensions: [nodes, …].

    At a small σ the gradient by ln σ alone is asked for: the path derivative has terms of 1/σ in
    that by μ, whose mean is zero up to their rounding.
    """
    nodes, law = _nodes(3, 4)
    found = []
    cases = ((1, 1, -10), (1, 2, 0), (2, 1, 0), (3, 1, 0))
    cases += ((4, 1, 2), (1, 3, -6), (1, 4, 0), (1, 1, 10))
    for m, k, size in cases:
        x, *model = _decoder(student.domain, rng, ROWS, k, 2, rng.uniform(0.3, 1.0))
        mu, log_sigma, _ = _alike(student.domain, rng, (1, ROWS, k), size)
        noise = nodes[:, : m * k].reshape(-1, m, k)
        eps, (mu, log_sigma, x) = _repeated(noise, mu, log_sigma, x)
        grads = student.grad_elbo(student.given("log_joint", x, *model), mu, log_sigma, eps)
        found += [grad.reshape(len(law), -1) for grad in grads[size < 0 :]]
    return {"grad": np.concatenate(found, axis=1), "grad__weight": law}


def _apart(model, mu, log_sigma, eps):
    """Every sample as a row of its own, in one call with M = 1: a single sample is there twice."""
    noise = eps if len(eps) > 1 else np.repeat(eps, 2, axis=0)
    x, mu, log_sigma = (np.tile(array, (len(noise), 1)) for array in (model[0], mu, log_sigma))
    return (x, *model[1:]), (mu, log_sigma, noise.reshape(1, *mu.shape))


def elbo_samples(student, rng):
    """What all estimates of the bound's gradient have in common, sample by sample.

    How the entropy is done depends on q alone, so the estimates for two models differ by the
    pathwise gradient of log p - log p'. And M samples give the mean of what each gives alone,
    whatever M and B are, so that `elbo` need not know the entropy at every size.
    """
    found, scales = [], []
    spreads = (-10.0, 2.0, 0.0, -8.0, 10.0, -3.0, 1.0, -1.0, 0.0)
    for (m, b, k), size in zip(SIZES, spreads, strict=True):
        mu, log_sigma, eps = _alike(student.domain, rng, (m, b, k), size)
        models = [_decoder(student.domain, rng, b, k, d, eta) for d, eta in ((1, 0.1), (4, 2.0))]
        given = [student.given("log_joint", *model) for model in models]
        first, second = (np.stack(student.grad_elbo(f, mu, log_sigma, eps)) for f in given)
        spread, z = _spread(mu, log_sigma, eps)
        sigma = np.exp(log_sigma)
        terms = sum(_joint_terms(model, z) for model in models)
        # log q, if it is sampled, is there twice for each model: through z and through q
        terms = terms + 4 * (2 * np.abs(mu) / sigma + np.abs(eps)) / sigma
        scale = _both(terms, spread + sigma)
        scale[1] += 4  # the entropy adds 1 to the gradient by ln σ, and log q takes it off again
        found.append(first - second)
        scales.append(scale)
        model, alone = _apart(models[0], mu, log_sigma, eps)
        if len(alone[0]) <= student.domain.sizes("b")[1]:
            grads = np.stack(student.grad_elbo(student.given("log_joint", *model), *alone))
            found.append(first - grads.reshape(2, -1, b, k).mean(axis=1))
            scales.append(scale)
    return _in_units("grad", found, scales)


def two_samples(student, rng):
    """z² with one and with two samples, over the joint law of two samples: [nodes, 2, 2, b, k]."""
    nodes, law = _nodes(3, 4)
    mu, log_sigma = rng.normal(size=(2, 2)), rng.uniform(np.log(0.3), np.log(1.5), (2, 2))
    eps, (mu, log_sigma) = _repeated(nodes.reshape(-1, 2, 2), mu, log_sigma)
    f = student.given("square")
    grads = [student.grad_pathwise(f, mu, log_sigma, noise) for noise in (eps[:1], eps)]
    by_node = [np.stack([g.reshape(len(law), 2, 2) for g in pair], axis=1) for pair in grads]
    return {"grad": np.stack(by_node, axis=1), "grad__weight": law}


def _theta(student, rng, size, log_sigma):
    """Both gradients by θ, [d, k + 1], and their scales."""
    m, b, k, d, eta = size
    mu, log_sigma, eps = _alike(student.domain, rng, (m, b, k), log_sigma)
    x, weight, bias, eta = _decoder(student.domain, rng, b, k, d, eta)
    log_lik = student.given("log_lik", x, eta)
    grads = student.grad_theta(log_lik, weight, bias, mu, log_sigma, eps)
    _, z = _spread(mu, log_sigma, eps)
    terms = (np.abs(x) + np.abs(bias) + z @ np.abs(weight).T) / eta
    by_weight = np.einsum("mbd,mbk->dk", terms, z) / (m * b)
    columns = [[pair[0], pair[1][:, None]] for pair in (grads, (by_weight, terms.mean((0, 1))))]
    return [np.concatenate(pair, axis=1) for pair in columns]


def theta(student, rng):
    """One sample: batches of several sizes, and standard deviations of several sizes."""
    sizes = ((1, 1, 1, 0.1), (1, 2, 3, 2.0), (3, 2, 2, 1.0), (200, 1, 3, 0.5), (4, 4, 4, 0.5))
    sizes = [(1, *size) for size in (*sizes, (3, 2, 2, 1.0), (2, 1, 1, 1.0))]
    spreads = (-30.0, 20.0, 0.0, -2.0, -10.0, -1.0, 3.0)
    pairs = [_theta(student, rng, *each) for each in zip(sizes, spreads, strict=True)]
    return _in_units("grad", *zip(*pairs, strict=True))


def theta_average(student, rng):
    """More than one sample: even and odd numbers of them."""
    sizes = ((16, 6, 2, 3, 0.7), (2, 1, 1, 1, 0.5), (3, 4, 3, 2, 1.0), (50, 2, 4, 1, 0.5))
    sizes += ((4, 5, 2, 4, 1.0), (5, 3, 1, 2, 0.3), (31, 7, 3, 3, 2.0))
    spreads = (0.0, -1.0, -20.0, 8.0, 0.0, -2.0, 1.0)
    pairs = [_theta(student, rng, *each) for each in zip(sizes, spreads, strict=True)]
    return _in_units("grad", *zip(*pairs, strict=True))


def example(student, rng):
    return {"agrees": student.example()}
