"""What is measured of marg-importance: weights of linear Gaussian models, functions of given log
weights, and estimates from the program's own noise.

The scale S of a value is the sum of the absolute terms of its formula, from the inputs alone.
"""

import itertools
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

LOG_TAU = np.log(2 * np.pi)
SAMPLES, DIVISORS = 12, (1, 2, 3, 4, 6, 12)
REFINED = ((1, 2), (2, 4), (4, 12), (1, 3), (3, 6), (2, 6), (6, 12))  # groups within groups
OWN_ROWS, OWN_SAMPLES = 2, 4
REPLICATES = 4  # calls that differ in their generator only


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


def _log_weights(student, model, mu, log_sigma, eps):
    """The log weights [m, b] and their scale, which allows for the rounding of z."""
    log_w = student.log_weights(model.x, mu, log_sigma, *model.decoder, eps)
    sigma = np.exp(log_sigma)
    z = np.abs(mu) + sigma * np.abs(eps)
    decoded = np.linalg.norm(model.weight) * np.linalg.norm(z, axis=-1)
    reach = np.linalg.norm(model.x, axis=-1) + decoded + np.linalg.norm(model.bias)
    recovered = np.abs(eps) * z / sigma
    latent = (0.5 * (z**2 + eps**2) + np.abs(log_sigma) + recovered).sum(-1)
    axes = sum(model.weight.shape)
    constant = 0.5 * axes * (LOG_TAU + 1 + abs(np.log(model.eta)))
    return log_w, reach**2 / (2 * model.eta) + latent + constant


def weights(student, rng):
    """The prior as a proposal, then another Gaussian for every row: [2, m, b]."""
    model = _model(rng, b=6)
    prior = np.zeros((2, 6, 2))
    other = rng.normal(size=(6, 2)), rng.uniform(np.log(0.2), np.log(1.5), (6, 2))
    eps = rng.normal(size=(7, 6, 2))
    pairs = [_log_weights(student, model, *q, eps) for q in (prior, other)]
    values, scales = zip(*pairs, strict=True)
    return {"log_w": np.stack(values), "log_w__scale": np.stack(scales)}


def posterior(student, rng):
    """Where q is the posterior every weight is p(x), and they have no spread: [m + 1, b]."""
    model = _model(rng, b=6, right_angles=True)
    mean, sd = model.posterior
    log_w, scale = _log_weights(student, model, mean, np.log(sd), rng.normal(size=(15, 6, 2)))
    spread = student.rel_var(log_w)
    residual = np.concatenate([log_w - model.log_p, spread[None]])
    worst = scale.max(0, keepdims=True)
    return {"residual": residual, "residual__scale": np.concatenate([scale, 4 * worst])}


def jensen(student, rng):
    """Lognormal, gamma-like and constant columns under the weights of Gauss–Hermite nodes."""
    nodes, law = np.polynomial.hermite_e.hermegauss(20)
    p = law / law.sum()
    lognormal = np.exp(rng.uniform(0.5, 1.5, 4) * nodes[:, None] + rng.normal(size=4))
    uneven = rng.gamma(2.0, 1.0, (20, 4)) + 0.05
    constant = np.full((20, 2), rng.uniform(2.0, 9.0, 2))
    w = np.concatenate([lognormal, uneven, constant], axis=1)
    size = np.abs(np.log(p))[:, None] + np.abs(np.log(w))
    return {"gap": student.jensen_gap(w, p), "gap__scale": 1 + size.max(0)}


def _log_w(rng, m, b):
    """Log weights whose spread varies from column to column."""
    return rng.uniform(0.3, 2.5, b) * rng.normal(size=(m, b)) + rng.normal(-3.0, 3.0, b)


def _size(log_w):
    """Of a logarithm of a mean: [b]."""
    return 1 + np.log(len(log_w)) + np.where(np.isinf(log_w), 0.0, np.abs(log_w)).max(0)


def _second(log_w):
    """E[w²] / E[w]², what the rounding of a relative variance scales with: [b]."""
    w = np.exp(log_w - log_w.max(0))
    return (w**2).mean(0) / w.mean(0) ** 2


def log_mean(student, rng):
    """As many samples as columns."""
    log_w = _log_w(rng, 8, 8)
    return {"log_p": student.log_px_is(log_w), "log_p__scale": _size(log_w)}


def bounds(student, rng):
    """Groups of every size that divides the number of samples: [sizes, b]; as many columns."""
    log_w = _log_w(rng, SAMPLES, SAMPLES)
    found = np.stack([student.iw_bound(log_w, n) for n in DIVISORS])
    return {"bound": found, "bound__scale": np.broadcast_to(_size(log_w), found.shape)}


def spread(student, rng):
    log_w = _log_w(rng, 10, 10)
    log_w[:, 0] = log_w[0, 0]
    found = student.rel_var(log_w)
    return {"ratio": found, "ratio__scale": 4 * _second(log_w) * _size(log_w)}


def far(student, rng):
    """Log weights near ±1000, some of them -inf: mean, bound for pairs, relative variance."""
    b = 10
    log_w = rng.normal(0.0, 2.0, (SAMPLES, b)) + np.repeat([-1.0, 1.0], b // 2) * rng.uniform(
        800.0, 1000.0, b
    )
    kept = log_w.copy()
    log_w[rng.permutation(SAMPLES)[:4], ::2] = -np.inf
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
    per_dimension = 24
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


def own_noise(student, rng, n):
    """n estimates for two rows, over p(x), from proposals that are wider than the posterior.

    Their relative variance is that of a weight over the number of samples. A row of `pair` holds
    four rows of one batch: both data, twice.
    """
    model = _model(rng, OWN_ROWS, right_angles=True)
    mean, sd = model.posterior
    wider = rng.uniform(1.2, 1.4, mean.shape)
    shift = rng.choice([-1.0, 1.0], mean.shape) * rng.uniform(0.2, 0.4, mean.shape)
    count = n // REPLICATES
    mu, log_sigma = np.tile(mean + shift * sd, (count, 1)), np.tile(np.log(wider * sd), (count, 1))
    many = model.tiled(count)
    calls = student.independent(
        "estimate", many.x, mu, log_sigma, *model.decoder, OWN_SAMPLES, replicates=REPLICATES
    )
    second, third, fourth = (_moment(j, wider, shift) for j in (2, 3, 4))
    variance = second - 1
    kurtosis = (fourth - 4 * third + 6 * second - 3) / variance**2
    with np.errstate(all="ignore"):
        ratio = np.exp(np.concatenate(calls).reshape(n, OWN_ROWS) - model.log_p)
        excess = (ratio - 1) ** 2 * OWN_SAMPLES / variance - 1
    return {
        "ratio": ratio,
        "ratio__expected": np.ones(OWN_ROWS),
        "ratio__scale": np.sqrt(variance / OWN_SAMPLES),
        "excess": excess,
        "excess__expected": np.zeros(OWN_ROWS),
        "excess__scale": np.sqrt(2 + (kurtosis - 3) / OWN_SAMPLES),
        "pair": ratio.reshape(n // 2, -1),
    }
