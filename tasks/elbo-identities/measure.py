"""What is measured of elbo-identities: every term on linear Gaussian models of all sizes, and sums.

Every function is called with the smallest and the largest sizes, with fewer, as many and more
latent dimensions than those of x, with sizes in between that are drawn, with as many rows as both,
and with each argument changed alone, its first and last row as they were. The scale S of a value is
the sum of the absolute terms of its formula, from the inputs alone; it holds the condition number
of the covariance where one has to be inverted.
"""

import itertools
from dataclasses import dataclass, replace

import numpy as np

USUAL = (5, 3, 2)  # rows, D and K of sums of terms, and of what is close to the prior
SAMPLES = 7
LOG_TAU = np.log(2 * np.pi)
WIDTHS = (np.log(0.3), np.log(1.5))  # ln σ of a q that is not far from a posterior


@dataclass(frozen=True)
class Instance:
    """A model, data of its size and a q for every row."""

    x: np.ndarray
    mu: np.ndarray
    log_sigma: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    eta: np.ndarray

    @property
    def q(self):
        return self.mu, self.log_sigma

    @property
    def model(self):
        return self.weight, self.bias, self.eta

    @property
    def everything(self):
        return self.x, *self.q, *self.model

    @property
    def condition(self):
        return 1 + (self.weight**2).sum() / self.eta

    def reach(self, z):
        """At least ‖x‖ + ‖W z‖ + ‖b‖."""
        decoded = np.linalg.norm(self.weight) * np.linalg.norm(z, axis=-1)
        return np.linalg.norm(self.x, axis=-1) + decoded + np.linalg.norm(self.bias)

    @property
    def constant(self):
        """The absolute constants of densities of x and of z, with their logarithms."""
        logarithms = LOG_TAU + abs(np.log(self.eta)) + np.log(self.condition)
        return 0.5 * sum(self.weight.shape) * (logarithms + 1)

    @property
    def scale(self):
        """Of every expected term: [b]."""
        # what is rounded in an exponent comes back times the exponential
        spread = (1 + 2 * np.abs(self.log_sigma)) * np.exp(2 * self.log_sigma)
        decoded = (spread @ (self.weight**2).T).sum(1)
        error = (self.reach(self.mu) ** 2 + decoded) / (2 * self.eta)
        latent = (0.5 * (self.mu**2 + spread) + np.abs(self.log_sigma)).sum(1)
        return error + latent + self.constant


def _instance(rng, sizes=USUAL):
    """Data of the model itself, and a q for every row that is not far from a posterior."""
    b, d, k = sizes
    weight, bias = rng.normal(0, 0.8, (d, k)).clip(-3, 3), rng.normal(size=d).clip(-5, 5)
    eta = np.array(rng.uniform(0.3, 1.0))
    x = rng.normal(size=(b, k)) @ weight.T + bias + np.sqrt(eta) * rng.normal(size=(b, d))
    x = x.clip(-20, 20)
    return Instance(x, rng.normal(size=(b, k)), rng.uniform(*WIDTHS, (b, k)), weight, bias, eta)


def _again(rng, case):
    """The same data, rows of the decoder in another order, and q as narrow as e⁻³⁰ or wide."""
    mu, log_sigma = rng.normal(size=case.mu.shape), rng.uniform(-30, 3, case.mu.shape)
    mu[-1], log_sigma[-1] = mu[0], log_sigma[0]
    return replace(case, mu=mu, log_sigma=log_sigma, weight=case.weight[::-1].copy())


def _instances(student, rng):
    """Those of :func:`_apart`, and a pair that lends each other one argument after another."""
    pair = student.domain.replaced(*_cube(student, rng))
    return [*_apart(student, rng), *(Instance(*arguments) for arguments in pair)]


def _close(rng):
    """A model that hardly depends on z, and q that are 1e-7 to 1e-2 from the prior.

    The first q is about 0, and its x is where 0 is decoded.
    """
    case = _instance(rng)
    sizes = np.geomspace(1e-7, 1e-2, len(case.mu))[:, None]
    mu, log_sigma = sizes * rng.normal(size=(2, *case.mu.shape))
    x = case.x.copy()
    mu[0], x[0] = 0.0, case.bias
    return replace(case, x=x, mu=mu, log_sigma=log_sigma, weight=1e-3 * case.weight)


def _cube(student, rng):
    """The arguments of two calls with as many rows and latent dimensions as those of x.

    So a transpose has the same shape. The last rows of both calls are alike.
    """
    most = min(student.domain.sizes(axis)[1] for axis in "dk")
    side = int(rng.integers(3, most + 1))
    cases = [_instance(rng, (side, side, side)) for _ in range(2)]
    first, second = (
        replace(c, eta=np.array(np.exp(rng.uniform(-3, 3)))).everything for c in cases
    )
    return first, second


def _apart(student, rng):
    """An ordinary instance of any size, another with its data, and three at the domain's edges.

    Of these data the first and the last row are equal, and so are all numbers of the second. Of
    the q one has all widths alike, another those of the prior. One weight and one bias are 0.

    One row with one dimension, many latent ones and the least noise; then most rows and dimensions,
    one latent dimension and the most noise, and few rows, more latent dimensions than others and
    the least noise, both with values from all of the domain.
    """
    domain = student.domain
    (_, rows), (_, d), (_, k) = (domain.sizes(axis) for axis in ("b", "d", "k"))
    least, most = sorted(domain.draw(rng, "eta", 2))
    usual = _instance(rng, (int(rng.integers(3, rows)), *rng.integers(2, (d, k)).tolist()))
    usual.x[1], usual.x[-1] = usual.x[1, 0], usual.x[0]
    usual.log_sigma[0], usual.log_sigma[1] = usual.log_sigma[0, 0], 0.0
    usual.weight[-1, 0], usual.bias[0] = 0.0, 0.0
    columns = rng.choice([-1.0, 1.0], (1, k)) * rng.uniform(1.0, 3.0, (1, k))
    row = replace(_instance(rng, (1, 1, k)), eta=np.array(least), weight=columns)
    far = _anywhere(domain, rng, (rows, d, 1), most), _anywhere(domain, rng, (2, 2, k), least)
    return [usual, _again(rng, usual), row, *far]


def _anywhere(domain, rng, sizes, eta):
    """An instance with values from all of the domain."""
    b, d, k = sizes
    shapes = {"x": (b, d), "mu": (b, k), "log_sigma": (b, k), "weight": (d, k), "bias": (d,)}
    values = {name: domain.draw(rng, name, *shape) for name, shape in shapes.items()}
    return Instance(**values, eta=np.array(eta))


def _joined(pairs, name):
    """Values and scales of several calls, end to end."""
    values, scales = zip(*pairs, strict=True)
    joined = [np.concatenate([np.ravel(item) for item in part]) for part in (values, scales)]
    return {name: joined[0], f"{name}__scale": joined[1]}


def _mixture(rng, c=4, d=2):
    """log_pi, mu, log_sigma of a mixture of c components in d dimensions."""
    mu, log_sigma = rng.uniform(-1, 1, (c, d)), rng.uniform(np.log(0.8), np.log(1.25), (c, d))
    return np.log(rng.dirichlet(np.full(c, 2.0))), mu, log_sigma


def _mixture_scale(x, log_pi, mu, log_sigma):
    conditioned = (1 + 2 * np.abs(log_sigma)) * np.exp(-2 * log_sigma)
    distance = (np.abs(x[:, None]) + np.abs(mu)) ** 2 * conditioned
    terms = (0.5 * distance + np.abs(log_sigma) + 0.5 * LOG_TAU).sum(2) + np.abs(log_pi)
    return terms.max(axis=1)


def _mixture_values(student, cases):
    pairs = [
        (student.log_marginal_mixture(x, *mixture), _mixture_scale(x, *mixture))
        for x, mixture in cases
    ]
    return _joined(pairs, "log_p")


def mixture(student, rng):
    """A pair that lends each other one argument after another; one component; the most of all.

    The pair has as many components and rows as dimensions; its last rows are alike. The one
    component is as narrow as can be, and as far away.
    """
    domain = student.domain
    (_, rows), (_, d), (_, c) = (domain.sizes(axis) for axis in ("b", "d", "c"))
    side = int(rng.integers(3, min(c, d) + 1))
    sign = rng.choice([-1.0, 1.0])
    single = np.zeros(1), np.full((1, 1), -20 * sign), np.full((1, 1), -4.0)
    log_pi = domain.draw(rng, "log_pi", c)
    mu, log_sigma = (
        domain.draw(rng, f"log_marginal_mixture.{name}", c, d) for name in ("mu", "log_sigma")
    )
    anywhere = domain.draw(rng, "log_marginal_mixture.x", rows, d)
    # every second place is close to a component, which is the likeliest one there
    owner = np.arange(len(anywhere[::2])) % c
    anywhere[::2] = mu[owner] + np.exp(log_sigma[owner]) * rng.normal(size=(len(owner), d))
    anywhere[1, :2] = -1000.0, 1000.0
    one, other = ((rng.normal(0, 2, (side, side)), *_mixture(rng, side, side)) for _ in range(2))
    return _mixture_values(
        student,
        [
            *((x, mixture) for x, *mixture in domain.replaced(one, other)),
            (np.full((1, 1), 1000 * sign), single),
            (anywhere, (log_pi, mu, log_sigma)),
        ],
    )


def mixture_far(student, rng):
    """Norms from 50 to 1000 in all directions, components of all widths, a rare one far away.

    The two widest of the first mixture, which count most there, are the same component.
    """
    count = int(rng.integers(15, student.domain.sizes("b")[1]))
    direction = rng.normal(size=(count, 2))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    far = np.geomspace(50, 1000, count)[:, None] * direction
    _, twin_mu, twin_log_sigma = twins = _mixture(rng)
    twin_mu[1], twin_log_sigma[:2] = twin_mu[0], np.log(1.25)
    log_pi, mu, log_sigma = _mixture(rng, 3)
    log_sigma += np.array([[-3.5], [0.0], [3.5]])
    close = mu[0] + np.exp(log_sigma[0]) * rng.normal(size=(5, 2))
    rare = np.array([0.0, -40.0]), np.array([[-15.0], [15.0]]), np.zeros((2, 1))
    return _mixture_values(
        student,
        [
            (far, twins),
            (np.concatenate([far[::3], close]), (log_pi, mu, log_sigma)),
            (rng.uniform(13, 17, (5, 1)), rare),
        ],
    )


def mixture_normalised(student, rng):
    """log of density times cell on a grid of 33² points, .8 of the narrowest width apart.

    The sum over such a grid misses the integral by 1e-13.
    """
    line = np.linspace(-10.24, 10.24, student.domain.sizes("b")[1])
    mixture = _mixture(rng)
    columns = [np.stack([np.full_like(line, at), line], axis=1) for at in line]
    log_p = np.concatenate([student.log_marginal_mixture(each, *mixture) for each in columns])
    return {"log_p": log_p + 2 * np.log(line[1] - line[0])}


def marginal(student, rng):
    cases = _instances(student, rng)
    pairs = [(student.log_marginal(c.x, *c.model), c.scale * c.condition) for c in cases]
    return _joined(pairs, "log_p")


def terms(student, rng):
    """Both terms of the second form."""
    pairs = []
    for case in [*_instances(student, rng), _close(rng)]:
        pairs.append((student.reconstruction(*case.everything), case.scale))
        pairs.append((student.kl_prior(*case.q), _prior_scale(case)))
    return _joined(pairs, "term")


def _prior_scale(case):
    """Of a divergence from the prior, which knows nothing of x: [b]."""
    spread = (1 + 2 * np.abs(case.log_sigma)) * np.exp(2 * case.log_sigma)
    return (0.5 * (case.mu**2 + spread + 1 + 2 * LOG_TAU) + 2 * np.abs(case.log_sigma)).sum(1)


def posterior(student, rng):
    """The last q are close to the prior and to the posterior: tiny divergences."""
    pairs = []
    for case in [*_instances(student, rng), _close(rng)]:
        kl = student.kl_posterior(*case.everything)
        pairs.append((kl, case.scale * case.condition))
    return _joined(pairs, "kl")


def joint(student, rng):
    """Both terms of the first form."""
    pairs = []
    for case in _instances(student, rng):
        pairs.append((student.expected_log_joint(*case.everything), case.scale))
        own = (np.abs(case.log_sigma) + 0.5 * (1 + LOG_TAU)).sum(1)
        pairs.append((student.entropy(case.log_sigma), own))
    return _joined(pairs, "term")


def _log_weight(student, case, eps):
    """log_weight [m b] and its scale, which allows for the rounding of z."""
    found = student.log_weight(*case.everything, eps)
    sigma = np.exp(case.log_sigma)
    z = np.abs(case.mu) + sigma * np.abs(eps)
    recovered = np.abs(eps) * z / sigma
    conditioned = (1 + np.abs(case.log_sigma)) * z**2
    latent = (0.5 * (conditioned + eps**2) + np.abs(case.log_sigma) + recovered).sum(-1)
    reach = case.reach((1 + np.abs(case.log_sigma)) * z)
    return found, reach**2 / (2 * case.eta) + latent + case.constant


def _noise(rng, count, shape):
    """Standard normal numbers, one of which lies further out than they usually do."""
    eps = rng.normal(size=(count, *shape))
    eps[0, 0, 0] = rng.choice([-1.0, 1.0]) * rng.uniform(5, 6)
    return eps


def _opposed(case):
    """The instance with a first x that lies across 0 from what its q decodes, as far as can be."""
    x, mu, log_sigma = case.x.copy(), case.mu.copy(), case.log_sigma.copy()
    x[0], mu[0] = -20.0, 10.0 * np.sign(case.weight[0])
    log_sigma[0] = np.minimum(log_sigma[0], 0.0)
    return replace(case, x=x, mu=mu, log_sigma=log_sigma)


def samples(student, rng):
    """From one sample to the most, and calls that differ in one argument.

    The last q are as narrow as can be, about 0, where a z that is a little off is seen. Those
    before have the least weights: hardly any noise, and an x far from what is decoded.
    """
    m, cases = student.domain.sizes("m")[1], _apart(student, rng)
    cases[-1] = _opposed(cases[-1])
    mu = np.zeros_like(cases[0].mu)
    cases.append(replace(cases[0], mu=mu, log_sigma=rng.uniform(-30, -20, mu.shape)))
    counts = (SAMPLES, SAMPLES, 1, m, 3, SAMPLES)
    calls = [
        (*case.everything, _noise(rng, count, case.mu.shape))
        for case, count in zip(cases, counts, strict=True)
    ]
    one, other = (
        (*each, _noise(rng, len(each[0]), each[1].shape)) for each in _cube(student, rng)
    )
    calls = student.domain.replaced(one, other, *calls)
    pairs = [
        _log_weight(student, Instance(*arguments), eps)
        for *arguments, eps in calls
    ]
    return _joined(pairs, "log_w")


def _nodes(k):
    """Nodes [n, 1, k] and weights [n]: exact for the quadratic in ε that is integrated."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(4)
    grid = np.array(list(itertools.product(nodes, repeat=k)))
    law = np.prod(list(itertools.product(weights, repeat=k)), axis=1)
    return grid[:, None], law / law.sum()


def _few(rng):
    """Ordinary instances of three sizes; the nodes of _nodes are at most 16."""
    return [_instance(rng), _instance(rng, (3, 4, 2)), _instance(rng, (4, 2, 1))]


def forms(student, rng):
    """First, third and fourth form minus the second."""
    pairs = []
    for case in _few(rng):
        everything = case.everything
        rows, k = case.mu.shape
        grid, law = _nodes(k)
        second = student.reconstruction(*everything) - student.kl_prior(*case.q)
        first = student.expected_log_joint(*everything) + student.entropy(case.log_sigma)
        log_w, at_nodes = _log_weight(student, case, np.tile(grid, (1, rows, 1)))
        fourth = student.log_marginal(case.x, *case.model) - student.kl_posterior(*everything)
        residual = np.stack([first, law @ log_w, fourth]) - second
        scale = np.stack([case.scale, law @ at_nodes, case.scale * case.condition])
        pairs.append((residual, 2 * scale + case.scale))
    return _joined(pairs, "residual")


def bound(student, rng):
    """A q that is not the posterior pays for it."""
    holds = []
    for case in _few(rng):
        everything = case.everything
        lower = student.reconstruction(*everything) - student.kl_prior(*case.q)
        above = student.log_marginal(case.x, *case.model) > lower
        holds += [above, student.kl_posterior(*everything) > 0]
    return {"holds": np.concatenate(holds).astype(bool)}


def gradient(student, rng):
    """By μ and ln σ, of the two terms of the bound and of the gap."""
    pairs = []
    for case in [*_instances(student, rng), _close(rng)]:
        rows = len(case.x)
        everything = case.everything
        cotangent = rng.uniform(0.5, 2.0, rows) * rng.choice([-1.0, 1.0], rows)
        found = [
            *student.vjp("reconstruction", everything, (1, 2), cotangent),
            *student.vjp("kl_prior", case.q, (0, 1), cotangent),
            *student.vjp("kl_posterior", everything, (1, 2), cotangent),
        ]
        weight = np.abs(cotangent)[:, None]
        pairs += [(g, weight * s) for g, s in zip(found, _slopes(case), strict=True)]
    return _joined(pairs, "grad")


def _slopes(case):
    """Scales of the slopes by μ and ln σ of both terms, then of the gap."""
    spread, size = (1 + 2 * np.abs(case.log_sigma)) * np.exp(2 * case.log_sigma), case.condition
    pull = np.linalg.norm(case.weight) * case.reach(case.mu)[:, None] / case.eta
    both = np.abs(case.mu) + pull, spread * size + 1
    likely = pull + 0 * case.mu, spread * (size - 1)
    return *likely, np.abs(case.mu), spread + 1, *(item * case.condition for item in both)


def example(student, rng):
    return {"agrees": student.example()}
