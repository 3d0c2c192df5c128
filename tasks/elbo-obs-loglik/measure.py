"""What is measured of elbo-obs-loglik: values, integrals, gradients, and the variance of best fit.

Both functions are called with the smallest and the largest sizes, with all numbers of dimensions,
with as many rows, and with one shape several times, one argument changed alone. The scale S of a
value is the sum of the absolute terms of its formula, from the inputs alone.
"""

import numpy as np

#: A sum of n terms that is kept as it grows is rounded n times, as a walk of root n steps.
SUMMED = 2.0
USUAL = (9, 3)  # rows and dimensions of the calls that are not at an edge of the sizes


def _rows(rng, b, d):
    return rng.normal(0, 2, (b, d)), rng.normal(0, 2, (b, d))


def _exact_in_part(x, mean):
    """Makes the first row of `mean` that of `x`, and one entry of the last."""
    mean[0] = x[0]
    mean[-1, -1] = x[-1, -1]
    return x, mean


def _moved_within(array):
    """Another array with the same first and last row and column: an inner row moves by 1."""
    moved = array.copy()
    moved[len(moved) // 2, 1:-1] += 1.0
    return moved


def _far(student, rng, b, d):
    """Observations and means from all of the domain, and as far apart as they can be."""
    x, mean = (student.domain.draw(rng, name, b, d) for name in ("x", "mean"))
    x[0, 0], mean[0, 0] = x.max(), mean.min()
    return x, mean


def _farthest(student, rng):
    """Two rows of the most dimensions, all of them missed by as much as the domain allows."""
    x = np.outer(student.domain.draw(rng, "x", 2), np.ones(student.domain.sizes("d")[1]))
    return x, -x


def _tied(rng, d):
    """Observations that are 0; one row once and one thrice, and as often with the other sign.

    The numbers are few digits long, so that residuals sum to 0 exactly.
    """
    mean = np.repeat(np.rint(rng.normal(0, 128, (2, d))) / 64, (1, 3), axis=0)
    return np.zeros((8, d)), np.concatenate([mean, -mean])


def _nearly_exact(rng, b, d):
    """Means that miss their observations by 1e-8 to 1e-3."""
    x, _ = _rows(rng, b, d)
    return x, x + 10 ** rng.uniform(-8, -3, x.shape) * rng.choice([-1.0, 1.0], x.shape)


def _widths(student, rng):
    """(rows, dims) with all numbers of dimensions, and with as many rows at every third one.

    Other rows are few, but for a few of the smallest dimensions: there they are any number.
    """
    most = student.domain.sizes("b")[1]
    for d in range(1, student.domain.sizes("d")[1] + 1):
        few = int(rng.integers(1, most if d < 20 and d % 3 == 1 else 20))
        yield d if d % 3 == 2 else few, d
    yield student.domain.size(rng, "b"), 2


def _narrow(student, rng):
    """Calls of some shapes: (x, mean, eta), few enough for gradients."""
    shapes = list(_widths(student, rng))
    square = [(d, d) for b, d in shapes if b == d and 1 < d < 10]
    chosen = [shapes[at] for at in rng.permutation(len(shapes))[:12].tolist()]
    return [(*_rows(rng, *s), np.exp(rng.uniform(-2, 2, ()))) for s in [*square, *chosen]]


def _cases(student, rng):
    """(x, mean, eta); each of the next five differs from the one before in one argument.

    Then the first with a part of x changed, itself, and with a part of the means changed.
    """
    x, mean = _exact_in_part(*_rows(rng, *USUAL))
    least, most = student.domain.draw(rng, "eta", 2).tolist()
    least, most = min(least, most), max(least, most)
    rows, dims = (student.domain.sizes(axis)[1] for axis in ("b", "d"))
    usual = np.exp(rng.uniform(-2, 2))
    sizes = np.geomspace(2e-6, 1, 4)[:, None]  # of residuals, in standard deviations
    first = x, mean, np.array(usual)
    second = *rng.normal(0, 2, (2, *USUAL)), np.array(1.7 * usual)
    return [
        *student.domain.replaced(first, second),
        (*second[:2], np.array(usual)),
        (second[0], mean, np.array(usual)),
        (_moved_within(x), mean, np.array(usual)),
        first,
        (x, _moved_within(mean), np.array(usual)),
        (*_nearly_exact(rng, *USUAL), np.array(1.0)),
        (*_exact_in_part(*_rows(rng, 5, dims)), np.array(least)),
        (*_far(student, rng, 1, dims), np.array(least)),
        (*_farthest(student, rng), np.array(least)),
        (*(np.sqrt(least) * sizes * item for item in _rows(rng, 4, 3)), np.array(least)),
        (*_far(student, rng, rows, 1), np.array(most)),
        (*_exact_in_part(*_rows(rng, 8, 2)), np.array(np.exp(rng.uniform(-6, 6)))),
        (*_tied(rng, 3), np.array(usual)),
    ]


def _squares(x, mean):
    """Larger than the squared differences, however they are computed: [b, d]."""
    return (np.abs(x) + np.abs(mean)) ** 2


def value(student, rng):
    """[b] for all calls, end to end."""
    found, scale = [], []
    most = tuple(student.domain.sizes(axis)[1] for axis in ("b", "d"))
    shapes = [*_widths(student, rng), most]
    shaped = [(*_rows(rng, *s), np.exp(rng.uniform(-2, 2, ()))) for s in shapes]
    for x, mean, eta in [*_cases(student, rng), *shaped]:
        found.append(student.gauss_loglik(x, mean, eta))
        constant = 0.5 * x.shape[1] * (np.log(2 * np.pi) + abs(np.log(eta)))
        scale.append(SUMMED * (_squares(x, mean).sum(1) / (2 * eta) + constant))
    return {"log_p": np.concatenate(found), "log_p__scale": np.concatenate(scale)}


def normalised(student, rng):
    """log of density times cell, on grids of 21² points eight standard deviations to each side.

    On a grid that is .8 standard deviations wide the sum misses the integral by 1e-13.
    """
    line = np.linspace(-8, 8, 21)
    plane = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    fine = np.linspace(-8, 8, len(plane))[:, None]
    logs = []
    for eta in (0.01, 0.5, 30.0):
        for grid, step in ((fine, fine[1, 0] - fine[0, 0]), (plane, line[1] - line[0])):
            d = grid.shape[1]
            mean = np.tile(rng.normal(size=d), (len(grid), 1))
            log_p = student.gauss_loglik(mean + np.sqrt(eta) * grid, mean, np.array(eta))
            logs.append(log_p + d * np.log(step * np.sqrt(eta)))
    return {"log_p": np.stack(logs)}


def gradient(student, rng):
    """Vector-Jacobian products by the means and by η, end to end.

    The first call asks for each of them alone: then the other argument has no gradient.
    """
    found, scale = [], []
    for i, (x, mean, eta) in enumerate([*_cases(student, rng), *_narrow(student, rng)]):
        rows, d = x.shape
        cotangent = rng.uniform(0.5, 2.0, rows) * rng.choice([-1.0, 1.0], rows)
        asked = ((1,), (2,)) if i == 0 else ((1, 2),)
        products = [student.vjp("gauss_loglik", (x, mean, eta), by, cotangent) for by in asked]
        by_mean, by_eta = (product for each in products for product in each)
        weight = np.abs(cotangent)
        found += [by_mean.ravel(), by_eta.ravel()]
        scale.append((weight[:, None] * (np.abs(x) + np.abs(mean)) / eta).ravel())
        terms = _squares(x, mean).sum(1) / (2 * eta**2) + d / (2 * eta)
        scale.append(np.array([(weight * terms).sum()]))
    return {"grad": np.concatenate(found), "grad__scale": np.concatenate(scale)}


def best(student, rng):
    """Residuals with a mean of their own, tiny ones, one alone, and batches of all shapes."""
    rows, dims = (student.domain.sizes(axis)[1] for axis in ("b", "d"))
    x, mean = _exact_in_part(*_rows(rng, *USUAL))
    single = mean.copy()
    single[0, 0] += 1.0
    cases = [
        (single, mean),
        (x + 0.7, mean),
        (x + 0.7, rng.normal(0, 2, USUAL)),
        (x, mean),
        (_moved_within(x), mean),
        (x, _moved_within(mean)),
        *([size * item for item in _rows(rng, 2, 3)] for size in (1e-5, 1e-12, 1e-60, 1e-140)),
        _rows(rng, 1, dims),
        _far(student, rng, rows, 1),
        _rows(rng, 1, 1),
        _rows(rng, rows, dims),
        _tied(rng, 3),
        *(_rows(rng, *shape) for shape in _widths(student, rng)),
    ]
    found = np.stack([student.best_eta(*case) for case in cases])
    scale = SUMMED * np.array([_squares(*case).mean() for case in cases])
    return {"eta": found, "eta__scale": scale}


def example(student, rng):
    return {"agrees": student.example()}
