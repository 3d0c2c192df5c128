"""What is measured of vae-sample-interp: values from given noise, and the noise of own samples.

The scale S of a value is the sum of the absolute terms of its formula, from the inputs alone; what
a decoder computes from a code is off by the rounding of the code, too.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

# b, k, d, h: the smallest and the largest of every axis, odd and even ones, one that no chunk
# divides, and one size twice, so that nothing kept from the first call goes unnoticed
EDGES = ((1, 1, 1, 1), (7, 3, 5, 4), (200, 1, 3, 2), (2, 32, 1, 3), (1, 2, 64, 1), (3, 3, 3, 8))
EDGES += ((31, 6, 3, 5), (1, 2, 64, 8), (7, 3, 5, 4), (200, 2, 1, 1), (3, 32, 2, 8))
NEAR = 1e-9  # how near u may be to the probability
REPLICATES = 4  # calls that differ in their generator only
FAR = 4.0  # of 512,000 normal numbers one at least lies beyond, but for a probability of 1e-14


@dataclass(frozen=True)
class Decoder:
    """A function of given.py and its parameters; the bias is the last of them."""

    name: str
    parameters: tuple[Any, ...]

    def given(self, student):
        return student.given(self.name, *self.parameters)

    @property
    def bias(self):
        return self.parameters[-1]

    @property
    def d(self):
        return len(self.bias)

    def __call__(self, z):
        """G(z): [b d]."""
        *weights, bias = self.parameters
        if self.name == "linear":
            return z @ weights[0].T + bias
        return np.tanh(z @ weights[0].T) @ weights[1].T + bias

    def scale(self, size):
        """The sum of the absolute terms of G(z) for codes of that size: [b d]."""
        *weights, bias = (np.abs(array) for array in self.parameters)
        if self.name == "linear":
            return size @ weights[0].T + bias
        return (1 + size @ weights[0].T) @ weights[1].T + bias


def _sizes(rng):
    """(b, k, d, h) of calls: the edges, and every b, k and d up to 12 in an order of its own."""
    small = [rng.permutation(12) + 1 for _ in "bkd"] + [rng.permutation(12) % 8 + 1]
    return [*EDGES, *np.stack(small, axis=1).tolist()]


def _decoder(student, rng, name, k, d, h):
    draw = student.domain.draw
    bias = draw(rng, "bias", d)
    if name == "linear":
        return Decoder(name, (draw(rng, "weight", d, k), bias))
    return Decoder(name, (draw(rng, "inner", h, k), draw(rng, "outer", d, h), bias))


def _names(count):
    """Both decoders in turn, and each of them first in one of two calls of one size."""
    return [("network", "linear")[index % 2] for index in range(count)]


def _checked(student, name, found, shape):
    """An answer of which the contract leaves the width open."""
    if found.shape != shape:
        student.refuse(f"{name} gave a result of shape {found.shape}; expected {shape}")
    return found


def _joined(name, found, scales):
    scales = [np.ravel(scale) for scale in scales]
    values = np.concatenate([np.ravel(part) for part in found])
    return {name: values, f"{name}__scale": np.concatenate(scales)}


def _of_one_size(sizes):
    """The places of the two calls of one size that `_alone` is made of."""
    first, second = (index for index, size in enumerate(sizes) if size == EDGES[1])
    return first, second


def _codes(student, rng, b, k):
    return [student.domain.draw(rng, name, b, k) for name in ("mu", "log_sigma", "eps")]


def _row_cases(student, rng):
    """(decoder, mu, log_sigma, eta, eps, noise) of every call; in one of them two q are equal."""
    sizes = _sizes(rng)
    etas = student.domain.draw(rng, "eta", len(sizes))
    small = rng.random(len(sizes)) < 0.5
    etas = np.where(small & (etas > 0) & (etas < 100), etas / 100, etas)
    cases = []
    for (b, k, d, h), name, eta in zip(sizes, _names(len(sizes)), etas, strict=True):
        decoder = _decoder(student, rng, name, k, d, h)
        mu, log_sigma, eps = _codes(student, rng, b, k)
        if b < 200:
            log_sigma = np.where(log_sigma > 2, log_sigma - 3, log_sigma)
        if b == 31:
            mu[5], log_sigma[5] = mu[2], log_sigma[2]
        noise = student.domain.draw(rng, "noise", b, d)
        cases.append((decoder, mu, log_sigma, np.array(eta), eps, noise))
    first, second = _of_one_size(sizes)
    return cases + student.domain.replaced(cases[first], cases[second], alike="axes")


def rows(student, rng):
    """Both rows of observations, in units of nothing: [2, b, d] of every call, end to end."""
    found, scales = [], []
    for decoder, mu, log_sigma, eta, eps, noise in _row_cases(student, rng):
        found += student.two_rows(decoder.given(student), mu, log_sigma, eta, eps, noise)
        code = np.abs(mu) + np.exp(log_sigma) * (1 + np.abs(log_sigma)) * np.abs(eps)
        spread = np.sqrt(eta) * np.abs(noise)
        scales += [decoder.scale(code) + spread, decoder.scale(np.abs(eps)) + spread]
    return _joined("x", found, scales)


def _apart(rng, u, p):
    """u with all that is too near to the probability moved to the other side of it, or away."""
    near = np.abs(u - p) < 2 * NEAR
    return np.where(near, np.where(p > 0.5, rng.uniform(0, 0.5, p.shape), 1 - u / 2), u)


def bits(student, rng):
    """Bits at u from all of [0, 1], and at u close to the probability on either side.

    In the last calls some logits are 0, and all of eps or of u.
    """
    cases = []
    sizes = _sizes(rng)
    for (b, k, d, h), name in zip(sizes, _names(len(sizes)), strict=True):
        decoder = _decoder(student, rng, name, k, d, h)
        eps = student.domain.draw(rng, "eps", b, k)
        p = 1 / (1 + np.exp(-decoder(eps)))
        u = student.domain.draw(rng, "u", b, d)
        side = rng.choice([-1.0, 1.0], p.shape)
        close = np.clip(p + side * 10 ** rng.uniform(-8.5, -5.0, p.shape), 0, 1)
        cases.append((decoder, eps, _apart(rng, np.where(rng.random(p.shape) < 0.5, u, close), p)))
        cases.append((decoder, eps, _apart(rng, rng.random(p.shape), p)))
    first, second = (2 * index for index in _of_one_size(sizes))
    for decoder, eps, u in student.domain.replaced(cases[first], cases[second], alike="axes"):
        cases.append((decoder, eps, _apart(rng, u, 1 / (1 + np.exp(-decoder(eps))))))
    b, k, d, h = EDGES[1]
    decoder = _decoder(student, rng, "linear", k, d, h)
    for parameter in decoder.parameters:
        parameter[:3] = 0.0
    eps, low = student.domain.draw(rng, "eps", b, k), np.full((b, d), 0.25)
    cases += [(decoder, eps, low), (decoder, eps, 0 * low)]
    cases.append((decoder, 0 * eps, _apart(rng, low, 1 / (1 + np.exp(-decoder(0 * eps))))))
    found = [student.generate_bits(case[0].given(student), *case[1:]) for case in cases]
    return _joined("x", found, [np.ones_like(part) for part in found])


def _ways(student, rng):
    """(decoder, z1, z2, lams) of every call: λ in no order, the ends among them, some twice."""
    sizes = _sizes(rng)
    cases = []
    for (b, k, d, h), name in zip(sizes, _names(len(sizes)), strict=True):
        decoder = _decoder(student, rng, name, k, d, h)
        z1, z2 = (student.domain.draw(rng, name, k) for name in ("z1", "z2"))
        lams = student.domain.draw(rng, "lams", b)
        if b > 4:
            lams[-1] = lams[0]
        cases.append((decoder, z1, z2, lams))
    first, second = _of_one_size(sizes)
    cases += student.domain.replaced(cases[first], cases[second], alike="axes")
    decoder, z1, _, lams = cases[first]
    return [*cases, (decoder, z1, z1, lams), (decoder, z1, 0 * z1, np.linspace(0, 1, 11))]


def path(student, rng):
    """Outputs on all ways; on one both ends are alike, on another one end is zero."""
    found, scales = [], []
    for decoder, z1, z2, lams in _ways(student, rng):
        x = student.interpolate(decoder.given(student), z1, z2, lams)
        found.append(_checked(student, "interpolate", x, (len(lams), decoder.d)))
        size = np.broadcast_to(np.abs(z1) + np.abs(z2), (len(lams), len(z1)))
        scales.append(decoder.scale(size))
    return _joined("x", found, scales)


def moments(student, rng):
    """(E z, E z²), in calls of the smallest sizes and the largest; in the last one rows repeat."""
    sizes = [(5, 3), (1, 1), (200, 2), (2, 32), (64, 1), (1, 4), (5, 3), (4, 4)]
    sizes += np.stack([rng.permutation(12) + 1, rng.permutation(12) + 1], axis=1).tolist()
    cases = []
    for m, k in sizes:
        mu, log_sigma, _ = _codes(student, rng, m, k)
        cases.append((mu, log_sigma))
    tame = [(mu / 5, np.where(log_sigma > 1, 0.3, log_sigma / 5)) for mu, log_sigma in cases]
    cases += tame + student.domain.replaced(tame[0], tame[6], alike="axes")
    cases.append(tuple(array[[0, 0, 0, 1, 1, 2, 3]] for array in tame[0]))
    found, scales = [], []
    for mu, log_sigma in cases:
        found += student.aggregate_moments(mu, log_sigma)
        square = mu**2 + np.exp(2 * log_sigma) * (1 + 2 * np.abs(log_sigma))
        scales += [np.abs(mu).mean(axis=0), square.mean(axis=0)]
    return _joined("moment", found, scales)


def _turned(rng, d, k, size):
    """A weight [d, k] that puts every code dimension into one output, of that size or minus it."""
    weight = np.zeros((d, k))
    both = min(d, k)
    sign = rng.choice([-1.0, 1.0], both)
    weight[rng.permutation(d)[:both], rng.permutation(k)[:both]] = size * sign
    return weight


def _samples(student, decoder, k, eta, n, calls):
    """Samples without the decoder's bias: [calls, n, d].

    Where the code plays no part, whoever leaves out the decoder's noise would return the same
    every time and be told that the generator is seeded.
    """
    args = decoder.given(student), np.array(eta), k, n
    if np.any(decoder.parameters[0]):
        found = student.independent("sample", *args, replicates=calls)
    else:
        found = [student.sample(*args, student.generator()) for _ in range(calls)]
    shape = n, decoder.d
    with np.errstate(all="ignore"):
        return np.stack([_checked(student, "sample", x, shape) for x in found]) - decoder.bias


def _whitened(student, rng, weight, eta, n, calls):
    """Outputs of a linear decoder as standard normal noise: [calls, n, d].

    Observations have the law N(b, W Wᵀ + η I); no output shares a code dimension with another.
    """
    d, k = weight.shape
    decoder = Decoder("linear", (weight, student.domain.draw(rng, "bias", d)))
    x = _samples(student, decoder, k, eta, n, calls)
    with np.errstate(all="ignore"):
        return x / np.sqrt((weight**2).sum(axis=1) + eta)


def _mixed(student, rng, n):
    """The same for a decoder of three code dimensions that all three outputs share: [n, 3].

    There are as many of one noise as of the other, so that numbers that are used twice meet.
    """
    weight = rng.choice([-1.0, 1.0], (3, 3)) * rng.uniform(0.5, 2.0, (3, 3))
    eta, bias = rng.uniform(0.5, 2.0), student.domain.draw(rng, "bias", 3)
    decoder = Decoder("linear", (weight, bias))
    x = _samples(student, decoder, 3, eta, n // REPLICATES, REPLICATES)
    root = np.linalg.cholesky(weight @ weight.T + eta * np.eye(3))
    with np.errstate(all="ignore"):
        return np.einsum("ij,cnj->cni", np.linalg.inv(root), x).reshape(-1, 3)


def _through_network(student, rng, n, calls):
    """Codes behind the outputs of an invertible network without noise: [calls, n, k]."""
    k = student.domain.sizes("h")[1]
    inner, outer = _turned(rng, k, k, 1.0), _turned(rng, k, k, 3.0)
    decoder = Decoder("network", (inner, outer, student.domain.draw(rng, "bias", k)))
    x = _samples(student, decoder, k, 0.0, n, calls)
    with np.errstate(all="ignore"):
        return np.arctanh(x @ outer / 9) @ inner


def _in_between(student, rng, n, shapes):
    """Noise of calls of odd sizes, that of codes and decoder together: [n].

    A shape is (k, d), or (k, d, rows) where a call shall have few rows: numbers that are centred or
    scaled within a call show there.
    """
    parts = []
    share = -(-n // len(shapes))
    for k, d, *few in shapes:
        rows = few[0] if few else 2 * int(rng.integers(3, 50)) + 1
        weight = _turned(rng, d, k, rng.uniform(0.5, 2.0))
        calls = max(2, -(-share // (rows * d)))
        noise = _whitened(student, rng, weight, rng.uniform(0.2, 2.0), rows, calls)
        parts.append(noise.ravel()[:share])
    return np.concatenate(parts)[:n]


def own_noise(student, rng, n):
    """Standard normal noise behind own samples, recovered from them: [n, 10].

    Three columns are those of a decoder that mixes code dimensions. Of the others, some see the
    codes alone (η = 0) and some the decoder's noise alone (W = 0), in calls of one row, of few and
    of many, and of as many as entries; there all entries of a call follow each other, so that lags
    run over rows and columns.
    """
    n_most, k, d = (student.domain.sizes(axis)[1] for axis in "nkd")
    weights = _turned(rng, d, k, 3.0), np.zeros((d, 1)), np.ones((1, 1)), np.zeros((1, 1))
    calls = zip(weights, (1.0, 2.0, 0.0, 100.0), (1, d, n_most, n_most), strict=True)
    columns = [
        _whitened(student, rng, weight, eta, rows, -(-n // (rows * len(weight)))).ravel()[:n]
        for weight, eta, rows in calls
    ]
    few = student.domain.sizes("h")[1]
    network = _through_network(student, rng, few, -(-n // few**2)).ravel()[:n]
    small = _in_between(student, rng, n, ((1, 1), (1, 2), (3, 1)))
    shapes = (3, 7), (5, 2), (11, 11, 2), (2, 9), (7, 1), (17, 31, 3)
    others = _in_between(student, rng, n, shapes)
    noise = np.column_stack([_mixed(student, rng, n), *columns, network, small, others])
    _, by_rows, codes, by_decoder = columns
    ones = np.ones(noise.shape[1])
    digits = np.concatenate([_digits(codes, network), _digits(by_decoder, by_rows)])
    return {
        "noise": noise,
        "noise__expected": 0 * ones,
        "noise__scale": ones,
        "excess": noise**2 - 1,
        "excess__expected": 0 * ones,
        "excess__scale": np.sqrt(2) * ones,
        "digits": np.concatenate([digits, _still(student, rng), _far(student, rng, n)]),
    }


def _still(student, rng):
    """Whether samples without any noise are the decoder's bias, bit for bit: [1]."""
    decoder = Decoder("linear", (np.zeros((2, 3)), student.domain.draw(rng, "bias", 2)))
    return np.array([(_samples(student, decoder, 3, 0.0, 5, 1) == 0).all()])


def _far(student, rng, n):
    """Whether 512,000 codes, and as much noise of the decoder, go far and have the moments: [...].

    The first n of each look drawn in float64, where codes and observations are widest. The means of
    the first four Hermite polynomials He, of variance n!, may be off by 7.5 standard errors: the
    fourth tells a sum of a dozen uniform numbers from a normal one.
    """
    rows, k, d = (student.domain.sizes(axis)[1] for axis in "nkd")
    weights = (_turned(rng, k, k, 1.0), 0.0, 4), (np.zeros((d, 1)), 1.0, 2)
    noise = [_whitened(student, rng, weight, eta, rows, calls) for weight, eta, calls in weights]
    found = [*_digits(*(each.ravel()[:n] for each in noise))]
    for each in noise:
        with np.errstate(all="ignore"):
            square = each**2
            fourth = (square - 6) * square + 3
            hermite = (each, 1), (square - 1, 2), ((square - 3) * each, 6), (fourth, 24)
            off = [abs(value.mean()) * np.sqrt(each.size / var) for value, var in hermite]
        found += [np.abs(each).max() > FAR, *(part < 7.5 for part in off)]
    return np.array(found)


def _digits(*columns):
    """Whether noise looks drawn in float64: few values alike, no grid, no even spacing.

    Fewer than three pairs of nearly one size, fewer than one value in a hundred that float32 could
    hold, no decimal or binary grid, and in 4,000 values a Kolmogorov–Smirnov distance of .15/√4000
    at least. Independent normal noise fails with a probability below 1e-10.
    """
    cdf = np.vectorize(NormalDist().cdf)
    grids = np.concatenate([10.0 ** np.arange(1, 10), 2.0 ** np.arange(1, 31)])
    passed = []
    for noise in columns:
        with np.errstate(all="ignore"):
            coarse = np.abs(noise - noise.astype(np.float32)) < 1e-12
            alike = (np.diff(np.sort(np.abs(noise))) < 3e-14).sum()
            places = np.outer(grids, noise[:: noise.size // 500])
            off = np.abs(places - np.rint(places)).mean(axis=1)
        u = cdf(np.sort(noise[:4000]))
        steps = (np.arange(len(u)) + 0.5) / len(u)
        spread = np.abs(u - steps).max() > 0.15 / np.sqrt(len(u))
        passed += [alike < 3, coarse.mean() < 0.01, spread, *(off > 0.1)]
    return np.array(passed) & np.isfinite(np.concatenate(columns)).all()


def example(student, rng):
    return {"agrees": student.example()}
