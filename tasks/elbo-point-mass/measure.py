"""What is measured of elbo-point-mass: divergences down to widths of e⁻³⁰, and both manifolds.

Every function is called with the smallest and the largest sizes, with every number of widths or
noise levels, in no order, some of them equal or nearly, and with each argument changed alone. The
scale S of a value is the sum of the absolute terms of its formula, from what was drawn.
"""

from dataclasses import dataclass

import numpy as np

USUAL = (5, 2)  # D and K of models that are not at an edge of the sizes
SINGULAR = (0.3, 3.0)  # singular values of W where it has more than one column
SMALL = (0.003, 0.02)  # those of a decoder that hardly decodes


@dataclass(frozen=True)
class Decoder:
    """weight [d, k], bias [d], and unit vectors [d, d - k] orthogonal to the range of weight."""

    weight: np.ndarray
    bias: np.ndarray

    @property
    def both(self):
        return self.weight, self.bias

    @property
    def sizes(self):
        return self.weight.shape

    @property
    def normals(self):
        return np.linalg.svd(self.weight)[0][:, self.weight.shape[1] :]

    @property
    def singular(self):
        return np.linalg.svd(self.weight, compute_uv=False)


def _decoder(rng, sizes=USUAL, singular=SINGULAR):
    """The smallest and the largest singular value as given, those between at random."""
    d, k = sizes
    frame, _ = np.linalg.qr(rng.normal(size=(d, k)))
    turn, _ = np.linalg.qr(rng.normal(size=(k, k)))
    stretch = rng.uniform(*singular, k)
    stretch[:2] = singular[:k]
    weight = np.ascontiguousarray(frame * stretch @ turn)
    return Decoder(weight, rng.uniform(-2, 2, d))


def _equal_rows(rng, singular=(0.4, 2.0)):
    """A decoder of the usual sizes, of whose weight the first and the last row are equal.

    The largest singular value is up to √2 times that given.
    """
    d, k = USUAL
    decoder = _decoder(rng, (d - 1, k), singular)
    return Decoder(decoder.weight[np.arange(d) % (d - 1)], rng.uniform(-2, 2, d))


def _two(rng, sizes, singular=(0.4, 2.0)):
    """Two decoders, the second with another bias and a weight that is nearly the first one.

    First row and first column are alike, and the last row where D > 3: rows of two weights together
    might have no condition number that the statement allows. Here one direction is turned round and
    halved, so that it is at most twice the first one's.
    """
    first, other = (_decoder(rng, sizes, singular) for _ in range(2))
    d = sizes[0]
    kept = np.stack([np.eye(d)[0], first.weight[:, 0], np.eye(d)[-1]][: min(3, d - 1)])
    across = np.linalg.svd(kept)[2][len(kept) :]
    direction = rng.normal(size=len(across)) @ across
    direction /= _size(direction)
    weight = first.weight - 1.5 * np.outer(direction, direction @ first.weight)
    weight[0], weight[:, 0] = first.weight[0], first.weight[:, 0]
    return first, Decoder(np.ascontiguousarray(weight), other.bias)


def _between(student, rng):
    """Sizes of a decoder that are drawn, without those at an edge."""
    k = int(rng.integers(2, student.domain.sizes("k")[1]))
    return int(rng.integers(k + 1, student.domain.sizes("d")[1])), k


def _edges(student, rng):
    """Decoders at the edges of the sizes and of the domain: D = 2; K = 1; D and K at their most.

    The first one is small; the second has a bias as far from 0 as can be.
    """
    least, d = student.domain.sizes("d")
    k = student.domain.sizes("k")[1]
    draw = student.domain.draw
    wide = Decoder(_decoder(rng, (d, k)).weight, draw(rng, "bias", d))
    far = np.copysign(np.abs(wide.bias).max(), rng.normal(size=d))
    column = Decoder(draw(rng, "weight", d, 1), far)
    return [_decoder(rng, (least, 1), SMALL), column, wide]


def _all_sizes(student, rng):
    """One decoder after another for the numbers 1, 2, … of levels: most pairs of D and K."""
    (least, d), (_, k) = (student.domain.sizes(axis) for axis in ("d", "k"))
    pairs = [(many, few) for many in range(least, d + 1) for few in range(1, min(many, k + 1))]
    for count, at in enumerate(rng.permutation(len(pairs))[: student.domain.sizes("n")[1] - 1], 1):
        yield count, pairs[at]


def _size(vector):
    return np.linalg.norm(vector, axis=-1)


def _joined(pairs, name):
    """Values and scales of several calls, end to end."""
    values, scales = zip(*pairs, strict=True)
    joined = [np.concatenate([np.ravel(item) for item in part]) for part in (values, scales)]
    return {name: joined[0], f"{name}__scale": joined[1]}


def _conditioned_variance(log_sigmas):
    """What is rounded in an exponent comes back times the exponential: exp(a (1 + eps))."""
    return (1 + 2 * np.abs(log_sigmas)) * np.exp(2 * log_sigmas)


def _repeated(student, rng, name, count=13):
    """Levels from all of the domain in no order, the first two equal, the third one nearly."""
    levels = student.domain.draw(rng, name, count)
    nearly = levels[:1] + 1e-8 * (levels[1:2] - levels[:1])
    return np.concatenate([levels[:1], levels[:1], nearly, levels[1:]])


def _scale_kl(mu, log_sigmas):
    widths = 0.5 * _conditioned_variance(log_sigmas) + np.abs(log_sigmas)
    return 0.5 * (mu**2 + 1).sum() + len(mu) * widths


def narrow(student, rng):
    """Widths from e⁻³⁰ to e³⁰, for one to the most latent dimensions."""
    n, k = (student.domain.sizes(axis)[1] for axis in ("n", "k"))
    draw = student.domain.draw
    means, far = rng.normal(0, 1.5, (2, _between(student, rng)[1])), draw(rng, "mu", k)
    pair = ((mu, _repeated(student, rng, "log_sigmas")) for mu in means)
    cases = [
        *student.domain.replaced(*pair),
        (rng.normal(0, 1.5, 1), draw(rng, "log_sigmas", n)),
        (far, draw(rng, "log_sigmas", n)),
        (np.append(0.0, rng.normal(0, 1.5, 2)), rng.uniform(-9, 1, 1)),
        # down to where σ² is just lost in what is rounded
        *((rng.normal(0, 1.5, 1 + count % k), rng.uniform(-16, 1, count)) for count in range(1, n)),
    ]
    return _joined([(student.kl_as_sigma_to_zero(*q), _scale_kl(*q)) for q in cases], "kl")


def slope(student, rng):
    """Where σ² is below the rounding of 1, the divergence is linear in ln σ."""
    log_sigmas = np.sort(rng.uniform(-30, -20, 10))[::-1].copy()
    residual, scale = [], []
    for k in (2, 1, 5):
        mu = rng.normal(0, 1.5, k)
        kl = student.kl_as_sigma_to_zero(mu, log_sigmas)
        residual.append(np.diff(kl) + k * np.diff(log_sigmas))
        scale.append(2 * _scale_kl(mu, log_sigmas)[1:])
    return {"residual": np.stack(residual), "residual__scale": np.stack(scale)}


def point(student, rng):
    """The scale holds the condition number that a solution by normal equations has."""
    sizes = _between(student, rng)
    small = _decoder(rng, _between(student, rng), SMALL)
    cases = []
    for decoder in [_equal_rows(rng), small, _decoder(rng, (3, 2)), *_edges(student, rng)]:
        d = decoder.sizes[0]
        far = d == student.domain.sizes("d")[1]
        x = student.domain.draw(rng, "x", d) if far else rng.normal(0, 2, d)
        cases.append((x, *decoder.both))
    pair = ((rng.normal(0, 2, sizes[0]), *decoder.both) for decoder in _two(rng, sizes))
    pairs = []
    for x, *both in student.domain.replaced(*pair, *cases):
        decoder = Decoder(*both)
        singular = decoder.singular
        condition = (singular[0] / singular[-1]) ** 2 / singular[-1]
        scale = np.full(len(singular), (_size(x) + _size(decoder.bias)) * condition)
        pairs.append((student.best_point(x, *both), scale))
    return _joined(pairs, "point")


def _recon_scale(x, decoder, eta, mu, log_sigmas):
    """A residual's rounding counts twice in its square."""
    weight, bias = decoder.both
    decoded = np.linalg.norm(weight) * _size(mu)
    squared = (_size(x) + _size(bias) + decoded) ** 2
    spread = _conditioned_variance(log_sigmas) * (weight**2).sum()
    constant = 0.5 * len(x) * (np.log(2 * np.pi) + abs(np.log(eta)))
    return (2 * squared + spread) / (2 * eta) + constant


def _points(student, rng):
    """Arguments of recon_term for two calls of one size, everything ordinary but the widths."""
    d, k = _between(student, rng)
    for decoder in _two(rng, (d, k)):
        point = rng.normal(0, 2, d), *decoder.both
        eta, mu = np.exp(rng.uniform(-3, 2)), rng.normal(size=k)
        yield *point, eta, mu, _repeated(student, rng, "log_sigmas")


def recon(student, rng):
    """Points, widths and noise of all sorts."""
    draw = student.domain.draw
    pairs = []

    def look(decoder, x, eta, mu, log_sigmas):
        found = student.recon_term(x, *decoder.both, np.array(eta), mu, log_sigmas)
        pairs.append((found, _recon_scale(x, decoder, eta, mu, log_sigmas)))

    least, most = sorted(draw(rng, "eta", 2))
    for x, weight, bias, *rest in student.domain.replaced(*_points(student, rng)):
        look(Decoder(weight, bias), x, *rest)
    small, column, wide = _edges(student, rng)
    d, k = wide.sizes
    n = student.domain.sizes("n")[1]
    ordinary = np.exp(rng.uniform(-3, 2)), rng.normal(size=1)
    look(small, rng.normal(0, 2, 2), *ordinary, draw(rng, "log_sigmas", 1))
    look(column, draw(rng, "x", d), most, rng.normal(size=1), draw(rng, "log_sigmas", n))
    look(wide, draw(rng, "x", d), least, draw(rng, "mu", k), draw(rng, "log_sigmas", n))
    look(_equal_rows(rng), rng.normal(0, 2, 5), least, rng.normal(size=2), rng.uniform(-30, -9, 4))
    # where x and b are nearly 0 nothing is larger than what a tiny residual and a narrow q add
    centred = Decoder(_decoder(rng, (2, 1), (2.0, 3.0)).weight, np.zeros(2))
    tiny = np.array([0.0, 10 ** rng.uniform(-8, -7)])
    look(centred, tiny, least, np.zeros(1), np.linspace(-19, -9, n))
    for count, sizes in _all_sizes(student, rng):
        decoder, mu = _decoder(rng, sizes), rng.normal(size=sizes[1])
        mu[0] *= count % 4 > 0
        x, eta = rng.normal(0, 2, sizes[0]), np.exp(rng.uniform(-3, 2))
        look(decoder, x, eta, mu, rng.uniform(-9, 1, count))
    return _joined(pairs, "recon")


def _near(rng, decoder, distance):
    """An observation, in every normal direction half to one and a half distances away."""
    d, k = decoder.sizes
    across = distance * rng.uniform(0.5, 1.5, d - k) * rng.choice([-1.0, 1.0], d - k)
    return decoder.weight @ rng.uniform(-0.7, 0.7, k) + decoder.bias + decoder.normals @ across


def rising(student, rng):
    """From wide to narrow at z*, and narrow at z* against narrow at points around it."""
    log_sigmas = np.linspace(1, -7, 9)
    holds = []
    for sizes in (USUAL, (2, 1), (4, 3)):
        decoder = _decoder(rng, sizes)
        x, eta = _near(rng, decoder, 1.0), np.array(rng.uniform(0.1, 1.0))
        best = student.best_point(x, *decoder.both)
        if not np.isfinite(best).all():
            student.refuse("best_point returned a value that is not finite")
        term = student.recon_term(x, *decoder.both, eta, best, log_sigmas)
        holds.extend(np.diff(term) > 0)
        for step in 0.3 * rng.normal(size=(3, len(best))):
            beside = student.recon_term(x, *decoder.both, eta, best + step, log_sigmas[-1:])
            holds.append(beside[0] < term[-1])
    return {"holds": np.array(holds, dtype=bool)}


def _log_p_scale(x, decoder, etas):
    """That of an inverted covariance, whose entries are of size 1/η."""
    weight, bias = decoder.both
    condition = 1 + (weight**2).sum() / etas
    constant = 0.5 * len(x) * (np.log(2 * np.pi) + np.abs(np.log(etas)) + np.log(condition) + 1)
    away = _size(x - bias)
    rounded = away * (_size(x) + _size(bias)) / etas
    return (constant + 0.5 * away**2 / etas) * condition + rounded


def _marginal(student, rng, distance):
    """Decoders of all sizes, one of them small: there the condition number hides least."""
    usual = _equal_rows(rng, (0.3, 0.5))
    n = student.domain.sizes("n")[1]
    levels = [_repeated(student, rng, "etas") for _ in range(4)]
    levels += [student.domain.draw(rng, "etas", count) for count in (1, n, n)]
    first = _near(rng, usual, distance)
    # the first two differ in their levels alone; the third is nearly on the manifold
    cases = [(usual, first), (usual, first), (usual, _near(rng, usual, distance / 500))]
    for decoder in [_decoder(rng, (3, 2)), *_edges(student, rng)]:
        d = decoder.sizes[0]
        anywhere = distance and d > USUAL[0]
        x = student.domain.draw(rng, "x", d) if anywhere else _near(rng, decoder, distance)
        if anywhere and decoder.sizes[1] == 1:
            x = np.copysign(np.abs(x).max(), -decoder.bias)
        cases.append((decoder, x))
    pairs = []
    for count, sizes in _all_sizes(student, rng):
        decoder = _decoder(rng, sizes, singular=(0.3, 0.5))
        cases.append((decoder, _near(rng, decoder, distance)))
        levels.append(np.exp(rng.uniform(-6, 0, count)))
    calls = [(x, *decoder.both, etas) for (decoder, x), etas in zip(cases, levels, strict=True)]
    for x, weight, bias, etas in student.domain.replaced(*_noisy(student, rng, distance), *calls):
        found = student.loglik_vs_eta(x, weight, bias, etas)
        pairs.append((found, _log_p_scale(x, Decoder(weight, bias), etas)))
    return _joined(pairs, "log_p")


def _noisy(student, rng, distance):
    """Arguments of loglik_vs_eta for two calls of one size."""
    for decoder in _two(rng, _between(student, rng), singular=(0.3, 0.5)):
        yield _near(rng, decoder, distance), *decoder.both, _repeated(student, rng, "etas")


def off_manifold(student, rng):
    return _marginal(student, rng, 0.5)


def on_manifold(student, rng):
    return _marginal(student, rng, 0.0)


def example(student, rng):
    return {"agrees": student.example()}
