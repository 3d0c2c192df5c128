"""What is measured of elbo-gaussian-kl: values and gradients over the whole domain, and identities.

Every function is called with every number of dimensions, the smallest and the largest number of
rows, as many rows as dimensions, zeros, all dimensions of a row at one end of ln σ, and with one
shape several times: one argument changed alone, which begins and ends with the same rows, and the
same rows in another order. The scale S of a value is the sum of the absolute terms of its formula,
from the inputs.
"""

import numpy as np

ROWS, DIMS = 21, 5  # of the calls that are not at an edge of the sizes
NARROW = 30.0  # |ln σ| at the edges of the domain
CORNERS = np.array(  # ln σ₁, ln σ₂ of rows that are as narrow or as wide as the domain allows
    [(-NARROW, 0), (NARROW, 0), (0, -NARROW), (0, NARROW), (NARROW, -NARROW), (-NARROW, NARROW)]
)


def _ordinary(rng, rows=ROWS, dims=DIMS):
    """mu, log_sigma [rows, dims]: ln σ uniform in [-6, 3], means of a latent's spread."""
    return rng.normal(0.0, 2.0, (rows, dims)), rng.uniform(-6.0, 3.0, (rows, dims))


def _one_row(student, rng):
    """A row with the most dimensions, and means from all of the domain."""
    dims = student.domain.sizes("k")[1]
    return student.domain.draw(rng, "mu", 1, dims), _ordinary(rng, 1, dims)[1]


def _one_column(student, rng):
    """The most rows, each of one dimension, and ln σ from all of the domain.

    One dimension a row, since a wide one would hide what the others contribute.
    """
    rows = student.domain.sizes("b")[1]
    return _ordinary(rng, rows, 1)[0], student.domain.draw(rng, "log_sigma", rows, 1)


def _widths(student, rng):
    """(rows, dims) with all numbers of dimensions, and with as many rows at every other one."""
    for dims in range(1, student.domain.sizes("k")[1] + 1):
        yield dims if dims % 2 else student.domain.size(rng, "b"), dims


def _zeros(rng):
    """Means and ln σ of which some are exactly 0, one or both; in the first row all means.

    So the rows share their first column, in which all of both are 0, and no other.
    """
    mu, log_sigma = _ordinary(rng)
    mu[:, 0] = log_sigma[:, 0] = 0.0
    mu[::2, ::2] = 0.0
    mu[0] = 0.0
    log_sigma[::3, 1:] = 0.0
    return mu, log_sigma


def _rows_alike(rng):
    """Rows that are nearly the first one: by up to 3e-6 of every number."""
    pair = np.stack([part[:1] for part in _ordinary(rng)])
    return tuple(pair * (1 + rng.uniform(-3e-6, 3e-6, (2, ROWS, DIMS))))


def _at_ends(student, rng):
    """Rows of the most dimensions, all as narrow as the domain allows, or all as wide.

    The variances of a row multiply to e^720, which is no double.
    """
    mu = rng.normal(0.0, 2.0, (2, student.domain.sizes("k")[1]))
    return mu, np.outer(rng.permutation([-NARROW, NARROW]), np.ones(mu.shape[1]))


def _reordered(rng):
    """A batch and the same rows in another order, whose sums are the same to the last digit."""
    first = tuple(np.rint(64 * part) / 64 for part in _ordinary(rng))
    return [first, tuple(part[::-1].copy() for part in first)]


def _alone(student, first, second):
    """The first call, and those with one array of the second, its first and last row kept."""
    return student.domain.replaced(first, second)


def _gaussians(student, rng):
    """(mu, log_sigma): the second differs from the first in mu alone, the third in log_sigma."""
    alone = _alone(student, _ordinary(rng), _ordinary(rng))
    edges = [_one_row(student, rng), _one_column(student, rng), _zeros(rng), _rows_alike(rng)]
    edges += [_at_ends(student, rng), *_reordered(rng)]
    return alone + edges + [_ordinary(rng, *shape) for shape in _widths(student, rng)]


def _nearly_equal(rng, by):
    """Two Gaussians that differ by a part `by` of their parameters or more, in a few by no mean.

    Where it is below 1e-8 rounding makes some divergences negative; their slopes are those of `by`.
    """
    mu, log_sigma = rng.normal(0.0, 2.0, (ROWS, DIMS)), rng.uniform(-1.0, 1.0, (ROWS, DIMS))
    moved = mu * (1 + by * rng.uniform(1, 3, mu.shape))
    moved[:3] = mu[:3]
    return mu, log_sigma, moved, log_sigma * (1 + by * rng.uniform(1, 3, mu.shape))


def _equally_wide(student, rng):
    """Pairs about 0 that are equally narrow or wide, or nearly, at widths of all of the domain."""
    rows = student.domain.sizes("b")[1]
    mu, log_sigma = np.zeros((rows, 1)), student.domain.draw(rng, "log_sigma", rows, 1)
    other = (log_sigma + rng.choice([0.0, -0.3, 0.3], (rows, 1))).clip(-NARROW, NARROW)
    return mu, log_sigma, mu, other


def _pairs(student, rng):
    """(mu1, log_sigma1, mu2, log_sigma2); four differ from the first in one argument alone."""
    usual, other = ((*_ordinary(rng), *_ordinary(rng)) for _ in range(2))
    alone = _alone(student, usual, other)
    row = (*_one_row(student, rng), *_one_row(student, rng))
    row[2][:] = -row[0]  # means that are as far apart as can be
    column = (*_one_column(student, rng), *_one_column(student, rng))
    column[1][: len(CORNERS), 0], column[3][: len(CORNERS), 0] = CORNERS.T
    shaped = [(*_ordinary(rng, *s), *_ordinary(rng, *s)) for s in _widths(student, rng)]
    close = [_nearly_equal(rng, by) for by in (1e-6, 1e-10)]
    close += [_equally_wide(student, rng), (*_ordinary(rng), *_rows_alike(rng))]
    ends = _at_ends(student, rng)
    opposite = (*ends, ends[0], ends[1][::-1].copy())
    again = [(*q1, *q2) for q1, q2 in zip(_reordered(rng), _reordered(rng), strict=True)]
    zeros = (*_zeros(rng), *_zeros(rng))
    return [*alone, row, column, zeros, *close, opposite, *again, *shaped]


def _joined(pairs, name):
    """Values and scales of several calls, end to end."""
    values, scales = zip(*pairs, strict=True)
    joined = [np.concatenate([np.ravel(item) for item in part]) for part in (values, scales)]
    return {name: joined[0], f"{name}__scale": joined[1]}


def _conditioned_variance(log_sigma):
    """What is rounded in an exponent comes back times the exponential: exp(a (1 + eps))."""
    return (1 + 2 * np.abs(log_sigma)) * np.exp(2 * log_sigma)


def _scale_std(mu, log_sigma):
    return (0.5 * (mu**2 + _conditioned_variance(log_sigma) + 1) + np.abs(log_sigma)).sum(1)


def _pair_terms(mu1, ls1, mu2, ls2):
    """σ₁²/σ₂² and (|μ₁| + |μ₂|)²/σ₂², uncertain by the roundings of both exponents: [b, k]."""
    conditioning = 1 + 2 * np.abs(ls1) + 2 * np.abs(ls2)
    shift = (np.abs(mu1) + np.abs(mu2)) ** 2 * np.exp(-2 * ls2)
    return conditioning * np.exp(2 * (ls1 - ls2)), conditioning * shift


def _scale_pair(mu1, ls1, mu2, ls2):
    spread, shift = _pair_terms(mu1, ls1, mu2, ls2)
    return (0.5 * (spread + shift + 1) + np.abs(ls1) + np.abs(ls2)).sum(1)


def entropy(student, rng):
    pairs = []
    for _, log_sigma in _gaussians(student, rng):
        scale = (np.abs(log_sigma) + 0.5 * (1 + np.log(2 * np.pi))).sum(1)
        pairs.append((student.gaussian_entropy(log_sigma), scale))
    return _joined(pairs, "entropy")


def standard(student, rng):
    cases = _gaussians(student, rng)
    return _joined([(student.kl_std_normal(*q), _scale_std(*q)) for q in cases], "kl")


def near_prior(student, rng):
    """Close to N(0, I), and to one another, a divergence is a small difference of large terms.

    Each row is as close as another power of ten, from 1e-6 to 1e-2.
    """
    mu, log_sigma = np.geomspace(1e-6, 1e-2, ROWS)[:, None] * rng.normal(size=(2, ROWS, DIMS))
    pair = (*_ordinary(rng), mu, log_sigma)
    pair = (pair[0] + mu, pair[1] + log_sigma, *pair[:2])
    close = [
        (student.kl_std_normal(mu, log_sigma), _scale_std(mu, log_sigma)),
        (student.kl_diag(*pair), _scale_pair(*pair)),
    ]
    return _joined(close, "kl")


def pair(student, rng):
    cases = _pairs(student, rng)
    return _joined([(student.kl_diag(*case), _scale_pair(*case)) for case in cases], "kl")


def gradient(student, rng):
    """Vector-Jacobian products of every function by each of its arguments."""
    found = []
    near = tuple(np.geomspace(1e-11, 1e-5, ROWS)[:, None] * rng.normal(size=(2, ROWS, DIMS)))
    for mu, log_sigma in [*_gaussians(student, rng)[1:], near]:
        cotangent = _cotangent(rng, len(mu))
        weight = np.abs(cotangent)[:, None]
        entropy = student.vjp("gaussian_entropy", (log_sigma,), (0,), cotangent)
        divergence = student.vjp("kl_std_normal", (mu, log_sigma), (0, 1), cotangent)
        scales = [1 + 0 * mu, np.abs(mu), _conditioned_variance(log_sigma) + 1]
        found += zip([*entropy, *divergence], [weight * scale for scale in scales], strict=True)
    for case in _pairs(student, rng)[1:]:
        cotangent = _cotangent(rng, len(case[0]))
        slopes = student.vjp("kl_diag", case, (0, 1, 2, 3), cotangent)
        weight = np.abs(cotangent)[:, None]
        found += [(slope, weight * s) for slope, s in zip(slopes, _slopes(*case), strict=True)]
    return _joined(found, "grad")


def _cotangent(rng, rows):
    return rng.uniform(0.5, 2.0, rows) * rng.choice([-1.0, 1.0], rows)


def _slopes(mu1, ls1, mu2, ls2):
    """Scales of the slopes of kl_diag by its four arguments."""
    spread, shift = _pair_terms(mu1, ls1, mu2, ls2)
    by_mean = (1 + 2 * np.abs(ls2)) * (np.abs(mu1) + np.abs(mu2)) * np.exp(-2 * ls2)
    return by_mean, spread + 1, by_mean, spread + shift + 1


def identities(student, rng):
    """Additive over dimensions, even in μ, and kl_diag against N(0, I) is kl_std_normal."""
    mu, log_sigma = _ordinary(rng, rows=8)
    scale = _scale_std(mu, log_sigma)
    whole = student.kl_std_normal(mu, log_sigma)
    parts = student.kl_std_normal(mu.reshape(-1, 1), log_sigma.reshape(-1, 1))
    mirrored = student.kl_std_normal(-mu, log_sigma)
    zeros = np.zeros_like(mu)
    against = student.kl_diag(mu, log_sigma, zeros, zeros)
    residual = [parts.reshape(mu.shape).sum(1) - whole, mirrored - whole, against - whole]
    return {"residual": np.stack(residual), "residual__scale": np.stack([2 * scale] * 3)}


def example(student, rng):
    return {"agrees": student.example()}
