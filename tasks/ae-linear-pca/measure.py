"""What is measured of ae-linear-pca: rows, losses and steps for given weights, and optima.

The optimum has no unique u and v, so what is compared is what they make of rows. Scales count the
absolute terms; those of an optimum are widened by how far rounding can turn its subspace, which is
the size of the data by the gap between the eigenvalues that are kept and those that are not.
"""

import numpy as np

#: (n, d, k), by the sizes of the domain: odd and even, k below, at and above d, n below d.
SHAPES = ((13, 4, 4), (2, 1, 1), (300, 8, 3), (7, 3, 10), (3, 6, 5), (41, 5, 2), (2, 7, 4))
LEAST_RATE = 1e-4  # of the domain
STEPS = 4.0  # what a step may make of a rounding
#: A perturbation E of the covariance turns the projector by √2 ‖E‖ / gap; both programs have one.
#: E is some d roundings of the covariance, and so far are d eigenvectors from orthonormal.
TURN = 2 * np.sqrt(2)


def _moments(x):
    """Mean [d], covariance [d d] with 1/n, and what its entries are sums of, rounded deviations."""
    mean = x.mean(axis=0)
    centred = x - mean
    covariance = centred.T @ centred / len(x)
    variance = float(np.trace(covariance))
    return mean, covariance, variance + np.abs(x).max() * np.sqrt(variance)


def _weights(student, rng, d, k):
    """A mean, u and v from all of their ranges."""
    draw = student.domain.draw
    return draw(rng, "mean", d), draw(rng, "u", d, k), draw(rng, "v", k, d)


def _rebuilt(x, mean, u, v):
    """The reconstruction of rows by weights that a program returned, whatever they hold."""
    with np.errstate(all="ignore"):
        return mean + (x - mean) @ v.T @ u.T


def _row_scale(x, mean, u, v):
    return np.abs(mean) + (np.abs(x) + np.abs(mean)) @ np.abs(v).T @ np.abs(u).T


def _elongated(rng, n, d):
    """Rows whose covariance has well separated eigenvalues, and as many as n and d allow: [n d]."""
    rank = min(n - 1, d)
    left = rng.normal(size=(n, rank))
    left, _ = np.linalg.qr(left - left.mean(axis=0))
    right, _ = np.linalg.qr(rng.normal(size=(d, rank)))
    sizes = 1.2 * 0.75 ** np.arange(rank) * rng.uniform(0.9, 1.1, rank)
    return rng.uniform(-2.0, 2.0, d) + np.sqrt(n) * left * sizes @ right.T


def _gap(values, k):
    """The gap between the eigenvalues that are kept and the others; infinite where all are kept."""
    rank = int((values > 1e-9 * values[0]).sum())
    return np.inf if k >= rank else values[k - 1] - values[k]


def example(student, rng):
    return {"agrees": student.example()}


def reconstructions(student, rng):
    """Rows for weights from all of their ranges; u is not v transposed."""
    found, scales = [], []
    for n, d, k in SHAPES:
        x = student.domain.draw(rng, "x", n, d)
        mean, u, v = _weights(student, rng, d, k)
        found.append(student.reconstruct(x, mean, u, v).ravel())
        scales.append(_row_scale(x, mean, u, v).ravel())
    return {"rows": np.concatenate(found), "rows__scale": np.concatenate(scales)}


def losses(student, rng):
    """Losses of all sizes, of rows as they are and of rows near their reconstruction."""
    found, scales = [], []
    for n, d, k in SHAPES:
        x = student.domain.draw(rng, "x", n, d)
        mean, u, v = _weights(student, rng, d, k)
        for shrunk in (1.0, 0.01):
            found.append(student.loss(x, mean, shrunk * u, v))
            size = np.abs(x) + _row_scale(x, mean, shrunk * u, v)
            scales.append((size**2).sum(axis=1).mean())
    return {"loss": np.array(found), "loss__scale": np.array(scales)}


def _slopes(x, mean, u, v):
    """Sums of the absolute terms of dL/du and dL/dv."""
    error = np.abs(x) + _row_scale(x, mean, u, v)
    centred = np.abs(x) + np.abs(mean)
    outer = 2 * error.T @ centred / len(x)
    return outer @ np.abs(v).T, np.abs(u).T @ outer


def _rates(student, rng, count):
    """Learning rates from all of their range, both ends among them."""
    rates = student.domain.draw(rng, "learning_rate", count)
    return [float(rate) for rate in rates]


def _settings(student, rng):
    """(x, mean, u, v, rate) of all shapes; and of one of them with each argument changed alone."""
    rates = _rates(student, rng, len(SHAPES))
    for (n, d, k), rate in zip(SHAPES, rates, strict=True):
        one, other = (
            (student.domain.draw(rng, "x", n, d), *_weights(student, rng, d, k), each)
            for each in (rate, rate / 2 + LEAST_RATE / 2)
        )
        yield one
        if (n, d, k) == SHAPES[0]:
            for place in range(len(one)):
                yield *one[:place], other[place], *one[place + 1 :]


def steps(student, rng):
    """u and v after one step."""
    found, scales = [], []
    for x, mean, u, v, rate in _settings(student, rng):
        found += [part.ravel() for part in student.step(x, mean, u, v, rate)]
        slopes = _slopes(x, mean, u, v)
        sizes = [np.abs(old) + rate * slope for old, slope in zip((u, v), slopes, strict=True)]
        scales += [size.ravel() for size in sizes]
    return {"weights": np.concatenate(found), "weights__scale": STEPS * np.concatenate(scales)}


def tied_steps(student, rng):
    """v after one step, v standing in both places."""
    found, scales = [], []
    for x, mean, _, v, rate in _settings(student, rng):
        found.append(student.tied_step(x, mean, v, rate).ravel())
        decoder, encoder = _slopes(x, mean, v.T, v)
        scales.append((np.abs(v) + rate * (decoder.T + encoder)).ravel())
    return {"weights": np.concatenate(found), "weights__scale": STEPS * np.concatenate(scales)}


def spectra(student, rng):
    """Eigenvalues, of rows fewer than dimensions as well, and of rows far from the origin."""
    found, scales = [], []
    for n, d, _ in SHAPES:
        rows = [student.domain.draw(rng, "x", n, d), _elongated(rng, n, d)]
        rows.append(np.clip(rows[1] / 4 + rng.choice([-8.0, 8.0], d), -10.0, 10.0))
        for x in rows:
            found.append(student.spectrum(x))
            scales.append(np.full(d, d * _moments(x)[2]))
    return {"eigenvalues": np.concatenate(found), "eigenvalues__scale": np.concatenate(scales)}


def projections(student, rng):
    """Variances along any directions, neither of length 1 nor at right angles."""
    found, scales = [], []
    for n, d, k in SHAPES:
        x = student.domain.draw(rng, "x", n, d)
        q = student.domain.draw(rng, "q", d, k)
        found.append(student.projected_variance(x, q))
        size = (np.abs(x) + np.abs(x.mean(axis=0))) @ np.abs(q)
        scales.append((size**2).sum(axis=1).mean())
    return {"variance": np.array(found), "variance__scale": np.array(scales)}


def equivalence(student, rng):
    """loss(Q, Qᵀ) + projected_variance(Q) - tr C for orthonormal Q, at any of which it is zero."""
    residual, scales = [], []
    for n, d, k in SHAPES:
        x = student.domain.draw(rng, "x", n, d)
        q, _ = np.linalg.qr(rng.normal(size=(d, min(k, d))))
        mean, covariance, size = _moments(x)
        total = student.loss(x, mean, q, q.T.copy()) + student.projected_variance(x, q)
        residual.append(total - np.trace(covariance))
        scales.append(8 * d * size)
    return {"residual": np.array(residual), "residual__scale": np.array(scales)}


def fits(student, rng):
    """What the best mean, u and v make of their own rows and, where those determine it, of others.

    Every k from 1 to two more than d at one size, and all sizes of the domain.
    """
    own, own_scales, other, other_scales = [], [], [], []
    shapes = [*SHAPES, *((12, 5, k) for k in range(1, 8)), (2, 8, 1), (300, 2, 1)]
    for n, d, k in shapes:
        for x in (_elongated(rng, n, d), student.domain.draw(rng, "x", n, d)):
            mean, u, v = student.fit(x, k)
            if u.shape != (d, k) or v.shape != (k, d):
                student.refuse(f"fit gave u {u.shape}, v {v.shape}; expected {(d, k)}, {(k, d)}")
            centre, covariance, size = _moments(x)
            values = np.linalg.eigvalsh(covariance)[::-1]
            turn = 1 + d * (1 + TURN * size / _gap(values, k))
            own.append(_rebuilt(x, mean, u, v).ravel())
            reach = np.sqrt((x**2).sum(axis=1, keepdims=True)) + np.abs(centre).sum()
            own_scales.append((turn * reach * np.ones(d)).ravel())
            if n <= d:
                continue
            rows = rng.normal(0.0, 3.0, (3, d))
            other.append(_rebuilt(rows, mean, u, v).ravel())
            reach = np.sqrt((rows**2).sum(axis=1, keepdims=True)) + np.abs(centre).sum()
            other_scales.append((turn * reach * np.ones(d)).ravel())
    return {
        "rows": np.concatenate(own),
        "rows__scale": np.concatenate(own_scales),
        "elsewhere": np.concatenate(other),
        "elsewhere__scale": np.concatenate(other_scales),
    }
