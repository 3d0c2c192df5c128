"""What is measured of bbvi-mixture: formulas at given noise, and how far a fitted q is from p.

The target of a fit is drawn anew for every seed, and its constant is far from that which would
normalise it. KL(q ‖ p) is an integral over the components of q, each in its own units: no place
that q goes to lies off the grid.
"""

import numpy as np

COMPONENTS, K, MANY = 3, 2, 16
SPAN, STEPS = 10.0, 4000  # a component's grid, in its standard deviations
LOG_2PI = np.log(2 * np.pi)


def _log_softmax(logits):
    shifted = logits - logits.max()
    return shifted - np.log(np.exp(shifted).sum())


def _log_sum_exp(values):
    """Over the last axis."""
    top = values.max(-1)
    return top + np.log(np.exp(values - top[..., None]).sum(-1))


def _parts(z, logits, mu, log_sigma):
    """Logarithms [m, c] of the weighted densities, and the sum of their absolute terms."""
    log_w, sigma = _log_softmax(logits), np.exp(log_sigma)
    constants = (log_sigma + LOG_2PI / 2).sum(1)
    deviation = (z[:, None] - mu) / sigma
    size = (np.abs(z)[:, None] + np.abs(mu)) / sigma
    terms = (size**2 / 2 + np.abs(log_sigma) + LOG_2PI / 2).sum(2)
    log_parts = log_w - (deviation**2).sum(2) / 2 - constants
    return log_parts, terms + np.abs(log_w) + np.abs(logits).max()


def _density(z, logits, mu, log_sigma):
    """log q [m], its condition scale [m], the components' shares [m, c] and theirs."""
    log_parts, terms = _parts(z, logits, mu, log_sigma)
    value = _log_sum_exp(log_parts)
    share = np.exp(log_parts - value[:, None])
    scale = (share * terms).sum(1) + 1
    return value, scale, share, share * (1 + terms + scale[:, None])


def _mixture(rng, c, k):
    """Components that overlap; logits that aren't log-probabilities."""
    logits = rng.uniform(-1.0, 1.0, c) + rng.uniform(2.0, 4.0)
    return logits, rng.normal(0.0, 1.5, (c, k)), rng.uniform(-0.7, 0.7, (c, k))


def _drawn(rng, m, logits, mu, log_sigma):
    """Samples of q."""
    chosen = rng.choice(len(logits), m, p=np.exp(_log_softmax(logits)))
    return mu[chosen] + np.exp(log_sigma[chosen]) * rng.normal(size=(m, mu.shape[1]))


def _spread(rng):
    """A wide component and a narrow one about 0, ln σ = ±30, and samples of the size of either."""
    q = rng.normal(size=2), np.zeros((2, K)), np.array([[30.0] * K, [-30.0] * K])
    z = np.repeat(np.exp([[30.0], [-30.0]]), 5, axis=0) * rng.normal(size=(10, K))
    z[0] = rng.permutation([-1e14, 1e14])
    return q, z


def _sizes(student, rng, samples):
    """(m, c, k): every number of samples up to 12, every number of components, all dimensions.

    Beyond 12 numbers of samples are odd and no multiples of 5, so that a loop over chunks is left
    with a rest; three of everything come last.
    """
    (least, m), (_, c), (_, k) = (student.domain.sizes(axis) for axis in (samples, "c", "k"))
    odd = np.setdiff1d(np.arange(13, m, 2), np.arange(15, m, 10))
    numbers = [*range(least, 13), *rng.choice(odd, 4, replace=False)]
    widths = (rng.permutation(len(numbers)) % most + 1 for most in (c, k))
    return [*np.stack([numbers, *widths], axis=1).tolist(), (k, k, k)]


def _light(rng, student, c, k, m):
    """Samples of components far apart, of which all but one have no weight to speak of."""
    mu, log_sigma = student.domain.draw(rng, "mu", c, k), rng.uniform(-0.7, 0.7, (c, k))
    logits = student.domain.draw(rng, "logits", c)
    chosen = np.arange(m) % c
    return (logits, mu, log_sigma), mu[chosen] + np.exp(log_sigma[chosen]) * rng.normal(size=(m, k))


def _batches(student, rng, samples):
    """(q, samples) of all sizes; the last two are of one size, for :func:`_replaced`.

    One component of the first is so far from all samples that its share of them is about 1e-140:
    the squares of its scores are near the smallest numbers. In the second, where it is farther
    away, the squares are 0 and the scores are not.
    """
    (m, c, k), (m_most, c_most, k_most) = zip(
        *map(student.domain.sizes, (samples, "c", "k")), strict=True
    )
    logits, mu, log_sigma = _mixture(rng, 2, K)
    away = rng.choice([-1.0, 1.0]) * rng.uniform(24.5, 25.5)
    mu[1] = mu[0] + np.array([away, 0.0]) * np.exp(log_sigma[1])
    yield (logits, mu, log_sigma), mu[0] + 0.05 * rng.normal(size=(5, K))
    farther = mu.copy()
    farther[1, 0] += (np.sign(away) * 4.0) * np.exp(log_sigma[1, 0])
    yield (logits, farther, log_sigma), mu[0] + 0.05 * rng.normal(size=(5, K))
    yield _light(rng, student, 2, k_most, max(m, 2))
    yield _spread(rng)
    edges = (m, c, k), (3, c, k_most), (m_most, c_most, k)
    usual = (MANY, COMPONENTS, K)
    for rows, components, width in (*edges, *_sizes(student, rng, samples), usual, usual):
        q = _mixture(rng, components, width)
        yield q, _drawn(rng, rows, *q)


def density(student, rng):
    """Near the components, hundreds of σ away, and of components with ln σ = ±30 about 0."""
    q = _mixture(rng, 4, 3)
    near, far = rng.normal(0.0, 2.0, (30, 3)), rng.uniform(600.0, 1000.0, (5, 3))
    far *= rng.choice([-1.0, 1.0], far.shape)
    pairs = [(q, np.concatenate([near, far])), _light(rng, student, 4, 2, 8)]
    calls = [(z, *law) for law, z in (*pairs, *_batches(student, rng, "m"))]
    calls[-2:] = student.domain.replaced(*calls[-2:], alike="axes")
    return {
        "log_q": np.concatenate([student.log_q(*call) for call in calls]),
        "log_q__scale": np.concatenate([_density(*call)[1] for call in calls]),
    }


def _inside(rng, logits):
    """u well inside of the components that have a weight, and at both ends of [0, 1)."""
    weights = np.exp(_log_softmax(logits))
    likely = np.flatnonzero(weights)
    chosen = rng.permutation(np.repeat(likely, 8))
    begin = np.cumsum(weights) - weights
    u = begin[chosen] + rng.uniform(0.02, 0.98, len(chosen)) * weights[chosen]
    u[chosen.argmin()], u[chosen.argmax()] = 0.0, 1 - 2.0**-53
    return u


def _choices(student, rng):
    """(q, u): u inside the components, at both ends of [0, 1), and where one component ends.

    Weights of exactly 1/4 and of 0 make those ends exact; ten weights of 1/10 sum to less than 1.
    Of the first components one has a weight of 0, the next one of about 1e-13. The most components
    have logits from 800 down to -800, whose mean is far from the largest. Wide and narrow ones
    come in both orders, and u closer to ends than single precision is. Then all sizes. The last two
    are of the same; the weights of the second choose other components for the u of the first.
    """
    (_, c, k), (m_most, c_most, k_most) = zip(*map(student.domain.sizes, "mck"), strict=True)
    likely = _mixture(rng, 5, K)
    likely[0][:2] -= 750.0, 30.0
    yield likely, _inside(rng, likely[0])
    quarters = np.array([0.0, 0.0, -800.0, 0.0, 0.0]), *_mixture(rng, 5, k)[1:]
    yield quarters, np.array([0.0, 0.25, 0.5, 0.75, np.nextafter(0.5, 0)])
    tenths = np.full(c_most, 800.0), *_mixture(rng, c_most, k_most)[1:]
    yield tenths, rng.permutation([1 - 2.0**-53, *(np.arange(m_most - 1) % 10 / 10 + 0.05)])
    falling, *light = _light(rng, student, c_most, K, 1)[0]
    yield (np.sort(falling)[::-1].copy(), *light), rng.random(3)
    (logits, _, log_sigma), _ = _spread(rng)
    for widths in (log_sigma, log_sigma[::-1].copy()):
        mu = (np.exp(widths) * rng.normal(size=widths.shape)).clip(-1000, 1000)
        yield (logits, mu, widths), _inside(rng, logits)
    close = _mixture(rng, 5, K)
    ends = np.cumsum(np.exp(_log_softmax(close[0])))[:-1]
    yield close, np.concatenate([ends - 1e-9, ends + 1e-9])
    for rows, components, width in ((1, c, k), *_sizes(student, rng, "m")):
        yield _mixture(rng, components, width), rng.random(rows)
    logits, mu, log_sigma = _mixture(rng, COMPONENTS, K)
    yield (logits, mu, log_sigma), rng.permutation((np.arange(MANY) + rng.random(MANY)) / MANY)
    moved = logits + rng.choice([-2.0, 2.0]) * np.array([0.0, 1.0, -1.0])
    yield (moved, *_mixture(rng, COMPONENTS, K)[1:]), rng.random(MANY)


def sample(student, rng):
    """The noise of one sample of a call lies further out than noise usually does."""
    calls = []
    for (logits, mu, log_sigma), u in _choices(student, rng):
        eps = rng.normal(size=(len(u), mu.shape[1]))
        eps[0, 0] = rng.choice([-1.0, 1.0]) * rng.uniform(5, 6)
        calls.append((u, eps, logits, mu, log_sigma))
    found, scales = [], []
    calls[-2:] = student.domain.replaced(*calls[-2:], alike="axes")
    for u, eps, logits, mu, log_sigma in calls:
        found.append(student.sample_q(u, eps, logits, mu, log_sigma).ravel())
        ends = np.cumsum(np.exp(_log_softmax(logits)))
        i = np.minimum(np.searchsorted(ends, u, side="right"), len(logits) - 1)
        scales.append((np.abs(mu[i]) + np.exp(log_sigma[i]) * np.abs(eps)).ravel())
    return {"z": np.concatenate(found), "z__scale": np.concatenate(scales)}


def _rings(student, rng, count):
    """Parameters of so many targets: radius, width and constant, the ends of each among them."""
    names = "ring.radius", "ring.width", "ring.constant"
    return zip(*(student.domain.draw(rng, name, count) for name in names), strict=True)


def _size(z, radius, width, constant):
    """The sum [m] of the absolute terms of log p."""
    return np.abs(constant) + ((np.sqrt((z**2).sum(1)) + radius) / width) ** 2 / 2


def _score_scales(z, logits, mu, log_sigma):
    """[m, c], [m, c, k], [m, c, k]: condition scales of the scores of every sample."""
    *_, share = _density(z, logits, mu, log_sigma)
    weights = np.exp(_log_softmax(logits)) * (1 + 2 * np.abs(logits).max())
    size = (np.abs(z)[:, None] + np.abs(mu)) / np.exp(log_sigma)
    return (
        share + weights,
        share[..., None] * size / np.exp(log_sigma),
        share[..., None] * (1 + size**2),
    )


def _scores(z, logits, mu, log_sigma):
    """The scores of every sample, [m, c], [m, c, k] and [m, c, k]."""
    *_, share, _ = _density(z, logits, mu, log_sigma)
    deviation = (z[:, None] - mu) / np.exp(log_sigma)
    by_log_sigma = share[..., None] * (deviation**2 - 1)
    by_mu = share[..., None] * deviation / np.exp(log_sigma)
    return share - np.exp(_log_softmax(logits)), by_mu, by_log_sigma


def _cancellation(h):
    """How much exactness is lost where a sample's square is taken away from the sum of all."""
    total, own = (h**2).sum(0), h**2
    rest = np.stack([np.delete(own, j, axis=0).sum(0) for j in range(len(h))])
    return np.divide(total, rest, out=np.ones_like(rest), where=rest > 0).max(0)


def _flat(arrays):
    return np.concatenate([array.reshape(-1) for array in arrays])


def _estimates(student, rng, function, batches, scales_of):
    """The gradients of every batch by logits, μ and ln σ, one after another: [c + 2ck] of each.

    The last two batches are replaced, one argument after another.
    """
    rings = _rings(student, rng, len(batches))
    calls = [(ring, *q, z) for (q, z), ring in zip(batches, rings, strict=True)]
    found, scales = [], []
    for ring, *q, z in [*calls[:-2], *student.domain.replaced(*calls[-2:], alike="axes")]:
        found += function(student.given("ring", *map(np.array, ring)), *q, z)
        scales += scales_of(_size(z, *ring) + _density(z, *q)[1], z, q)
    return {"grad": _flat(found), "grad__scale": _positive(_flat(scales))}


def gradient(student, rng):
    def scales(weight, z, q):
        return [np.einsum("m,m...->...", weight, h) / len(z) for h in _score_scales(z, *q)]

    batches = list(_batches(student, rng, "m"))
    return _estimates(student, rng, student.grad_bbvi, batches, scales)


def _positive(scales):
    """Entries of components that are too far from all samples are 0, exactly."""
    return np.where(scales > 0, scales, 1.0)


def _lonely(rng):
    """A component that is too far from all samples, and one that has one sample."""
    logits, mu, log_sigma = _mixture(rng, COMPONENTS + 2, K)
    mu[-2:] = rng.choice([-1.0, 1.0], (2, K)) * [[400.0], [800.0]]
    near = logits[:COMPONENTS], mu[:COMPONENTS], log_sigma[:COMPONENTS]
    z = _drawn(rng, MANY, *near)
    z[rng.integers(MANY)] = mu[-2] + np.exp(log_sigma[-2]) * rng.uniform(0.5, 1.5, K)
    return (logits, mu, log_sigma), z


def control_variate(student, rng):
    """As above from two samples on, and with a component that has one sample or none."""

    def scales(weight, z, q):
        pairs = zip(_score_scales(z, *q), _scores(z, *q), strict=True)
        return [weight.max() * size.mean(0) * _cancellation(h) for size, h in pairs]

    batches = [_lonely(rng), *_batches(student, rng, "n")]
    return _estimates(student, rng, student.grad_bbvi_cv, batches, scales)


def example(student, rng):
    del rng
    return {"agrees": student.example()}


def _target(rng):
    """Weights, centres and scales [2] of the modes; one of them has at least 0.7 of the mass."""
    light = rng.uniform(0.2, 0.3)
    weights = rng.permutation([light, 1 - light])
    centres = rng.uniform(-1.0, 1.0) + rng.uniform(2.5, 3.5) * np.array([-1.0, 1.0])
    return weights, centres, rng.uniform(0.2, 0.35, 2)


def _log_target(z, weights, centres, scales):
    """log p [m] of z [m], normalised."""
    y = np.abs(z[:, None] - centres) / scales
    return _log_sum_exp(np.log(weights / scales) - y - 2 * np.log1p(np.exp(-y)))


def _kl(q, target):
    """KL(q ‖ p) in nats: Σ_i w_i ∫ N(z; μ_i, σ_i²) (log q - log p) dz; NaN for a q that isn't."""
    logits, mu, log_sigma = (parameter.reshape(-1) for parameter in q)
    u = np.linspace(-SPAN, SPAN, STEPS + 1)
    law = np.exp(-(u**2) / 2)
    law /= law.sum()
    with np.errstate(all="ignore"):
        total = 0.0
        for log_w, m, s in zip(_log_softmax(logits), mu, log_sigma, strict=True):
            z = m + np.exp(s) * u
            log_q, *_ = _density(z[:, None], logits, mu[:, None], log_sigma[:, None])
            total += np.exp(log_w) * (law @ (log_q - _log_target(z, *target)))
    return np.float64(total)


def learn(student, rng):
    """One seed: KL(q ‖ p) of a q with two components, and that of one with one above its mode's.

    A single Gaussian that lies in a mode of weight w has a KL of about ln(1/w).
    """
    target = weights, centres, scales = _target(rng)
    constant = np.array(rng.choice([-1.0, 1.0]) * rng.uniform(20.0, 40.0))
    log_p = student.given("two_modes", np.log(weights), centres, scales, constant)
    mixture, single = (student.fit(log_p, c, student.generator()) for c in (2, 1))
    mode = np.abs(single[1].item() - centres).argmin()
    kl_mixture, kl_single = _kl(mixture, target), _kl(single, target)
    above = kl_single + np.log(weights[mode])
    return {
        "excess": np.maximum(kl_mixture, above),
        "kl_mixture": kl_mixture,
        "kl_single": kl_single,
        "above_mode": above,
    }
