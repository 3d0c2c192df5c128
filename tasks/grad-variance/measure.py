"""What is measured of grad-variance: moments of estimators at Gauss–Hermite nodes, and own draws.

The nodes are the samples of one call, common to all rows of the batch, with their weights.
"""

import itertools
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np

B, K = 4, 2
OWN_ROWS = 2
FEW, COPIES = 7, 500  # estimates for each mean of a short call; copies of the rows in such a call
REPLICATES = 4  # calls that differ in their generator only
#: Samples and latent dimensions of short calls with one Gaussian.
SHORT = ((3, 1), (2, 3), (3, 4))


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


def _calls(student, rng):
    """mu, log_sigma, eps of several sizes, and a function with its absolute terms at |z|.

    Each function meets the smallest sizes, the largest and one size twice, so that nothing kept
    from a call goes unnoticed. μ is 0 beside a σ that would be lost in it, and so is the constant
    of z² in a thousand single rows, in which the smallest σ shows.
    """
    domain = student.domain
    sizes = ((1, 1, 1), (25, 3, 2), (2, 1, 3), (1, 1000, 1), (3, 30, 4), (25, 3, 2))
    bases, heights = (domain.draw(rng, name, len(sizes)) for name in ("base", "height"))
    offsets = np.insert(domain.draw(rng, "offset", len(sizes) - 1), 3, 0.0)
    for (m, b, k), *constants in zip(sizes, offsets, bases, heights, strict=True):
        offset, base, height = (np.array(constant) for constant in constants)
        for name, more in (("square", (offset,)), ("steps", (base, height))):
            mu, log_sigma = domain.draw(rng, "mu", b, k), domain.draw(rng, "log_sigma", b, k)
            mu = np.where(log_sigma < -10, 0.0, mu)
            yield Call(student, name, more, mu, log_sigma, domain.draw(rng, "eps", m, b, k))


class Call:
    """Arguments, and what bounds the absolute terms of what is computed from them."""

    def __init__(self, student, name, constants, mu, log_sigma, eps):
        self.f = student.given(name, *constants)
        self.arguments = (self.f, mu, log_sigma, eps)
        self.m, self.b, _ = eps.shape
        sigma = np.exp(log_sigma)
        self.z = np.abs(mu) + sigma * np.abs(eps)
        self.slope = 2.0 if name == "square" else 0.5
        own = self.slope / 2 * self.z**2 + (constants[1] if name == "steps" else 0.0)
        self.value = np.abs(constants[0]) + own.sum(-1)
        # (z - μ)/σ² is rounded as z is
        self.score = (2 * np.abs(mu) / sigma + np.abs(eps)) / sigma
        self.exact_score = eps / sigma


def _in_units(name, found, scales):
    """All values in one row, each in units of its scale; where that is 0, as they are."""
    pairs = [(f, np.where(s > 0, s, 1)) for f, s in zip(found, scales, strict=True)]
    values = np.concatenate([(f / s).ravel() for f, s in pairs])
    return {name: values, f"{name}__scale": np.ones_like(values)}


def pathwise(student, rng):
    """Sample by sample, for z² and for steps, whose slope is that of z²/4."""
    calls = list(_calls(student, rng))
    found = [student.pathwise_samples(*call.arguments) for call in calls]
    return _in_units("grad", found, [call.slope * call.z for call in calls])


def score_values(student, rng):
    """Sample by sample, with baselines of either sign, some of them 0."""
    calls = list(_calls(student, rng))
    found, scales = [], []
    for call in calls:
        baseline = student.domain.draw(rng, "baseline", call.b)
        baseline = np.where(rng.random(call.b) < 0.2, 0.0, baseline)
        found.append(student.score_samples(*call.arguments, baseline))
        scales.append((call.value + np.abs(baseline))[..., None] * call.score)
    return _in_units("grad", found, scales)


def score(student, rng):
    """Without a baseline and with a random one: [nodes, 2, b, k]."""
    eps, law = _nodes(B)
    f, _ = _square(student, rng)
    mu, log_sigma = _gaussians(rng)
    baselines = np.stack([np.zeros(B), rng.uniform(1.0, 10.0, B)])
    found = [student.score_samples(f, mu, log_sigma, eps, b) for b in baselines]
    return {"grad": np.stack(found, axis=1), "grad__weight": law}


def _law(rng, m):
    """Weights [m] that sum to one; of three or more one is 0 and one tiny."""
    weights = rng.dirichlet(np.ones(m))
    if m > 2:
        weights[:2] = 0.0, 10 ** rng.uniform(-11.0, -8.5)
    return rng.permutation(weights / weights.sum())


def variance(student, rng):
    """Rows whose coordinates hang together, their means small and large beside their spread."""
    found, scales = [], []
    for m, b, k in ((1, 1, 1), (25, 4, 3), (2, 1, 4), (3, 1000, 1), (25, 4, 3), (2, 5, 2)):
        samples = student.domain.draw(rng, "samples", m, b, k)
        samples = samples / 2 + rng.uniform(-0.5, 0.5) * samples.flat[0] + samples[..., :1] / 4
        if k == 1:
            samples = student.domain.draw(rng, "samples", m, b, k)
        weights = _law(rng, m)
        second = np.einsum("m,mbk->b", weights, samples**2)
        first = np.einsum("m,mbk->bk", weights, np.abs(samples))
        found.append(student.total_variance(samples, weights))
        scales.append(second + (first**2).sum(1))
    return _in_units("variance", found, scales)


def optimal(student, rng):
    """For both functions; one sample has its own value as its optimum."""
    found, scales = [], []
    for call in _calls(student, rng):
        weights = _law(rng, call.m)
        rounded = np.einsum("m,mb->b", weights, (call.score**2).sum(-1))
        squared = np.einsum("m,mb->b", weights, (call.exact_score**2).sum(-1))
        found.append(student.optimal_baseline(*call.arguments, weights))
        scales.append(rounded * call.value.max(0) / squared)
    return _in_units("baseline", found, scales)


def _term(z, height):
    """What one coordinate adds to the function of steps."""
    return z**2 / 4 + height * (z > 0)


def _steps_moments(mu, sigma, base, height):
    """Gradient [b, k] of E f by μ in closed form, and two sd [b, k] on a grid.

    That of f ε/σ, and that of (f - f') ε/σ with the value f' of another draw as the baseline.
    """
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
    # E (f - f')² ε² = E f² ε² - 2 E f' E f ε² + E f'²
    middle, cross = base + mean.sum(1, keepdims=True), (law * (rest + term) * eps**2).sum(0)
    paired = second - 2 * middle * cross + middle**2 + spread.sum(1, keepdims=True)
    plain, other = (np.sqrt(each / sigma**2 - gradient**2) for each in (second, paired))
    return gradient, plain, other


@dataclass(frozen=True)
class Problem:
    """A function of steps and one Gaussian a row: mu, sigma [rows, k]."""

    base: float
    height: float
    mu: np.ndarray
    sigma: np.ndarray

    def arguments(self, student, copies=1):
        """Of sample_gradients, but for n; the rows several times over."""
        f = student.given("steps", np.array(self.base), np.array(self.height))
        return f, np.tile(self.mu, (copies, 1)), np.tile(np.log(self.sigma), (copies, 1))

    @cached_property
    def moments(self):
        return _steps_moments(self.mu, self.sigma, self.base, self.height)


def _gaussian(rng, rows):
    """mu, sigma [rows, K] at which f varies and jumps, its constant part being large."""
    return rng.uniform(-0.4, 0.4, (rows, K)), np.exp(rng.uniform(-0.35, 0.2, (rows, K)))


def _centred(rng, height):
    """Two rows of which f has the mean 0, or nearly, with small σ; μ is far from 0 in the first.

    Without a baseline the estimates vary as little as others do with one, so a bias of a few
    hundredths of f shows. If f is taken at another σ than the score, as with 1 or 2^(ln σ) for σ,
    the mean of the first row is off by a sixth of a standard deviation or more; if it is taken at
    the first row's μ, that of the second is.
    """
    far, near = rng.uniform([0.4, 0.05], [0.55, 0.1])
    mu = np.array([[far], [near]]) * rng.permutation([1.0, -1.0])
    sigma = np.exp(rng.uniform(-1.15, -1.0, (OWN_ROWS, K)))
    beyond = np.vectorize(NormalDist().cdf)(mu / sigma)
    mean = ((mu**2 + sigma**2) / 4 + height * beyond).sum(axis=1)
    return Problem(-float(mean.mean()), height, mu, sigma)


def _problem(student, rng, rows, k, base, height):
    """A problem at any μ and σ of the domain."""
    mu = student.domain.draw(rng, "sample_gradients.mu", rows, k)
    sigma = np.exp(student.domain.draw(rng, "sample_gradients.log_sigma", rows, k))
    return Problem(float(base), float(height), mu, sigma)


def _directions(found, sigma):
    """Angles of the first two dimensions of ε [n, rows] as shares of a half turn, from 0 to 1.

    Whatever number an estimate multiplies the score of its noise by drops out.
    """
    with np.errstate(all="ignore"):
        return np.arctan(found[..., 0] * sigma[:, 0] / (found[..., 1] * sigma[:, 1])) / np.pi + 0.5


def _apart(shares):
    """Whether fewer than three pairs of neighbours in size are the same but for rounding.

    Of N independent ones N² · 5e-13 are expected: 5e-4 of 30,000, and three or more have a
    probability below 1e-10.
    """
    return np.isfinite(shares).all() and (np.diff(np.sort(shares, axis=None)) < 5e-13).sum() < 3


def _short_calls(student, n, problem, samples):
    """Estimates [n, rows, k], each the mean of a call with few samples; [calls, samples, …] too.

    A call has a batch of COPIES copies of every row. What leans on a sample's own value is off by
    the share of the sample in its call, half of two, which no call with thousands shows.
    """
    means, whole = [], []
    for first in range(0, n, COPIES):
        copies = min(COPIES, n - first)
        args = (*problem.arguments(student, copies), samples)
        (call,) = student.independent("sample_gradients", *args, replicates=1)
        means.append(call.mean(axis=0).reshape(copies, -1))
        whole.append(call.reshape(samples * copies, *problem.mu.shape))
    return np.concatenate(means), np.concatenate(whole)


def _long_calls(student, n, problem):
    """n estimates [n, rows, k] from a few calls."""
    args = (*problem.arguments(student), n // REPLICATES)
    calls = student.independent("sample_gradients", *args, replicates=REPLICATES)
    return np.concatenate(calls).reshape(n, *problem.mu.shape)


def own_noise(student, rng, n):
    """n estimates for a function of steps, against n without a baseline from noise of ours.

    Beside them n for a function whose mean is 0, and the means of short calls, of rows with 1 to 4
    dimensions; and the directions of the noise behind the estimates, by its first two dimensions.
    """
    bases, heights = rng.uniform(6.0, 8.0, 3), student.domain.draw(rng, "height", 3)
    base, height = rng.uniform(6.0, 8.0), rng.uniform(4.0, 5.0)
    main, centred = Problem(base, height, *_gaussian(rng, OWN_ROWS)), _centred(rng, height)
    found, small = (_long_calls(student, n, problem) for problem in (main, centred))
    (expected, plain, _), (true, _, paired) = main.moments, centred.moments
    problems = [(2, main)]
    for (samples, k), *constants in zip(SHORT, bases, heights, strict=True):
        problems.append((samples, _problem(student, rng, 1, k, *constants)))
    short = []
    shares = [_directions(found, main.sigma), _directions(small, centred.sigma)]
    for samples, problem in problems:
        means, whole = _short_calls(student, n // FEW, problem, samples)
        short.append((means, problem))
        if problem.mu.shape[1] > 1:
            shares.append(_directions(whole, problem.sigma))
    single = _problem(student, rng, 1, K, base, height)
    (alone,) = student.independent("sample_gradients", *single.arguments(student), 5, replicates=1)
    shares.append(_directions(alone, single.sigma))

    eps = rng.normal(size=(n, OWN_ROWS, K))
    value = base + _term(main.mu + main.sigma * eps, height).sum(-1, keepdims=True)
    return {
        "mean": np.concatenate([found.reshape(n, -1), small.reshape(n, -1)], axis=1),
        "mean__expected": np.concatenate([expected.ravel(), true.ravel()]),
        # where there is nothing to take away, a baseline may be as rough as one other value
        "mean__scale": np.concatenate([plain.ravel(), paired.ravel()]),
        "grad": found.reshape(n, -1),
        "grad__baseline": (value * eps / main.sigma).reshape(n, -1),
        "few": np.concatenate([means for means, _ in short], axis=1),
        "few__expected": np.concatenate([each.moments[0].ravel() for _, each in short]),
        # the mean of some that depend on each other is at most as wide as one without a baseline
        "few__scale": np.concatenate([each.moments[1].ravel() for _, each in short]),
        "direction": shares[0],
        "own": np.array([_apart(each) for each in shares]),
    }


def example(student, rng):
    return {"agrees": student.example()}
