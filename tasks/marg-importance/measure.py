"""What is measured of marg-importance: weights of linear Gaussian models, functions of given log
weights, and estimates from the program's own noise.

Functions without chance are called with the smallest and the largest sizes, and with one shape
several times, one argument changed alone.
The scale S of a value is the sum of the absolute terms of its formula, from the inputs alone.
"""

import itertools
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

LOG_TAU = np.log(2 * np.pi)
SAMPLES, DIVISORS = 12, (1, 2, 3, 4, 6, 12)
REFINED = ((1, 2), (2, 4), (4, 12), (1, 3), (3, 6), (2, 6), (6, 12))  # groups within groups
OWN_ODD = (3, 5, 7)  # one of them is n of the first calls of the program's own noise; then 1, most
OWN_DIMS = ((4, 3), (4, 3), (6, 6))  # D and K of each
REPLICATES = 2  # calls that differ in their generator only
FARTHEST = 7.0  # no noise of a program's own is expected to lie further out
LAW_CALLS = 4  # of a size, for the law of the noise
# E[log p̂ - log p(x)] of sixteen samples whose log weights are normal with the sd 2, and how far
# from it the mean of 48 calls may lie: right ones lie further with a probability below 1e-11
SINGLE_CALLS, SINGLE_SPREAD, SINGLE_MEAN, SINGLE_SLACK = 48, 2.0, -0.397, 0.95
# with so small a spread, log p̂ - log p(x) is that spread times the mean of the noises; in none of
# so many calls is that mean as near to 0, in units of its sd, with a probability of 8e-14
FLAT_CALLS, FLAT_SPREAD, FLAT_LEAST = 5, 1e-4, 0.003


@dataclass(frozen=True)
class Model:
    """z ~ N(0, I), x | z ~ N(W z + b, η I), and data x [b, d] of it."""

    x: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    eta: np.ndarray

    @property
    def decoder(self):
        return self.weight, self.bias, self.eta

    @property
    def posterior(self):
        """Mean and sd [b, k] of z given x, where the columns of W are at right angles."""
        precision = 1 + (self.weight**2).sum(0) / self.eta
        mean = (self.x - self.bias) @ self.weight / self.eta / precision
        return mean, np.broadcast_to(precision**-0.5, mean.shape)

    @property
    def log_p(self):
        """log N(x; b, W Wᵀ + η I): [b]."""
        d = len(self.bias)
        covariance = self.weight @ self.weight.T + self.eta * np.eye(d)
        away = self.x - self.bias
        distance = (away * np.linalg.solve(covariance, away.T).T).sum(1)
        return -0.5 * (distance + np.linalg.slogdet(covariance)[1] + d * LOG_TAU)

    def tiled(self, count):
        """The data `count` times over."""
        return Model(np.tile(self.x, (count, 1)), *self.decoder)


def _model(rng, b, d=3, k=2, *, right_angles=False):
    weight, bias = rng.normal(size=(d, k)), rng.normal(size=d)
    if right_angles:
        weight = np.linalg.qr(weight)[0] * rng.uniform(0.8, 2.0, k)
    eta = np.array(rng.uniform(0.3, 1.0))
    x = rng.normal(size=(b, k)) @ weight.T + bias + np.sqrt(eta) * rng.normal(size=(b, d))
    return Model(x, weight, bias, eta)


def _scale(model, mu, log_sigma, eps):
    """Of log weights, with what the rounding of z does to them: [m, b].

    A square is off by twice what its root is, in relative terms.
    """
    sigma = np.exp(log_sigma)
    z = np.abs(mu) + sigma * np.abs(eps)
    decoded = np.linalg.norm(model.weight) * np.linalg.norm(z, axis=-1)
    reach = np.linalg.norm(model.x, axis=-1) + decoded + np.linalg.norm(model.bias)
    recovered = np.abs(eps) * z / sigma
    latent = (z**2 + 0.5 * eps**2 + np.abs(log_sigma) + recovered).sum(-1)
    axes = sum(model.weight.shape)
    constant = 0.5 * axes * (LOG_TAU + 1 + abs(np.log(model.eta)))
    return reach**2 / model.eta + latent + constant


def _log_weights(student, model, mu, log_sigma, eps):
    """The log weights [m, b] and their scale."""
    log_w = student.log_weights(model.x, mu, log_sigma, *model.decoder, eps)
    return log_w, _scale(model, mu, log_sigma, eps)


def _joined(pairs, name):
    """Values and scales of several calls, end to end."""
    values, scales = zip(*pairs, strict=True)
    joined = [np.concatenate([np.ravel(item) for item in part]) for part in (values, scales)]
    return {name: joined[0], f"{name}__scale": joined[1]}


def _another(student, rng):
    """Weights of one model and its noise, and of those with one argument of another."""
    calls = []
    for _ in range(2):
        model = _model(rng, b=4)
        calls.append((*vars(model).values(), *_proposal(rng, 4, 2), rng.normal(size=(3, 4, 2))))
    for *model, mu, log_sigma, eps in student.domain.replaced(*calls):
        yield _log_weights(student, Model(*model), mu, log_sigma, eps)


def _zeros(student, rng):
    """All means of q are 0, or all its ln σ, beside others that are not; W is 0; η is 1."""
    eps = rng.normal(size=(3, 4, 2))
    mu, log_sigma = _proposal(rng, 4, 2)
    unit, still = (_model(rng, b=4) for _ in range(2))
    unit, still = replace(unit, eta=np.ones(())), replace(still, weight=np.zeros((3, 2)))
    yield _log_weights(student, unit, np.zeros((4, 2)), log_sigma, eps)
    yield _log_weights(student, still, mu, np.zeros((4, 2)), eps)


def _proposal(rng, b, k):
    return rng.normal(size=(b, k)), rng.uniform(np.log(0.2), np.log(1.5), (b, k))


def weights(student, rng):
    """The prior as a proposal, then another Gaussian for every row; all sizes the same; edges."""
    domain = student.domain
    b, d, k, m = (domain.sizes(axis)[1] for axis in ("b", "d", "k", "m"))
    least, most = (np.array(eta) for eta in sorted(domain.draw(rng, "eta", 2)))
    model, eps = _model(rng, b=6), rng.normal(size=(7, 6, 2))
    other = _proposal(rng, 6, 2)
    noisier = replace(_model(rng, 4, 4, 4), eta=np.array(np.exp(rng.uniform(1, 3))))
    row = replace(_model(rng, 1, 1, k), eta=least)
    far = {"x": (b, d), "mu": (b, 1), "log_sigma": (b, 1), "weight": (d, 1)}
    x, mu, log_sigma, weight = (domain.draw(rng, name, *shape) for name, shape in far.items())
    wide = Model(x, weight, domain.draw(rng, "bias", d), most)
    pairs = [
        _log_weights(student, model, *np.zeros((2, 6, 2)), eps),
        _log_weights(student, model, *other, eps),
        _log_weights(student, noisier, *_proposal(rng, 4, 4), rng.normal(size=(4, 4, 4))),
        _log_weights(student, row, *_proposal(rng, 1, k), rng.normal(size=(m, 1, k))),
        _log_weights(student, wide, mu, log_sigma, rng.normal(size=(1, b, 1))),
        *_another(student, rng),
        *_zeros(student, rng),
    ]
    return _joined(pairs, "log_w")


def _certain(student, rng):
    """Models whose posterior a proposal can be, and n; edges of sizes and values among them.

    The last is the first with other data, which begin with the same row.
    """
    domain = student.domain
    d, k = (domain.sizes(axis)[1] for axis in ("d", "k"))
    least, most = (np.array(eta) for eta in sorted(domain.draw(rng, "eta", 2)))
    single = _model(rng, 1, 1, 1)
    single = replace(single, weight=single.weight * np.eye(1, k), eta=most)
    sign = rng.choice([-1.0, 1.0], (d, 1))
    bias = domain.draw(rng, "bias", d)
    # P = e¹⁰ to the last digit or nearly, so ln σ = -5; rows of x whose posterior means are ±10
    eta = np.array(9.0 * d / np.expm1(10.0))
    ends = bias + np.array([[10.0], [-10.0]]) * (3.0 * sign[:, 0]) * (1 + eta / (9.0 * d))
    mirrored = 40.0 * sign[:, 0] * np.resize([1.0, -1.0], d)
    edge = Model(np.stack([*ends, mirrored, -mirrored]), 3.0 * sign, bias, eta)
    usual = _model(rng, 6, right_angles=True)
    return [
        (usual, 5),
        (single, 1),
        (edge, 3),
        (replace(_model(rng, 3, d, k, right_angles=True), eta=least), domain.sizes("n")[1]),
        (replace(usual, x=np.concatenate([usual.x[:1], rng.normal(size=(5, 3))])), 5),
    ]


def posterior(student, rng):
    """Where q is the posterior, weights and estimates are p(x), and weights have no spread.

    One generator is handed to all calls, which a program that keeps results may tell them by.
    """
    pairs, generator = [], student.generator()
    for number, (model, n) in enumerate(_certain(student, rng)):
        mean, sd = model.posterior
        log_sigma = np.log(sd)
        if number == 2:  # the edges of the values of q, which rounding misses
            mean[:2], log_sigma = np.array([[10.0], [-10.0]]), np.full(sd.shape, -5.0)
        if number == 0:
            eps = rng.normal(size=(15, *mean.shape))
            log_w, scale = _log_weights(student, model, mean, log_sigma, eps)
            pairs += [(log_w - model.log_p, scale), (student.rel_var(log_w), 4 * scale.max(0))]
        found = student.estimate(model.x, mean, log_sigma, *model.decoder, n, generator)
        noise = np.full((1, *mean.shape), FARTHEST)
        condition = 1 + (model.weight**2).sum() / model.eta
        scale = _scale(model, mean, log_sigma, noise)[0] + _log_p_scale(model) * condition
        pairs.append((found - model.log_p, scale))
    return _joined(pairs, "residual")


def _log_p_scale(model):
    """Of log p(x) as it is computed here, up to the condition number of the covariance: [b]."""
    away = ((model.x - model.bias) ** 2).sum(1)
    return away / (2 * model.eta) + 0.5 * len(model.bias) * (LOG_TAU + abs(np.log(model.eta)) + 1)


def jensen(student, rng):
    """Lognormal, gamma-like and constant columns under the weights of Gauss–Hermite nodes.

    Then as many columns as rows, a single row, the most rows with probabilities and weights
    from all of the domain, columns whose weights are all tiny or all huge, and one whose
    rarest row has the largest weight and the others the smallest; equal probabilities of weights
    that occur twice. Then calls in which one argument is another.
    """
    domain = student.domain
    (_, m), (_, b) = domain.sizes("m"), domain.sizes("b")
    nodes, law = np.polynomial.hermite_e.hermegauss(20)
    p = law / law.sum()
    lognormal = np.exp(rng.uniform(0.5, 1.5, 4) * nodes[:, None] + rng.normal(size=4))
    uneven = rng.gamma(2.0, 1.0, (20, 4)) + 0.05
    constant = np.full((20, 2), rng.uniform(2.0, 9.0, 2))
    rare = domain.draw(rng, "p", m)
    small, large = np.sort(domain.draw(rng, "w", 2))
    near = rng.uniform(1.0, 9.0, (3, 2)) * np.array([small, 0.1 * large])
    opposed = np.where(rare > rare.min(), small, large)[:, None]
    again = [(rng.gamma(2.0, 1.0, (5, 3)) + 0.05, rng.dirichlet(np.full(5, 2.0))) for _ in range(2)]
    cases = [
        (np.concatenate([lognormal, uneven, constant], axis=1), p),
        (rng.gamma(2.0, 1.0, (20, 20)) + 0.05, p),
        (rng.gamma(2.0, 1.0, (1, b)) + 0.05, np.ones(1)),
        (domain.draw(rng, "w", m, 1), rare),
        (rng.gamma(2.0, 1.0, (3, 2)) + 0.05, rng.dirichlet(np.full(3, 2.0))),
        (near, rng.dirichlet(np.full(3, 2.0))),
        (opposed, rare),
        (np.repeat(rng.gamma(2.0, 1.0, (2, 2)) + 0.05, (1, 3), axis=0), np.full(4, 0.25)),
        *student.domain.replaced(*again),
    ]
    pairs = []
    for w, p in cases:
        size = np.abs(np.log(p))[:, None] + np.abs(np.log(w))
        pairs.append((student.jensen_gap(w, p), 1 + size.max(0)))
    return _joined(pairs, "gap")


def _log_w(rng, m, b):
    """Log weights whose spread varies from column to column."""
    return rng.uniform(0.3, 2.5, b) * rng.normal(size=(m, b)) + rng.normal(-3.0, 3.0, b)


def _dominated(rng, m):
    """One large weight and many that are e³¹ times smaller, together more than rounding: [m, 1]."""
    log_w = rng.normal(-3.0, 3.0) - rng.uniform(30.2, 31.0, (m, 1))
    log_w[rng.integers(m)] += 31.0
    return log_w


def _samples(student, rng, m):
    """As many samples as columns, twice, begun alike; a single sample; the most of one column.

    In the last column of the first all weights are one of two, and groups of three are the same.
    """
    (_, most), (_, b) = student.domain.sizes("m"), student.domain.sizes("b")
    first, again, single, few = (_log_w(rng, *shape) for shape in ((m, m), (m, m), (1, b), (3, 2)))
    first[:, -1] = np.resize(first[[0, 1, 0], -1], m)
    (again,) = student.domain.begun_alike((first,), (again,))
    return [first, again, single, _dominated(rng, most), few]


def _size(log_w):
    """Of a logarithm of a mean: [b]."""
    return 1 + np.log(len(log_w)) + np.where(np.isinf(log_w), 0.0, np.abs(log_w)).max(0)


def _second(log_w):
    """E[w²] / E[w]², what the rounding of a relative variance scales with: [b]."""
    w = np.exp(log_w - log_w.max(0))
    return (w**2).mean(0) / w.mean(0) ** 2


def log_mean(student, rng):
    pairs = [(student.log_px_is(w), _size(w)) for w in _samples(student, rng, 8)]
    return _joined(pairs, "log_p")


def bounds(student, rng):
    """Groups of every size that divides the number of samples; sizes that divide others."""
    first, again, single, column, few = _samples(student, rng, SAMPLES)
    cases = [(first, n) for n in DIVISORS]
    cases += [(again, DIVISORS[-1]), (again, 4), (single, 1), (few, 3)]
    cases.append((column, student.domain.sizes("n")[1]))
    odd = _log_w(rng, 15, 2)
    cases += [(odd, 5), (odd, 15)]
    return _joined([(student.iw_bound(w, n), _size(w)) for w, n in cases], "bound")


def spread(student, rng):
    """One column has the same weights, the next one nearly: their variance is about 3e-11."""
    pairs = []
    for log_w in _samples(student, rng, 10):
        if log_w.shape[1] > 1:
            log_w[:, 0] = log_w[0, 0]
        if log_w.shape[1] > 2:
            log_w[1:, 1] = log_w[0, 1] + 2e-5 * rng.random(len(log_w) - 1)
        pairs.append((student.rel_var(log_w), 4 * _second(log_w) * _size(log_w)))
    return _joined(pairs, "ratio")


def far(student, rng):
    """Log weights near and at ±1000, some of them -inf: mean, bound for pairs, relative variance.

    In the last columns one pair is near -1000 and another near 1000; one column has one weight.
    """
    b = 12
    around = np.repeat([-1.0, 1.0], b // 2) * rng.uniform(800.0, 990.0, b)
    log_w = (rng.normal(0.0, 2.0, (SAMPLES, b)) + around).clip(-1000.0, 1000.0)
    log_w[0, :2] = log_w[1, -2:] = -1000.0
    log_w[2, 2:4] = log_w[3, -4:-2] = 1000.0
    log_w[6:8, -4:], log_w[8:10, :4] = -log_w[6:8, -4:], -log_w[8:10, :4]
    kept = log_w.copy()
    kept[np.arange(0, SAMPLES, 2) + rng.integers(0, 2, SAMPLES // 2), 1::2] = -np.inf
    log_w[rng.permutation(SAMPLES - 1)[:4] + 1, ::2] = log_w[1:, 5] = -np.inf
    found = [student.log_px_is(log_w), student.iw_bound(kept, 2), student.rel_var(log_w)]
    scale = [_size(log_w), _size(kept), 4 * _second(log_w) * _size(log_w)]
    return {"value": np.stack(found), "value__scale": np.stack(scale)}


def order(student, rng):
    """Larger groups on one sample; then expectations, over the joint law of three samples."""
    log_w = rng.normal(0.0, 2.0, (SAMPLES, 5))
    bound = {n: student.iw_bound(log_w, n) for n in DIVISORS}
    nested = [bound[small] < bound[large] for small, large in REFINED]

    nodes, law = np.polynomial.hermite_e.hermegauss(8)
    grid = np.array(list(itertools.product(nodes, repeat=3)))
    joint = np.prod(list(itertools.product(law / law.sum(), repeat=3)), axis=1)
    rows = 2
    model = _model(rng, rows, d=2, k=1)
    mean, sd = model.posterior
    away = rng.choice([-1.0, 1.0], (rows, 1)) * rng.uniform(1.5, 2.5, (rows, 1))
    mu, log_sigma = mean + sd * away, np.log(sd * rng.uniform(0.8, 1.2, (rows, 1)))
    count = len(joint)
    eps = np.repeat(grid, rows, axis=0).T[..., None]
    args = (np.tile(mu, (count, 1)), np.tile(log_sigma, (count, 1)), eps)
    log_w, _ = _log_weights(student, model.tiled(count), *args)
    at_nodes = [student.iw_bound(log_w[:n], n).reshape(count, rows) for n in (1, 2, 3)]
    with np.errstate(invalid="ignore"):
        one, two, three = (joint @ values for values in at_nodes)
    expected = [one < two, two < three, three < model.log_p]
    return {"holds": np.concatenate([np.ravel(nested), np.ravel(expected)])}


def proposals(student, rng):
    """Prior, half-way and posterior as proposals, on equally likely nodes of the noise."""
    per_dimension = 16
    line = [NormalDist().inv_cdf((i + 0.5) / per_dimension) for i in range(per_dimension)]
    grid = np.array(list(itertools.product(line, repeat=2)))
    model = _model(rng, b=1, right_angles=True)
    mean, sd = model.posterior
    mu = np.concatenate([0 * mean, mean, mean])
    log_sigma = np.concatenate([0 * sd, np.log(sd) / 2, np.log(sd)])
    eps = np.tile(grid[:, None], (1, 3, 1))
    log_w, _ = _log_weights(student, model.tiled(3), mu, log_sigma, eps)
    prior, half_way, exact = student.rel_var(log_w)
    return {"holds": np.array([prior > half_way, half_way > exact])}


def _moment(j, wider, shift):
    """E_q[(p(z | x) / q(z))^j], q `wider` times as wide and `shift` sds away, by dimension."""
    a = 1 + j * (wider**2 - 1)
    exponent = 0.5 * j * shift**2 * (j * wider**2 / a - 1)
    return (wider**j / np.sqrt(a) * np.exp(exponent)).prod(-1)


def _ranks(values):
    """Ranks from 0 to 1 in every column, ties shared, so that all have one law; NaN stays NaN."""
    columns = []
    for column in values.T:
        ordered = np.sort(column)
        ends = [np.searchsorted(ordered, column, side) for side in ("left", "right")]
        ranks = np.mean(ends, axis=0) / len(column)
        columns.append(np.where(np.isfinite(column), ranks, np.nan))
    return np.stack(columns, axis=1)


def own_noise(student, rng, n):
    """n estimates for each number of samples, over p(x); proposals are wider than the posterior.

    The first half of a batch belongs to one datum and a narrow proposal, the second to another and
    a wide one, each in units of its own spread: the relative variance is that of a weight over the
    number of samples. A row of `pair` holds two neighbours of the first half and two of the second,
    as ranks among their like.
    """
    count = n // REPLICATES
    deviation, excess, pairs = [], [], []
    numbers = int(rng.choice(OWN_ODD)), 1, student.domain.sizes("n")[1]
    for samples, (d, k) in zip(numbers, OWN_DIMS, strict=True):
        model = _model(rng, 2, d, k, right_angles=True)
        mean, sd = model.posterior
        wider = rng.uniform([[1.1], [1.3]], [[1.15], [1.4]], mean.shape)
        shift = rng.choice([-1.0, 1.0], mean.shape) * rng.uniform(0.05, 0.15, mean.shape)
        rows = (model.x, mean + shift * sd, np.log(wider * sd))
        x, *q = (np.repeat(item, count // 2, axis=0) for item in rows)
        args = (x, *q, *model.decoder, samples)
        calls = student.independent("estimate", *args, replicates=REPLICATES)
        second, third, fourth = (_moment(j, wider, shift) for j in (2, 3, 4))
        variance = second - 1
        kurtosis = (fourth - 4 * third + 6 * second - 3) / variance**2
        with np.errstate(all="ignore"):
            log_ratio = np.stack(calls).reshape(REPLICATES, 2, -1).swapaxes(1, 2) - model.log_p
            own = (np.exp(log_ratio) - 1) / np.sqrt(variance / samples)
            excess.append(((own**2 - 1) / np.sqrt(2 + (kurtosis - 3) / samples)).ravel())
        deviation.append(own.ravel())
        # a tenth of a rank apart from call to call, since repeated draws would count as dependent
        first = REPLICATES * len(pairs)
        ranks = [_ranks(call) + 0.2 * (first + i) / count for i, call in enumerate(own)]
        neighbours = np.stack(ranks).reshape(REPLICATES, -1, 2, 2)
        pairs.append(neighbours.swapaxes(2, 3).reshape(-1, 4))
    found = {"ratio": np.stack(deviation, axis=1), "excess": np.stack(excess, axis=1)}
    for name in tuple(found):
        found[f"{name}__expected"] = np.zeros(len(OWN_DIMS))
        found[f"{name}__scale"] = np.ones(len(OWN_DIMS))
    return {**found, "pair": np.concatenate(pairs)}


def _unrelated(rng, b, d, k, size):
    """A model whose data do not depend on z, and means of q [b, k] of the length `size`.

    With the widths of the prior, log w = log p(x) - |μ|²/2 - μ·ε.
    """
    model = replace(_model(rng, b, d, k), weight=np.zeros((d, k)))
    mu = rng.normal(size=(b, k))
    return model, size * mu / np.linalg.norm(mu, axis=1, keepdims=True)


def _law_noise(student, rng, b, k):
    """Noise of single samples, recovered from estimates: [LAW_CALLS, b], one dimension a row."""
    model, _ = _unrelated(rng, b, 2, k, 1.0)
    place = np.arange(b) % k
    mu = np.zeros((b, k))
    mu[np.arange(b), place] = length = rng.choice([-1.0, 1.0], b) * rng.uniform(1.0, 2.0, b)
    args = (model.x, mu, np.zeros((b, k)), *model.decoder, 1)
    calls = student.independent("estimate", *args, replicates=LAW_CALLS)
    return (model.log_p - length**2 / 2 - np.stack(calls)) / length


def _haphazard(noise):
    """Of calls [calls, b] of normal noise: far values, no two alike, more than float32, no pattern.

    A value beyond 3.2, fewer than three pairs of values of nearly the same size, fewer than one in
    a hundred that float32 could hold, fewer than three calls with the mean 0 or the mean square 1
    to thirteen digits. Then each call: a Kolmogorov–Smirnov distance of at least
    .2/√b, where values that divide the law evenly have 1/b. Independent normal noise, eight calls
    of 2,425, fails each of them with a probability below 1e-11.
    """
    size = np.sort(np.abs(noise), axis=None)
    alike = (np.diff(size) < 1e-12).sum()
    with np.errstate(all="ignore"):
        coarse = np.abs(noise - noise.astype(np.float32)) < 1e-12
        means = np.concatenate([noise.mean(-1), (noise**2).mean(-1) - 1])
    b = noise.shape[-1]
    cdf = np.vectorize(NormalDist().cdf)(np.sort(noise, axis=-1))
    distance = np.abs(cdf - (np.arange(b) + 0.5) / b).max(-1) + 0.5 / b
    adjusted = (np.abs(means) < 1e-13).sum()
    whole = [size[-1] > 3.2, alike < 3, coarse.mean() < 0.01, adjusted < 3]
    return np.array([*whole, *(distance > 0.2 / np.sqrt(b))]) & np.isfinite(noise).all()


def own_law(student, rng, n):
    """The noise behind n estimates from single samples [n, 2]: of one latent dimension, of all."""
    k = student.domain.sizes("k")[1]
    noise = np.concatenate([_law_noise(student, rng, n // LAW_CALLS, axes) for axes in (1, k)])
    return {"noise": noise.reshape(2, -1).T, "pattern": _haphazard(noise)}


def single_rows(student, rng):
    """Estimates of a single row from sixteen samples, whose average shows whether they count.

    Then some whose weights hardly vary: a mean of the noises shows that is never 0 but for mirrored
    ones.
    """
    domain = student.domain
    most, found = domain.sizes("n")[1], []
    for spread in [SINGLE_SPREAD] * SINGLE_CALLS + [FLAT_SPREAD] * FLAT_CALLS:
        d, k = (domain.size(rng, axis) for axis in ("d", "k"))
        model, mu = _unrelated(rng, 1, d, k, spread)
        args = (model.x, mu, np.zeros((1, k)), *model.decoder, most)
        found.append(student.estimate(*args, student.generator()) - model.log_p)
    steep, flat = np.split(np.concatenate(found), [SINGLE_CALLS])
    in_sds = np.abs(flat) * np.sqrt(most) / FLAT_SPREAD
    near = np.abs(np.mean(steep) - SINGLE_MEAN) < SINGLE_SLACK
    return {"near": np.array([near, in_sds.max() > FLAT_LEAST])}


def example(student, rng):
    return {"agrees": student.example()}
