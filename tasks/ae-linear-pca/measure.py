"""What is measured of ae-linear-pca: rows, losses and steps for given weights, and optima.

The optimum has no unique u and v, so what is compared is what they make of rows. Scales count the
absolute terms; those of an optimum are widened by how far rounding can turn its subspace, which is
the rounding of the covariance by the gap between the eigenvalues that are kept and those that are
not; where all that differ from zero are kept, the gap to zero.
"""

import itertools

import numpy as np

LEAST_RATE = 1e-4  # of the domain
STEPS = 4.0  # what a step may make of a rounding
TINY = 1e-10  # the smallest share of an eigenvalue that a fit has to keep
#: A perturbation E of the covariance turns the projector onto the subspace by ‖E‖ / (gap - ‖E‖) at
#: most (Davis and Kahan), which is 2 ‖E‖ / gap where it is less than 1; both programs have one.
TURN = 4.0


def _moments(x):
    """Mean [d], covariance [d d] with 1/n, and what its entries are sums of, rounded deviations."""
    mean = x.mean(axis=0)
    centred = x - mean
    covariance = centred.T @ centred / len(x)
    variance = float(np.trace(covariance))
    return mean, covariance, variance + np.abs(x).max() * np.sqrt(variance)


def _roundings(n, d):
    """How many roundings a covariance is off by, of the size that ``_moments`` gives.

    The decomposition of a d by d matrix makes d, a running sum of n terms the root of n. Means are
    such sums, and eigenvectors are that far from orthonormal.
    """
    return d + np.sqrt(n)


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


def _elongated(rng, n, d, rank=None, ratio=0.75):
    """Rows whose covariance has well separated eigenvalues, and as many as n and d allow: [n d].

    `rank` is their number where it is less, `ratio` the square root of that of successive ones.
    """
    rank = min(n - 1, d, rank or d)
    left = rng.normal(size=(n, rank))
    left, _ = np.linalg.qr(left - left.mean(axis=0))
    right, _ = np.linalg.qr(rng.normal(size=(d, rank)))
    sizes = 1.2 * ratio ** np.arange(rank) * rng.uniform(0.9, 1.1, rank)
    return rng.uniform(-2.0, 2.0, d) + np.sqrt(n) * left * sizes @ right.T


def _shapes(student, rng):
    """(n, d, k) with every d and every k, in an order of its own.

    n goes round: as many rows as dimensions, as numbers in a code, fewer than dimensions, the most,
    and any number of rows, most of them no multiple of ten.
    """
    domain = student.domain
    least, most = domain.sizes("n")
    pairs = itertools.product(*(range(1, domain.sizes(axis)[1] + 1) for axis in ("d", "k")))
    every = rng.permutation(list(pairs)).tolist()
    for place, (d, k) in enumerate(every):
        n = (d, k, (d + 1) // 2, most, *rng.integers(least, most + 1, 3).tolist())[place % 7]
        yield max(n, least), d, k


def _gap(values, k, rank):
    """The gap between the eigenvalues that are kept and those that are not.

    Where all are kept it is the smallest, by whose root a program may divide: eigenvectors of the
    matrix of inner products of rows have to be brought to length 1.
    """
    kept = min(k, rank)
    return values[kept - 1] - (values[kept] if kept < rank else 0.0)


def _alike(student, rng):
    """x, mean, u, v where numbers repeat: [7 5], [5], [5 4], [4 5].

    Three rows are the same and two others, two columns are the same and one is zero, the last row
    is the mean; u and v have two columns and rows that are the same, and each one of zeros.
    """
    x = student.domain.draw(rng, "x", 4, 5)[[0, 0, 0, 1, 1, 2, 3]]
    mean, u, v = _weights(student, rng, 5, 4)
    for columns in (x.T, mean):
        columns[1], columns[2] = columns[0], 0.0
    x[-1] = mean
    u[:, 1], v[1], u[:, 2], v[3] = u[:, 0], v[0], 0.0, 0.0
    return x, mean, u, v


def _round(rng):
    """Rows [10 5] of exactly the same variance along three axes, of less and of none along two."""
    sizes = rng.permutation([4.0, 4.0, 4.0, 1.0, 0.0])
    return np.concatenate([np.diag(sizes), -np.diag(sizes)])


def example(student, rng):
    return {"agrees": student.example()}


def _settings(student, rng):
    """(x, mean, u, v, rate) of all shapes; each argument changed alone; equal numbers; the ends.

    At the ends all signs agree, so that the numbers of a code are as large as they can be.
    """
    shapes = list(_shapes(student, rng))
    rates = student.domain.draw(rng, "learning_rate", len(shapes))
    for (n, d, k), rate in zip(shapes, rates.tolist(), strict=True):
        yield student.domain.draw(rng, "x", n, d), *_weights(student, rng, d, k), rate
    n, d, k = 13, 5, 3
    one, other = (
        (student.domain.draw(rng, "x", n, d), *_weights(student, rng, d, k), rate)
        for rate in (0.01, 0.003)
    )
    domain = student.domain
    yield from domain.replaced(one, other, alike="axes")
    yield *_alike(student, rng), 0.01
    d, k = (student.domain.sizes(axis)[1] for axis in ("d", "k"))
    ends = np.full((3, d), 10.0), np.full(d, -10.0), np.full((d, k), 3.0), np.full((k, d), 3.0)
    yield *ends, LEAST_RATE
    yield *(-part for part in ends), LEAST_RATE


def reconstructions(student, rng):
    """Rows for weights from all of their ranges; u is not v transposed."""
    found, scales = [], []
    for x, mean, u, v, _ in _settings(student, rng):
        found.append(student.reconstruct(x, mean, u, v).ravel())
        scales.append(_row_scale(x, mean, u, v).ravel())
    return {"rows": np.concatenate(found), "rows__scale": np.concatenate(scales)}


def losses(student, rng):
    """Losses of all sizes, of rows as they are and of rows near their reconstruction."""
    found, scales = [], []
    for x, mean, u, v, _ in _settings(student, rng):
        for shrunk in (u, 0.01 * u):
            found.append(student.loss(x, mean, shrunk, v))
            size = np.abs(x) + _row_scale(x, mean, shrunk, v)
            scales.append((size**2).sum(axis=1).mean())
    return {"loss": np.array(found), "loss__scale": np.array(scales)}


def _slopes(x, mean, u, v):
    """Sums of the absolute terms of dL/du and dL/dv."""
    error = np.abs(x) + _row_scale(x, mean, u, v)
    centred = np.abs(x) + np.abs(mean)
    outer = 2 * error.T @ centred / len(x)
    return outer @ np.abs(v).T, np.abs(u).T @ outer


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


def _another_row(rng, x):
    """The same rows but for one, which is not the first where there are more."""
    changed = x.copy()
    changed[int(rng.integers(min(1, len(x) - 1), len(x)))] *= -0.5
    return changed


def spectra(student, rng):
    """Eigenvalues of data of every kind.

    Rows fewer than dimensions, a few eigenvalues that are zero or very small, rows far from the
    origin, and rows of which one has changed; rows, columns and eigenvalues that are the same.
    """
    found, scales = [], []

    def ask(x):
        found.append(student.spectrum(x))
        scales.append(np.full(x.shape[1], _roundings(*x.shape) * _moments(x)[2]))

    for n, d, k in _shapes(student, rng):
        rows = [student.domain.draw(rng, "x", n, d), _elongated(rng, n, d, k, 0.2)]
        rows.append(rows[1] / 300 + rng.choice([-9.0, 9.0], d))
        rows.append(_another_row(rng, rows[0]))
        for x in rows:
            ask(x)
    ask(_alike(student, rng)[0])
    ask(_round(rng))
    return {"eigenvalues": np.concatenate(found), "eigenvalues__scale": np.concatenate(scales)}


def projections(student, rng):
    """Variances along any directions, neither of length 1 nor at right angles.

    Among the rows are some that are far from the origin and near each other. A projection is a sum
    of d terms, a variance one of n; whether rows are projected or centred first is free. At last
    rows and directions that are the same.
    """
    found, scales = [], []

    def ask(rows, along):
        found.append(student.projected_variance(rows, along))
        size = np.abs(rows - rows.mean(axis=0)) @ np.abs(along)
        rounded = np.abs(rows).max() * np.abs(along).sum(axis=0)
        terms = (size * (size + 2 * rounded)).sum(axis=1).mean()
        scales.append(_roundings(*rows.shape) * terms)

    for n, d, k in _shapes(student, rng):
        x = student.domain.draw(rng, "x", n, d)
        q = student.domain.draw(rng, "q", d, k)
        far = _elongated(rng, n, d, k) / 1e5 + rng.choice([-9.0, 9.0], d)
        for rows, along in ((x, q), (_another_row(rng, x), q), (x, q / 2), (far, q)):
            ask(rows, along)
    x, _, u, _ = _alike(student, rng)
    ask(x, u / 3)
    ask(_round(rng), u / 3)
    return {"variance": np.array(found), "variance__scale": np.array(scales)}


def equivalence(student, rng):
    """loss(Q, Qᵀ) + projected_variance(Q) - tr C for orthonormal Q, at any of which it is zero."""
    residual, scales = [], []
    for n, d, k in _shapes(student, rng):
        x = student.domain.draw(rng, "x", n, d)
        q, _ = np.linalg.qr(rng.normal(size=(d, min(k, d))))
        mean, covariance, size = _moments(x)
        total = student.loss(x, mean, q, q.T.copy()) + student.projected_variance(x, q)
        residual.append(total - np.trace(covariance))
        scales.append(8 * d * size)
    return {"residual": np.array(residual), "residual__scale": np.array(scales)}


def _spectra_to_fit(student, rng, n, d, k):
    """Any rows, for k and for another k; all but one of them; separated eigenvalues; few of them.

    With each, its k and how many eigenvalues are not zero. The last have a mean that is nearly
    zero, and their smallest eigenvalue is in every other case a tiny share of the largest.
    """
    most, fewer = min(n - 1, d), max(1, d - 1 - k % 2)
    drawn = student.domain.draw(rng, "x", n, d)
    yield drawn, k, most
    yield drawn, k % student.domain.sizes("k")[1] + 1, most
    yield _another_row(rng, drawn), k, most
    yield _elongated(rng, n, d), k, most
    rank = min(most, fewer)
    ratio = TINY ** (0.5 / max(1, rank - 1)) if (d + k) % 2 else 0.3
    x = _elongated(rng, n, d, rank, ratio)
    shift = 10 ** rng.uniform(-8.0, -2.0) * rng.choice([-1.0, 1.0], d)
    yield x - x.mean(axis=0) + shift, k, rank


def _fits(student, rng):
    """(x, k, rank): those of all shapes, and two where rows, or eigenvalues, are the same."""
    for n, d, given in _shapes(student, rng):
        yield from _spectra_to_fit(student, rng, n, d, given)
    yield _elongated(rng, 5, 3)[[0, 0, 0, 1, 1, 2, 3, 4]], 2, 3
    yield _round(rng), 3, 4


def fits(student, rng):
    """What the best weights make of their own rows and, where those determine it, of others.

    They do where no direction of variance zero is kept, or all have some. After its own rows comes
    the loss, which is flat at the optimum: it shows a direction that was left out, however small
    its variance, and hides how rounding turns those that were kept.
    """
    own, own_scales, other, other_scales = [], [], [], []
    for x, k, rank in _fits(student, rng):
        n, d = x.shape
        mean, u, v = student.fit(x, k)
        if u.shape != (d, k) or v.shape != (k, d):
            student.refuse(f"fit gave u {u.shape}, v {v.shape}; expected {(d, k)}, {(k, d)}")
        _, covariance, size = _moments(x)
        values = np.linalg.eigvalsh(covariance)[::-1]
        far = np.abs(x).max() * np.sqrt(d)
        turn = _roundings(n, d) * (1 + TURN * size / _gap(values, k, rank))
        rebuilt, scale = _compared(x, (mean, u, v), far, turn)
        with np.errstate(all="ignore"):
            reached = ((x.ravel() - rebuilt) ** 2).sum() / n
        own += [rebuilt, [reached]]
        own_scales += [scale, [_roundings(n, d) * size]]
        if k <= rank or rank == d:
            rows = rng.normal(0.0, 3.0, (3, d))
            rebuilt, scale = _compared(rows, (mean, u, v), far, turn)
            other.append(rebuilt)
            other_scales.append(scale)
    return {
        "rows": np.concatenate(own),
        "rows__scale": np.concatenate(own_scales),
        "elsewhere": np.concatenate(other),
        "elsewhere__scale": np.concatenate(other_scales),
    }


def _compared(rows, weights, far, turn):
    """What weights make of rows, and the scale of it, flat; `far` bounds the length of the mean."""
    reach = np.sqrt((rows**2).sum(axis=1, keepdims=True)) + far
    scale = turn * reach * np.ones(rows.shape[1])
    return _rebuilt(rows, *weights).ravel(), scale.ravel()
