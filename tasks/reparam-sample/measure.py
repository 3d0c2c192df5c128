"""What is measured of reparam-sample: samples and gradients from given noise, then own draws.

The scale S of a value is the sum of the absolute terms of its formula, from the inputs alone.
Values are returned in units of S, so that a σ of 1e13 and one of 1e-13 count alike.
"""

import numpy as np

# the smallest and the largest of every axis, odd and even ones, and one size twice, so that
# nothing kept from the first call goes unnoticed
SIZES = ((1, 1, 1), (3, 4, 2), (1, 3, 8), (2, 200, 1), (4000, 1, 1), (3, 4, 2))
REPLICATES = 4  # calls that differ in their generator only
CUT = 4e6  # between 20 and 37 library softplus may cut to the identity, which is off by 2e-9


def _gaussians(domain, rng, b, k):
    return domain.draw(rng, "mu", b, k), domain.draw(rng, "log_sigma", b, k)


def _inputs(domain, rng, m, b, k):
    return *_gaussians(domain, rng, b, k), domain.draw(rng, "eps", m, b, k)


def _in_units(name, found, scales):
    """All values in one row, each in units of its scale."""
    rows = [(np.stack(f) / np.stack(s)).ravel() for f, s in zip(found, scales, strict=True)]
    values = np.concatenate(rows)
    return {name: values, f"{name}__scale": np.ones_like(values)}


def given_noise(student, rng):
    found, scales = [], []
    for m, b, k in SIZES:
        mu, log_sigma, eps = _inputs(student.domain, rng, m, b, k)
        found.append(student.rsample(mu, log_sigma, eps))
        scales.append(np.abs(mu) + np.exp(log_sigma) * np.abs(eps))
    return _in_units("z", found, scales)


def given_noise_gradient(student, rng):
    found, scales = [], []
    for m, b, k in SIZES:
        mu, log_sigma, eps = _inputs(student.domain, rng, m, b, k)
        cotangent = rng.normal(size=eps.shape)
        found.append(student.vjp("rsample", (mu, log_sigma, eps), (0, 1), cotangent))
        size = np.abs(cotangent)
        scales.append([size.sum(0), (size * np.abs(eps)).sum(0) * np.exp(log_sigma)])
    return _in_units("grad", found, scales)


def backward(student, rng):
    found, scales = [], []
    for m, b, k in SIZES:
        _, log_sigma, eps = _inputs(student.domain, rng, m, b, k)
        zbar = student.domain.draw(rng, "zbar", m, b, k)
        found.append(student.backward_rule(zbar, eps, log_sigma))
        by_sigma = np.abs(zbar * eps).sum(0)
        scales.append([np.abs(zbar).sum(0), by_sigma, by_sigma * np.exp(log_sigma)])
    return _in_units("bars", found, scales)


def _sigmas(student, raw):
    """Both maps and their slopes at raw: [4, b, k]."""
    ones = np.ones_like(raw)
    values = [student.sigma_exp(raw), student.sigma_softplus(raw)]
    slopes = [student.vjp(name, (raw,), (0,), ones)[0] for name in ("sigma_exp", "sigma_softplus")]
    return np.stack(values + slopes)


def sigma_values(student, rng):
    """Where no formula under- or overflows; the logarithm of 1 + e^raw is off by eps·1."""
    found, scales = [], []
    sizes = ((1, 1), (20, 3), (1, 8), (200, 1), (20, 3))
    for raw in [np.zeros((1, 1)), *(rng.uniform(-4.0, 4.0, size) for size in sizes)]:
        width = 1 + np.abs(raw)
        found.append(_sigmas(student, raw))
        by_exp = np.exp(raw) * width
        scales.append([by_exp, width, by_exp, width * np.exp(np.minimum(raw, 0))])
    return _in_units("sigma", found, scales)


def sigma_range(student, rng):
    """Beyond ±4 values and slopes are taken in units of their size, so that zero is wrong."""
    ends = np.array([-50.0, -37.0, -20.0, -10.0, -4.0, 4.0, 10.0, 20.0, 37.0, 50.0])
    raw = rng.uniform(ends[:-1, None], ends[1:, None], (len(ends) - 1, 5))
    edges = student.domain.draw(rng, "raw", 2)
    raw = np.concatenate([np.delete(raw, 4, axis=0).ravel(), edges])
    found, scales = [], []
    for rows in (raw[:, None], rng.permutation(raw).reshape(-1, 6)):
        softplus, slope = np.maximum(rows, 0) + np.exp(-np.abs(rows)), np.exp(np.minimum(rows, 0))
        size = np.stack([np.exp(rows), softplus, np.exp(rows), slope])
        found.append(_sigmas(student, rows) / size)
        width = np.broadcast_to(1 + np.abs(rows), size.shape).copy()
        width[1::2, (rows > 20) & (rows < 37)] = CUT
        scales.append(width)
    return _in_units("sigma", found, scales)


def _column(student, rng, n, size):
    """The noise behind n draws from calls of one size, one after the other: [n].

    A size without m stands for four calls that share n.
    """
    m, b, k = size
    m = m or n // (REPLICATES * b * k)
    (mu, log_sigma), calls = _gaussians(student.domain, rng, b, k), -(-n // (m * b * k))
    mu = np.where(log_sigma < -10, 0.0, mu)  # beside a large μ nothing is left of a small σ
    found = student.independent("sample", mu, log_sigma, m, replicates=calls)
    return ((np.concatenate(found) - mu) / np.exp(log_sigma)).ravel()[:n]


def own_noise(student, rng, n):
    """The noise behind n draws, recovered from them: [n, 8].

    Four columns are the coordinates of a batch of two rows, whose calls follow each other, so
    that lags run over draws and over calls. In each of the others all entries of calls of one size
    follow each other, so that lags run over dimensions and rows, too.
    """
    sign = rng.choice([-1.0, 1.0], (2, 2))
    mu, log_sigma = rng.normal(0.0, 2.0, (2, 2)), sign * rng.uniform(0.5, 1.5, (2, 2))
    calls = student.independent("sample", mu, log_sigma, n // REPLICATES, replicates=REPLICATES)
    coordinates = ((np.concatenate(calls) - mu) / np.exp(log_sigma)).reshape(n, -1)
    sizes = ((1, 200, 8), (2, 200, 4), (0, 1, 8), (0, 5, 1))
    columns = [_column(student, rng, n, size) for size in sizes]
    noise = np.column_stack([coordinates, *columns])
    return {
        "noise": noise,
        "noise__expected": np.zeros(noise.shape[1]),
        "noise__scale": np.ones(noise.shape[1]),
        "excess": noise**2 - 1,
        "excess__expected": np.zeros(noise.shape[1]),
        "excess__scale": np.full(noise.shape[1], np.sqrt(2)),
    }


def own_noise_gradient(student, rng):
    """Gradients of draws, and whether their noise is more than float32.

    That by μ is the same for every noise: the cotangent, summed over the samples. That by ln σ is
    the cotangent times what the noise adds to μ, which the draws of the same generator show.
    """
    found, scales = [], []
    for m, b, k in ((1, 1, 1), (5, 3, 2), (2, 1, 8), (1, 200, 3), (4000, 1, 1), (5, 3, 2)):
        mu, log_sigma = _gaussians(student.domain, rng, b, k)
        cotangent = rng.normal(size=(m, b, k))
        args = (mu, log_sigma, m, student.generator())
        by_mu, by_log_sigma = student.vjp("sample", args, (0, 1), cotangent)
        added = (cotangent * (student.sample(*args) - mu)).sum(0)
        found.append([by_mu, by_log_sigma - added])
        size = np.abs(cotangent).sum(0)
        scales.append([size, size * (np.abs(mu) + 8 * np.exp(log_sigma))])
    metrics = _in_units("grad", found, scales)
    plain = student.sample(np.zeros((3, 2)), np.zeros((3, 2)), 20, student.generator())
    coarse = np.mean(plain == plain.astype(np.float32))
    return {name: np.append(row, 1.0 if "__" in name else coarse) for name, row in metrics.items()}


def example(student, rng):
    return {"agrees": student.example()}
