"""What is measured of grad-variance: moments of estimators at Gauss–Hermite nodes, and own draws.

The nodes are the samples of one call, common to all rows of the batch, with their weights.
"""

import itertools

import numpy as np

B, K = 4, 2
OWN_ROWS = 2
FEW, COPIES = 10, 500  # estimates for each of two samples a call; copies of the rows in a call
REPLICATES = 4  # calls that differ in their generator only


def _nodes(b, per_dimension=5):
    """Noise [n, b, k], the same for every row, and weights [n] of the standard normal law."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(per_dimension)
    grid = np.array(list(itertools.product(nodes, repeat=K)))
    law = np.prod(list(itertools.product(weights, repeat=K)), axis=1)
    return np.tile(grid[:, None], (1, b, 1)), law / law.sum()


def _gaussians(rng, b=B):
    """mu, log_sigma [b, k]: σ between 0.5 and 1.5."""
    return rng.normal(size=(b, K)), rng.uniform(np.log(0.5), np.log(1.5), (b, K))


def _square(student, rng):
    """The function, and its offset."""
    offset = rng.uniform(2.0, 6.0)
    return student.given("square", np.array(offset)), offset


def _calls(rng):
    """mu, log_sigma, eps of several sizes, from 1 on, and of several spreads; μ is 0 for tiny ones.

    One size is there twice, so that nothing kept from the first call goes unnoticed.
    """
    sizes = ((1, 1, 1), (3, 4, 2), (2, 1, 3), (5, 30, 1), (3, 4, 2))
    for (m, b, k), about in zip(sizes, (0.0, -1.0, -20.0, 5.0, 1.0), strict=True):
        log_sigma = about + rng.uniform(-1.0, 1.0, (b, k))
        mu = rng.normal(0.0, 3.0, (b, k)) * (about > -10)
        yield mu, log_sigma, rng.uniform(-6.0, 6.0, (m, b, k))


def _in_units(found, scales):
    """All values in one row, each in units of its scale."""
    values = np.concatenate([(f / s).ravel() for f, s in zip(found, scales, strict=True)])
    return {"grad": values, "grad__scale": np.ones_like(values)}


def pathwise(student, rng):
    """Sample by sample, for z² and for steps, whose slope is that of z²/4."""
    found, scales = [], []
    for mu, log_sigma, eps in _calls(rng):
        z = np.abs(mu) + np.exp(log_sigma) * np.abs(eps)
        steps = student.given("steps", np.array(7.0), np.array(4.0))
        for f, slope in ((_square(student, rng)[0], 2.0), (steps, 0.5)):
            found.append(student.pathwise_samples(f, mu, log_sigma, eps))
            scales.append(slope * z)
    return _in_units(found, scales)


def score_values(student, rng):
    """Sample by sample, with baselines of either sign, one of them 0."""
    found, scales = [], []
    for mu, log_sigma, eps in _calls(rng):
        f, offset = _square(student, rng)
        baseline = rng.uniform(-10.0, 10.0, len(mu)) * (rng.random(len(mu)) < 0.8)
        sigma = np.exp(log_sigma)
        size = offset + ((np.abs(mu) + sigma * np.abs(eps)) ** 2).sum(-1) + np.abs(baseline)
        found.append(student.score_samples(f, mu, log_sigma, eps, baseline))
        # (z - μ)/σ² is rounded as z is
        scales.append(size[..., None] * (2 * np.abs(mu) / sigma + np.abs(eps)) / sigma)
    return _in_units(found, scales)


def score(student, rng):
    """Without a baseline and with a random one: [nodes, 2, b, k]."""
    eps, law = _nodes(B)
    f, _ = _square(student, rng)
    mu, log_sigma = _gaussians(rng)
    baselines = np.stack([np.zeros(B), rng.uniform(1.0, 10.0, B)])
    found = [student.score_samples(f, mu, log_sigma, eps, b) for b in baselines]
    return {"grad": np.stack(found, axis=1), "grad__weight": law}


def variance(student, rng):
    """Rows whose coordinates hang together, with a mean that is not small."""
    samples = rng.normal(3.0, 1.0, (30, B, 1)) + rng.normal(size=(30, B, 3))
    weights = rng.dirichlet(np.ones(30))
    second = np.einsum("m,mbk->b", weights, samples**2)
    first = np.einsum("m,mbk->bk", weights, np.abs(samples))
    scale = second + (first**2).sum(1)
    return {"variance": student.total_variance(samples, weights), "variance__scale": scale}


def optimal(student, rng):
    eps, law = _nodes(B)
    f, offset = _square(student, rng)
    mu, log_sigma = _gaussians(rng)
    sigma = np.exp(log_sigma)
    value = offset + ((np.abs(mu) + sigma * np.abs(eps)) ** 2).sum(-1)
    # (z - μ)/σ² is rounded as z is
    rounded = (((2 * np.abs(mu) / sigma + np.abs(eps)) / sigma) ** 2).sum(-1)
    squared = np.einsum("m,mbk->b", law, (eps / sigma) ** 2)
    scale = np.einsum("m,mb->b", law, rounded) * value.max(0) / squared
    found = student.optimal_baseline(f, mu, log_sigma, eps, law)
    return {"baseline": found, "baseline__scale": scale}


def _term(z, height):
    """What one coordinate adds to the function of steps."""
    return z**2 / 4 + height * (z > 0)


def _steps_moments(mu, sigma, base, height):
    """Gradient [b, k] of E f by μ in closed form, and the sd [b, k] of f ε/σ on a grid."""
    gradient = mu / 2 + height * np.exp(-((mu / sigma) ** 2) / 2) / np.sqrt(2 * np.pi) / sigma
    eps = np.linspace(-8.0, 8.0, 2001)[:, None, None]
    law = np.exp(-(eps**2) / 2)
    law /= law.sum()
    term = _term(mu + sigma * eps, height)
    mean = (law * term).sum(0)
    spread = (law * (term - mean) ** 2).sum(0)
    # the coordinates are independent: f is the own term, the others' mean and their spread
    rest, others = base + mean.sum(1, keepdims=True) - mean, spread.sum(1, keepdims=True) - spread
    second = (law * (rest + term) ** 2 * eps**2).sum(0) + others
    return gradient, np.sqrt(second / sigma**2 - gradient**2)


def _two_at_once(student, n, problem):
    """Estimates [n, OWN_ROWS * K], each the mean of a call with two samples.

    A call has a batch of COPIES copies of every row. What leans on a sample's own value is off by
    the share of the sample in its call, half here, which no call with thousands shows.
    """
    f, mu, sigma = problem
    calls = []
    for first in range(0, n, COPIES):
        copies = min(COPIES, n - first)
        args = (f, np.tile(mu, (copies, 1)), np.tile(np.log(sigma), (copies, 1)), 2)
        (call,) = student.independent("sample_gradients", *args, replicates=1)
        calls.append(call.mean(axis=0).reshape(copies, -1))
    return np.concatenate(calls)


def own_noise(student, rng, n):
    """n estimates for a function of steps, against n without a baseline from noise of ours."""
    mu = rng.uniform(-0.4, 0.4, (OWN_ROWS, K))
    sigma = rng.uniform(0.7, 1.2, (OWN_ROWS, K))
    base, height = rng.uniform(6.0, 8.0), rng.uniform(4.0, 5.0)
    f = student.given("steps", np.array(base), np.array(height))
    args = (f, mu, np.log(sigma), n // REPLICATES)
    calls = student.independent("sample_gradients", *args, replicates=REPLICATES)
    found = np.concatenate(calls).reshape(n, -1)
    expected, spread = _steps_moments(mu, sigma, base, height)
    two = _two_at_once(student, n // FEW, (f, mu, sigma))

    eps = rng.normal(size=(n, OWN_ROWS, K))
    value = base + _term(mu + sigma * eps, height).sum(-1, keepdims=True)
    return {
        "grad": found,
        "grad__expected": expected.ravel(),
        "grad__scale": spread.ravel(),
        "grad__baseline": (value * eps / sigma).reshape(n, -1),
        "two": two,
        "two__expected": expected.ravel(),
        # the mean of two that depend on each other is at most as wide as one without a baseline
        "two__scale": spread.ravel(),
    }
