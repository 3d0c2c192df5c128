"""What is measured of grad-variance: moments of estimators at Gauss–Hermite nodes, and own draws.

The nodes are the samples of one call, common to all rows of the batch, with their weights.
"""

import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist

import numpy as np

B, K = 4, 2
OWN_ROWS = 2
FEW, COPIES = 5, 500  # estimates for each mean of a short call; copies of the rows in such a call
REPLICATES = 4  # calls that differ in their generator only
EACH = 5  # Gaussians of each of the two kinds of rows in larger batches
#: Fewest samples, most samples and latent dimensions of short calls with one Gaussian.
SHORT = ((3, 3, 1), (2, 2, 3), (4, 6, 4))


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


def _sizes(domain, rng):
    """(m, b, k): every number of samples, as many numbers of rows, every number of dimensions.

    Then many rows of more than one dimension, and odd numbers of rows, no multiples of 5.
    """
    (_, m), (_, b), (_, k) = (domain.sizes(axis) for axis in "mbk")
    numbers = np.arange(1, m + 1)
    small = rng.permutation(numbers), rng.permutation(numbers), rng.permutation(numbers) % k + 1
    odd = np.setdiff1d(np.arange(m + 2, b, 2), np.arange(25, b, 10))
    few, many = rng.choice(odd[odd < b / 2]), rng.choice(odd[odd > b / 2])
    same = rng.integers(2, k + 1)
    sizes = [*np.stack(small, axis=1), (same, same, same), (3, few, 3), (2, many, 2), (2, b, 2)]
    return [tuple(map(int, size)) for size in sizes]


def _constants(domain, rng, name):
    """Those of a function of given.py."""
    names = {"square": ("offset",), "steps": ("base", "height")}[name]
    return tuple(domain.draw(rng, each) for each in names)


def _usual(rng, m=3, b=4, k=2):
    """mu, log_sigma, eps of usual sizes, at which every term counts."""
    return rng.normal(size=(b, k)), rng.uniform(-1, 1, (b, k)), rng.normal(size=(m, b, k))


def _tied(i, mu, log_sigma, eps):
    """In three calls of four something is zero or there twice, as where a training begins.

    The same μ in all rows and a sample twice; σ = 1 in all rows and noise that is zero in one of
    several dimensions; rows that are standard normal beside others.
    """
    half = slice(None, -(-len(mu) // 2))
    if i % 4 == 1:
        mu[:], eps[-1] = mu[0], eps[0]
    elif i % 4 == 2:
        log_sigma[:], eps[0, half, 1:] = 0.0, 0.0
    elif i % 4 == 3:
        mu[half], log_sigma[half] = 0.0, 0.0
    return mu, log_sigma, eps


def _calls(student, rng):
    """mu, log_sigma, eps of all sizes, and a function with its absolute terms at |z|.

    Each function meets the smallest sizes, the largest and one size twice, so that nothing kept
    from a call goes unnoticed, and one of them the most of all axes at once. μ is 0 beside a σ that
    would be lost in it, and so is the constant of z² in a thousand single rows, in which the
    smallest σ shows.
    """
    domain = student.domain
    edges = [(1, 1, 1), (25, 3, 2), (2, 1, 3), (1, 1000, 1), (3, 30, 4), (25, 3, 2)]
    for name in ("square", "steps"):
        if name == "steps":
            edges.append(tuple(domain.sizes(axis)[1] for axis in "mbk"))
        for i, (m, b, k) in enumerate([*edges, *_sizes(domain, rng)]):
            constants = _constants(domain, rng, name)
            if name == "square" and i == edges.index((1, 1000, 1)):
                constants = (np.array(0.0),)
            mu, log_sigma = domain.draw(rng, "mu", b, k), domain.draw(rng, "log_sigma", b, k)
            mu = np.where(log_sigma < -10, 0.0, mu)
            arguments = mu, log_sigma, domain.draw(rng, "eps", m, b, k)
            if i >= len(edges) and i % 2:
                arguments = _tied(i // 2, *_usual(rng, m, b, k))
            yield Call(student, name, constants, *arguments)


def _changed(student, rng):
    """Calls of which each differs from the one before in an argument, f or one of its constants."""
    domain = student.domain
    steps = [_constants(domain, rng, "steps") for _ in range(2)]
    functions = [("steps", each) for each in domain.replaced(*steps)]
    functions += [("square", _constants(domain, rng, "square")) for _ in range(2)]
    gaussians = domain.replaced(*(_usual(rng) for _ in range(2)))
    calls = [(*functions[0], *q) for q in gaussians]
    calls += [(*f, *gaussians[-1]) for f in functions[1:]]
    return [Call(student, *each) for each in calls]


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
    calls = [*_calls(student, rng), *_changed(student, rng)]
    found = [student.pathwise_samples(*call.arguments) for call in calls]
    return _in_units("grad", found, [call.slope * call.z for call in calls])


def score_values(student, rng):
    """Sample by sample, with baselines of either sign, some of them 0."""
    calls, changed = list(_calls(student, rng)), _changed(student, rng)
    baselines = [student.domain.draw(rng, "baseline", call.b) for call in calls]
    baselines = [np.where(rng.random(len(b)) < 0.2, 0.0, b) for b in baselines]
    first, second = student.domain.draw(rng, "baseline", 2, changed[0].b)
    (second,) = student.domain.first_alike((first,), (second,))
    calls += [*changed, changed[-1]]
    found, scales = [], []
    for call, baseline in zip(calls, [*baselines, *[first] * len(changed), second], strict=True):
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


def _any_law(rng, m):
    """Weights [m] as above, or all of them equal."""
    return np.full(m, 1 / m) if rng.random() < 0.25 else _law(rng, m)


def variance(student, rng):
    """Rows whose coordinates hang together, their means small and large beside their spread.

    In some calls the first sample is zero, in others the same as the last.
    """
    pairs = []
    edges = [(1, 1, 1), (25, 4, 3), (2, 1, 4), (3, 1000, 1), (25, 4, 3), (2, 5, 2)]
    sizes = [*edges, *_sizes(student.domain, rng)]
    sizes.append(tuple(student.domain.sizes(axis)[1] for axis in "mbk"))
    for i, (m, b, k) in enumerate(sizes):
        samples = student.domain.draw(rng, "samples", m, b, k)
        if k > 1:
            shared = rng.uniform(-0.4, 0.4) * samples.flat[0]
            samples = 0.4 * samples + shared + 0.2 * samples[..., :1]
        if i >= len(edges) and i % 3 < 2:
            samples[0] = samples[-1] if i % 3 else 0.0
        pairs.append((samples, _law(rng, m)))
    # all weights equal, then the same samples with others, then other samples
    samples = student.domain.draw(rng, "samples", 2, 5, 4, 2)
    equal, law = np.full(5, 0.2), _law(rng, 5)
    pairs += student.domain.replaced((samples[0], equal), (samples[1], law))
    found, scales = [], []
    for samples, weights in pairs:
        second = np.einsum("m,mbk->b", weights, samples**2)
        first = np.einsum("m,mbk->bk", weights, np.abs(samples))
        found.append(student.total_variance(samples, weights))
        scales.append(second + (first**2).sum(1))
    return _in_units("variance", found, scales)


def optimal(student, rng):
    """For both functions; one sample has its own value as its optimum."""
    calls, changed = list(_calls(student, rng)), _changed(student, rng)
    laws = [_any_law(rng, call.m) for call in calls]
    equal, law = np.full(changed[0].m, 1 / changed[0].m), _law(rng, changed[0].m)
    (equal,) = student.domain.first_alike((law,), (equal,))
    calls += [*changed, changed[-1]]
    found, scales = [], []
    for call, weights in zip(calls, [*laws, *[law] * len(changed), equal], strict=True):
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
    """mu, sigma [rows, K] at which f varies and jumps, its constant part being large.

    One μ is 0. The widths of a row differ, those of the next row the other way round, so that one
    taken for another, of the same row or not, shows in the directions.
    """
    widths = np.stack([rng.uniform(-0.4, -0.25, rows), rng.uniform(0.05, 0.2, rows)], axis=1)
    turned = np.arange(rows) % 2 == rng.integers(2)
    widths[turned] = widths[turned, ::-1]
    mu = rng.uniform(-0.4, 0.4, (rows, K))
    mu[rng.integers(rows), rng.integers(K)] = 0.0
    return mu, np.exp(widths)


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


def _alone(student, rng, n, problem):
    """n estimates [n, 1, k] from calls with one row alone, two of odd sizes."""
    most = n // REPLICATES
    few = 2 * int(rng.integers(5, most // 2 - 5)) + 1
    calls = []
    for size in (few, most - few, *[most] * (REPLICATES - 1)):
        args = (*problem.arguments(student), size)
        calls += student.independent("sample_gradients", *args, replicates=1)
    return np.concatenate(calls)


def _two_kinds(rng, k, height):
    """EACH rows with small μ, then EACH with larger; k is even, and f has about the mean 0.

    Even dimensions are narrow and odd ones wide in the rows of the first kind, the other way round
    in those of the second. With |μ| of the other kind the mean of the narrow dimensions is off by
    .22 standard deviations or more (.15 where k is 4); with its σ the distribution function of the
    directions is off by .18 or more, and with the σ of an average row by .09.
    """
    far = np.arange(2 * EACH)[:, None] >= EACH
    signs = rng.choice([-1.0, 1.0], (2 * EACH, 1)) * (-1.0) ** np.arange(k)
    size = np.where(far, rng.uniform(0.4, 0.55, far.shape), rng.uniform(0.05, 0.1, far.shape))
    widths = rng.uniform(-1.2, -1.0, (2 * EACH, k)), rng.uniform(-0.5, -0.3, (2 * EACH, k))
    mu, sigma = size * signs, np.exp(np.where((np.arange(k) % 2 == 1) == far, *widths))
    beyond = np.vectorize(NormalDist().cdf)(mu / sigma)
    mean = ((mu**2 + sigma**2) / 4 + height * beyond).sum(axis=1)
    return Problem(-float(mean.mean()), height, mu, sigma)


def _in_order(rng, few, blocks):
    """Kinds of the rows, few of one and one more of the other: in two blocks, or taking turns."""
    kinds = (np.arange(2 * few + 1) + rng.integers(2)) % 2
    return np.sort(kinds)[:: rng.choice([-1, 1])] if blocks else kinds


def _batches(student, rng, n, height):
    """n estimates of rows of each kind, from calls with few rows and with many, in either order.

    Returns their distances [n, 4] from the true mean in standard deviations, those of a narrow and
    of a wide dimension of both kinds; the directions [n, 2] of their noise; all directions of each
    call.
    """
    away, shares, every = [], [], []
    for most, first in zip((5, 400), rng.permutation([0, K]).tolist(), strict=True):
        for k, blocks in zip(rng.permutation([K, 2 * K]), (True, False), strict=True):
            needed, few = n // 4, int(rng.integers(most // 2, most))
            problem, kinds = _two_kinds(rng, int(k), height), _in_order(rng, few, blocks)
            rows = kinds * EACH + rng.integers(EACH, size=len(kinds))
            batch = replace(problem, mu=problem.mu[rows], sigma=problem.sigma[rows])
            samples = -(-needed // few)
            samples += int(blocks and samples % 2 == 0)
            args = (*batch.arguments(student), samples)
            (call,) = student.independent("sample_gradients", *args, replicates=1)
            true, _, paired = (each[rows] for each in problem.moments)
            pair = first % k + np.arange(2)
            distances = ((call - true) / paired)[..., pair]
            directions = _directions(call[..., pair], batch.sigma[:, pair])
            chosen = [kinds == kind for kind in (0, 1)]
            away.append(np.hstack([distances[:, c].reshape(-1, 2)[:needed] for c in chosen]))
            shares.append(np.stack([directions[:, c].ravel()[:needed] for c in chosen], axis=1))
            every += [_directions(call[..., d:], batch.sigma[:, d:]) for d in range(0, k, 2)]
    return np.concatenate(away), np.concatenate(shares), every


def _others(student, rng, base, height):
    """Directions [n, rows] of calls with any number of samples and rows, one row among them."""
    shares = []
    few, many = int(rng.integers(2, 9)), int(rng.integers(30, 60))
    for rows, k, samples in ((1, K, 5), (1, 4, many + 1), (1, K, 9), (few, 3, 7), (40, K, many)):
        problem = _problem(student, rng, rows, k, base, height)
        args = (*problem.arguments(student), samples)
        (call,) = student.independent("sample_gradients", *args, replicates=1)
        shares.append(_directions(call, problem.sigma))
    return shares


def _short(student, rng, n, main):
    """Means [n, columns] of short calls and their problems; and the directions of each call."""
    bases, heights = rng.uniform(6.0, 8.0, 3), student.domain.draw(rng, "height", 3)
    problems = [(2, main)]
    for (least, most, k), *constants in zip(SHORT, bases, heights, strict=True):
        samples = int(rng.integers(least, most + 1))
        rows = _problem(student, rng, 1, k, *constants)
        # a jump that hardly any draw meets makes the means too skewed
        near = np.clip(rows.mu, -rows.sigma, rows.sigma)
        problems.append((samples, replace(rows, mu=near)))
    means, shares = [], []
    for samples, problem in problems:
        found, each = _short_calls(student, n, problem, samples)
        means.append(found)
        if problem.mu.shape[1] > 1:
            shares.append(_directions(each, problem.sigma))
        else:  # no direction; rows that are copies give the same where they share their noise
            shares.append(each / np.abs(each).max())
    return np.concatenate(means, axis=1), [problem for _, problem in problems], shares


def own_noise(student, rng, n):
    """n estimates for a function of steps, against n without a baseline from noise of ours.

    Beside them n of one of the rows alone, n for a function whose mean is 0, n of each kind of row
    in larger batches, and the means of short calls, of rows with 1 to 4 dimensions; and the
    directions of the noise behind the estimates, by two dimensions.
    """
    base, height = rng.uniform(6.0, 8.0), rng.uniform(4.0, 5.0)
    main, centred = Problem(base, height, *_gaussian(rng, OWN_ROWS)), _centred(rng, height)
    row = [int(rng.integers(OWN_ROWS))]
    single = replace(main, mu=main.mu[row], sigma=main.sigma[row])
    problems = (main, single, centred)
    whole, alone = _long_calls(student, n, main), _alone(student, rng, n, single)
    small = _long_calls(student, n, centred)
    away, directions, batches = _batches(student, rng, n, height)
    few, of_few, short = _short(student, rng, n // FEW, main)

    # where there is nothing to take away, a baseline may be as rough as one other value
    spreads = (main.moments[1], single.moments[1], centred.moments[2], np.ones(away.shape[1]))
    trues = (*(each.moments[0] for each in problems), np.zeros(away.shape[1]))
    found = [_directions(whole, main.sigma), _directions(alone, single.sigma)]
    shares = [*found, _directions(small, centred.sigma), *batches, *short]
    shares += _others(student, rng, base, height)
    eps = rng.normal(size=(n, OWN_ROWS, K))
    value = base + _term(main.mu + main.sigma * eps, height).sum(-1, keepdims=True)
    return {
        "mean": np.concatenate([each.reshape(n, -1) for each in (whole, alone, small, away)], 1),
        "mean__expected": np.concatenate([each.ravel() for each in trues]),
        "mean__scale": np.concatenate([each.ravel() for each in spreads]),
        "grad": whole.reshape(n, -1),
        "grad__baseline": (value * eps / main.sigma).reshape(n, -1),
        "few": few,
        "few__expected": np.concatenate([each.moments[0].ravel() for each in of_few]),
        # the mean of some that depend on each other is at most as wide as one without a baseline
        "few__scale": np.concatenate([each.moments[1].ravel() for each in of_few]),
        "direction": np.concatenate([*found, directions], axis=1),
        "own": np.array([_apart(each) for each in shares]),
    }


def own_pairs(student, rng, n):
    """n calls with one row and two samples: the mean [n, 1] of both estimates.

    The baseline may be the value of the other sample. A mean of f over all samples and rows of the
    call, whose own value counts little in a large batch, takes half of the gradient away here: .4
    standard deviations of such a mean.
    """
    height = float(student.domain.draw(rng, "height"))
    mu = rng.uniform(0.02, 0.1, (1, 1)) * rng.choice([-1.0, 1.0])
    pair = Problem(-0.5 * height, height, mu, np.exp(rng.uniform(-1.15, -1.0, (1, 1))))
    args = (*pair.arguments(student), 2)
    found = np.stack(student.independent("sample_gradients", *args, replicates=n))
    true, _, other = pair.moments
    # (f - f') ε and (f' - f) ε' have the covariance (E f ε)²
    spread = np.sqrt((other**2 + true**2) / 2)
    return {"pair": found.mean(axis=1)[:, 0], "pair__expected": true[0], "pair__scale": spread[0]}


def example(student, rng):
    return {"agrees": student.example()}
