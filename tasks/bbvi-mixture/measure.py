"""What is measured of bbvi-mixture: formulas at given noise, and how far a fitted q is from p.

The target of a fit is drawn anew for every seed, and its constant is far from that which would
normalise it. KL(q ‖ p) is an integral over the components of q, each in its own units: no place
that q goes to lies off the grid.
"""

import numpy as np

COMPONENTS, K = 3, 2
MANY = 16
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


def density(student, rng):
    """Near the components, hundreds of σ away, and of components with ln σ = ±30 about 0."""
    q = _mixture(rng, 4, 3)
    near, far = rng.normal(0.0, 2.0, (30, 3)), rng.normal(0.0, 300.0, (5, 3))
    wide = rng.normal(size=2), np.zeros((2, 2)), np.array([[30.0, 30.0], [-30.0, -30.0]])
    spread = np.repeat(np.exp([[30.0], [-30.0]]), 5, axis=0) * rng.normal(size=(10, 2))
    pairs = [(np.concatenate([near, far]), q), (spread, wide)]
    return {
        "log_q": np.concatenate([student.log_q(z, *law) for z, law in pairs]),
        "log_q__scale": np.concatenate([_density(z, *law)[1] for z, law in pairs]),
    }


def sample(student, rng):
    """u inside the components and at both ends of [0, 1); the first one has no probability."""
    logits, mu, log_sigma = _mixture(rng, 5, K)
    logits[0] -= 800.0
    weights = np.exp(_log_softmax(logits))
    ends = np.cumsum(weights)
    chosen = rng.permutation(np.repeat(np.arange(1, 5), 8))
    u = ends[chosen - 1] + rng.uniform(0.02, 0.98, len(chosen)) * weights[chosen]
    u[chosen.argmin()], u[chosen.argmax()] = 0.0, 1 - 2.0**-53
    eps = rng.normal(size=(len(u), K))
    scale = np.abs(mu).max(0) + np.exp(log_sigma).max(0) * np.abs(eps)
    return {"z": student.sample_q(u, eps, logits, mu, log_sigma), "z__scale": scale}


def _ring(student, rng, z):
    """The target, and the sum [m] of the absolute terms of log p."""
    radius, width, constant = rng.uniform(1.0, 2.0), rng.uniform(0.5, 1.0), rng.uniform(5.0, 10.0)
    distance = np.sqrt((z**2).sum(1)) + radius
    given = student.given("ring", *map(np.array, (radius, width, constant)))
    return given, constant + (distance / width) ** 2 / 2


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


def _flat(arrays):
    return np.concatenate([array.reshape(-1) for array in arrays])


def gradient(student, rng):
    """By logits, μ and ln σ, one after another: [c + 2ck]."""
    q = _mixture(rng, COMPONENTS, K)
    z = _drawn(rng, MANY, *q)
    log_p, size = _ring(student, rng, z)
    weight = size + _density(z, *q)[1]
    scales = [np.einsum("m,m...->...", weight, part) / MANY for part in _score_scales(z, *q)]
    return {"grad": _flat(student.grad_bbvi(log_p, *q, z)), "grad__scale": _flat(scales)}


def control_variate(student, rng):
    """As above, with a component that is too far from all samples, and one that has one sample."""
    logits, mu, log_sigma = _mixture(rng, COMPONENTS + 2, K)
    mu[-2:] = rng.choice([-1.0, 1.0], (2, K)) * [[400.0], [800.0]]
    near = logits[:COMPONENTS], mu[:COMPONENTS], log_sigma[:COMPONENTS]
    z = _drawn(rng, MANY, *near)
    z[rng.integers(MANY)] = mu[-2] + np.exp(log_sigma[-2]) * rng.uniform(0.5, 1.5, K)
    log_p, size = _ring(student, rng, z)
    weight = size + _density(z, logits, mu, log_sigma)[1]
    scores = _score_scales(z, logits, mu, log_sigma)
    scales = [weight.max() * part.mean(0) for part in scores]
    found = student.grad_bbvi_cv(log_p, logits, mu, log_sigma, z)
    return {"grad": _flat(found), "grad__scale": _flat(scales)}


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
