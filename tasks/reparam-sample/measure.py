"""What is measured of reparam-sample: samples and gradients from given noise, then own draws.

The scale S of a value is the sum of the absolute terms of its formula, from the inputs alone.
Values are returned in units of S, so that a σ of 1e13 and one of 1e-13 count alike.
"""

from itertools import combinations
from statistics import NormalDist

import numpy as np

# the smallest and the largest of every axis, one cube, and one size twice, so that nothing kept
# from the first call goes unnoticed
EDGES = ((1, 1, 1), (3, 4, 2), (1, 3, 8), (2, 200, 1), (4000, 1, 1), (3, 3, 3), (3, 4, 2))
REPLICATES = 4  # calls that differ in their generator only
CUT = 4e6  # between 20 and 37 library softplus may cut to the identity, which is off by 2e-9

GROUP = 8  # numbers of noise that lie close together in a call
QUARTILES = [NormalDist().inv_cdf(i / 4) for i in (1, 2, 3)]
BLOCKS, COLUMNS = 50, 4  # of a call with the most samples, and the columns that make a block


def _sizes(rng):
    """The edges, and sizes in between that are drawn: a list of (m, b, k).

    Every number of samples and of rows up to 12 occurs, and every number of dimensions; then larger
    ones, odd and no multiples of 5, so that the chunks of a loop leave a rest.
    """
    small = [rng.permutation(12) + 1, rng.permutation(12) + 1, rng.permutation(12) % 8 + 1]
    odd = np.setdiff1d(np.arange(17, 200, 2), np.arange(25, 200, 10))
    m, b = rng.choice(odd[odd < 30], 2, replace=False).tolist()
    some, many, rows = rng.choice(odd, 3).tolist()
    thousands = int(rng.integers(1, 4))
    large = (m, b, 3), (some, 2, 7), (1000 * thousands + 800 + many, 1, 2), (2, rows, 5)
    return [*EDGES, *np.stack(small, axis=1).tolist(), *large]


def _gaussians(domain, rng, b, k):
    return domain.draw(rng, "mu", b, k), domain.draw(rng, "log_sigma", b, k)


def _inputs(domain, rng, m, b, k):
    return *_gaussians(domain, rng, b, k), domain.draw(rng, "eps", m, b, k)


def _in_units(name, found, scales):
    """All values in one row, each in units of its scale; what has no terms but 0 as it is."""
    values = np.concatenate([np.ravel(np.stack(each)) for each in found])
    sizes = np.concatenate([np.ravel(np.stack(each)) for each in scales])
    values = values / np.where(sizes == 0, 1.0, sizes)
    return {name: values, f"{name}__scale": np.ones_like(values)}


def _usual(rng):
    """mu, log_sigma, eps of usual sizes; the first and the last Gaussian are the same."""
    mu, log_sigma = rng.normal(size=(4, 2)), rng.uniform(-1.0, 1.0, (4, 2))
    mu[-1], log_sigma[-1] = mu[0], log_sigma[0]
    return mu, log_sigma, rng.normal(size=(3, 4, 2))


def _whole(rng):
    """zbar, mu, log_sigma and eps that are small whole numbers, with zeros and ties among them.

    The first Gaussian is a standard normal one, of the second all dimensions are alike.
    """
    zbar, eps = rng.integers(-2, 3, (2, 5, 4, 3)).astype(float)
    mu, log_sigma = rng.integers(-2, 3, (2, 4, 3)).astype(float)
    mu[0], log_sigma[0], mu[1], log_sigma[1] = 0.0, 0.0, mu[1, 0], log_sigma[1, 0]
    zbar[0, 1:3], eps[0, 2:] = 0.0, 0.0
    return zbar, mu, log_sigma, eps


def given_noise(student, rng):
    found, scales = [], []
    calls = [_inputs(student.domain, rng, *size) for size in _sizes(rng)] + [_whole(rng)[1:]]
    calls += student.domain.replaced(_usual(rng), _usual(rng))
    for mu, log_sigma, eps in calls:
        found.append(student.rsample(mu, log_sigma, eps))
        scales.append(np.abs(mu) + np.exp(log_sigma) * np.abs(eps))
    return _in_units("z", found, scales)


def given_noise_gradient(student, rng):
    found, scales = [], []
    calls = [_inputs(student.domain, rng, *size) for size in _sizes(rng)] + [_whole(rng)[1:]]
    calls.append(tuple(1e-8 * array for array in _usual(rng)))
    for mu, log_sigma, eps in calls:
        cotangent = rng.normal(size=eps.shape)
        found.append(student.vjp("rsample", (mu, log_sigma, eps), (0, 1), cotangent))
        size = np.abs(cotangent)
        scales.append([size.sum(0), (size * np.abs(eps)).sum(0) * np.exp(log_sigma)])
    return _in_units("grad", found, scales)


def backward(student, rng):
    found, scales, calls = [], [], []
    for m, b, k in _sizes(rng):
        _, log_sigma, eps = _inputs(student.domain, rng, m, b, k)
        calls.append((student.domain.draw(rng, "zbar", m, b, k), eps, log_sigma))
    zbar, _, log_sigma, eps = _whole(rng)
    calls.append((zbar, eps, log_sigma))
    calls.append((1e-8 * rng.normal(size=(3, 4, 2)), *_usual(rng)[:0:-1]))
    pair = [(zbar, *_usual(rng)[:0:-1]) for zbar in rng.normal(size=(2, 3, 4, 2))]
    for zbar, eps, log_sigma in [*calls, *student.domain.replaced(*pair)]:
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
    sizes = [(1, 1), (20, 3), (1, 8), (200, 1), (20, 3), (2, 5)]
    sizes += zip(rng.permutation(np.arange(3, 21))[:5], (2, 4, 5, 6, 7), strict=True)
    raws = [(rng.uniform(-4.0, 4.0, size),) for size in sizes]
    raws[1][0][5], raws[1][0][7], raws[1][0][9] = raws[1][0][2], raws[1][0][7, 0], 0.0
    raws[4] = student.domain.first_alike(raws[1], raws[4])  # of one size
    for (raw,) in [(np.zeros((1, 1)),), *raws]:
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


def _noise(student, rng, size, calls):
    """The noise behind calls of one size, recovered in all its digits: [calls, m, b, k]."""
    m, b, k = (int(axis) for axis in size)
    mu, log_sigma = _gaussians(student.domain, rng, b, k)
    sigma = np.exp(log_sigma)
    mu = np.clip(mu, -sigma, sigma)
    found = student.independent("sample", mu, log_sigma, m, replicates=calls)
    return (np.stack(found) - mu) / sigma


def _in_between(student, rng, n, k):
    """Groups of successive entries from calls of k dimensions and odd sizes: [n, GROUP]."""
    m, b = rng.choice(np.arange(51, 100, 2)), rng.choice(np.arange(5, 30, 2))
    rows = -(-GROUP // k)  # that a group is taken from
    noise = _noise(student, rng, (m, b, k), -(-n * rows // (m * b)))
    return noise.reshape(-1, k)[: n * rows].reshape(n, -1)[:, :GROUP]


def _first(student, rng, n):
    """Groups of the first samples of a call, and of the first rows: [n, GROUP] each.

    What repeats after three samples, say, shows where groups begin with a call.
    """
    m, b = rng.integers(GROUP, 17, 2)
    samples = _noise(student, rng, (m, -(-n // 8), 8), 1)[:, :GROUP].swapaxes(1, 3)
    rows = _noise(student, rng, (-(-n // 8), b, 8), 1)[:, :, :GROUP].swapaxes(2, 3)
    return [part.reshape(-1, GROUP)[:n] for part in (samples, rows)]


def _groups(n, coordinates, pairs, dimensions, samples):
    """Neighbours in every direction, from calls of four sizes: a list of [n, GROUP].

    Two samples of two rows and dimensions; two samples of four dimensions; dimensions; samples.
    """
    parts = coordinates, pairs.swapaxes(1, 2), dimensions, samples.swapaxes(1, 3)
    return [part.reshape(-1, GROUP)[:n] for part in parts]


def _categories(groups):
    """Of groups [n, GROUP]: the quartiles of any three, the signs of any six: [all n, 84] of 64."""
    quartile = np.searchsorted(QUARTILES, np.concatenate(groups).T).astype(np.int8)
    three = [_number(quartile[list(chosen)], 4) for chosen in combinations(range(GROUP), 3)]
    six = [_number(quartile[list(chosen)] // 2, 2) for chosen in combinations(range(GROUP), 6)]
    return np.stack(three + six, axis=1)


def _number(digits, base):
    """The number below 64 with these digits, the first one the most significant."""
    number = 0 * digits[0]
    for digit in digits:
        number = number * np.int8(base) + digit
    return number


def _adjusted(found):
    """How many means and mean squares of the noise of calls [calls, m, b, k] are 0 and 1 exactly.

    Those of whole calls, over the samples, over the rows and over both. Chance makes one of them so
    with a probability of about 1e-9.
    """
    count = 0
    for part in found:
        for axes in ((1, 2, 3), (1, 2), (1,), (2,)):
            if np.prod([part.shape[axis] for axis in axes]) > 2:
                means = part.mean(axes), (part**2).mean(axes) - 1
                count += sum((np.abs(mean) < 1e-13).sum() for mean in means)
    return count


def _digits(noise, batches, found):
    """Whether noise looks drawn in float64: few values alike, on no grid, not spread evenly.

    Fewer than three pairs of nearly the same size, fewer than one value in a hundred that float32
    could hold, no decimal or binary grid. Then each of the batches: a Kolmogorov–Smirnov distance
    of at least .15/√b, where values that divide the law evenly have 1/b. And fewer than three means
    of calls that are those of the law exactly. Independent normal noise fails with a probability
    below 1e-10, nearly all of it that of three pairs.
    """
    b, size = batches.shape[1], np.sort(np.abs(noise))
    grids = np.concatenate([10.0 ** np.arange(1, 13), 2.0 ** np.arange(1, 41)])
    with np.errstate(all="ignore"):
        alike = (np.diff(size) < 3e-14).sum()
        coarse = np.abs(noise - noise.astype(np.float32)) < 1e-12
        places = np.outer(grids, noise[:: noise.size // 500])
        off = np.abs(places - np.rint(places)).mean(axis=1)
        adjusted = _adjusted(found)
    cdf = np.vectorize(NormalDist().cdf)(np.sort(batches, axis=1))
    distance = np.abs(cdf - (np.arange(b) + 0.5) / b).max(axis=1) + 0.5 / b
    whole = [alike < 3, coarse.mean() < 0.01, adjusted < 3]
    return np.array([*whole, *(off > 0.1), *(distance > 0.15 / np.sqrt(b))]) & (size[-1] < np.inf)


def own_noise(student, rng, n):
    """The noise behind n draws, recovered from them: [n, 9].

    Four columns are the coordinates of a batch of two rows, whose calls follow each other, so
    that lags run over draws and over calls. The Gaussian of one row is alike in both dimensions,
    with the mean 0; one of the other row has σ = 1. In each of four others all entries of one size
    follow each other, so that lags run over dimensions and rows, too. The last one mixes sizes in
    between. Groups of eight are neighbours in every direction, see `_groups` and `_first`.
    """
    sign = rng.choice([-1.0, 1.0], (2, 2))
    mu, log_sigma = rng.normal(0.0, 2.0, (2, 2)), sign * rng.uniform(0.5, 1.5, (2, 2))
    mu[0], log_sigma[0], log_sigma[1, 0] = 0.0, log_sigma[0, 0], 0.0
    calls = student.independent("sample", mu, log_sigma, n // REPLICATES, replicates=REPLICATES)
    coordinates = ((np.concatenate(calls) - mu) / np.exp(log_sigma)).reshape(n, -1)
    fixed = [(1, 200, 8), (2, 200, 4), (n // (8 * REPLICATES), 1, 8), (n // (5 * REPLICATES), 5, 1)]
    found = [_noise(student, rng, size, -(-n // int(np.prod(size)))) for size in fixed]
    count = 7 * n // 80  # groups of a kind
    between = [_in_between(student, rng, count, k) for k in (3, 5, 6, 7)]
    more = [*between, *_first(student, rng, count)]
    mixed = np.concatenate([part.ravel()[: n // 4] for part in between])
    columns = [*(part.ravel()[:n] for part in found), mixed]
    noise = np.column_stack([coordinates, *columns])
    scale = np.ones(noise.shape[1])
    categories = _categories(_groups(count, coordinates, *found[1:]) + more)
    everything = np.concatenate([coordinates, *found, *more], axis=None)
    batches = np.concatenate([part[0, 0] for part in found[:2]], axis=1).T
    return {
        "noise": noise,
        "noise__expected": 0 * scale,
        "noise__scale": scale,
        "excess": noise**2 - 1,
        "excess__expected": 0 * scale,
        "excess__scale": np.sqrt(2) * scale,
        "group": categories,
        "group__probabilities": np.full((categories.shape[1], 64), 1 / 64),
        "digits": _digits(everything, batches, found),
    }


def own_far(student, rng, n):
    """The largest and the smallest noise of n blocks of samples, each by its own law: [n, 2].

    The largest of L independent draws lies below x with the probability Φ(x)^L, so that this power
    of it is uniform, as is that of the smallest one by symmetry.
    """
    domain = student.domain
    m, k = domain.sizes("m")[1], domain.sizes("k")[1]
    b = BLOCKS * COLUMNS // k
    tail, ends = np.vectorize(NormalDist().cdf), []
    for _ in range(-(-n // BLOCKS)):
        mu, log_sigma = _gaussians(domain, rng, b, k)
        mu = np.clip(mu, -np.exp(log_sigma), np.exp(log_sigma))
        found = student.sample(mu, log_sigma, m, student.generator())
        noise = np.stack([found.max(axis=0) - mu, mu - found.min(axis=0)]) / np.exp(log_sigma)
        ends.append(noise.reshape(2, BLOCKS, COLUMNS).max(axis=2))
    with np.errstate(all="ignore"):
        far = np.exp(m * COLUMNS * np.log1p(-tail(-np.concatenate(ends, axis=1))))
    return {"far": far.T[:n]}


def own_noise_gradient(student, rng):
    """Gradients of draws by both parameters.

    That by μ is the same for every noise: the cotangent, summed over the samples. That by ln σ is
    the cotangent times what the noise adds to μ, which the draws of the same generator show. In
    every third call the first and the last Gaussian are the same; in others the first is standard.
    """
    found, scales = [], []
    for place, (m, b, k) in enumerate(_sizes(rng)):
        mu, log_sigma = _gaussians(student.domain, rng, b, k)
        if place % 3 == 1:
            mu[-1], log_sigma[-1] = mu[0], log_sigma[0]
        if place % 3 == 2:
            mu[0], log_sigma[0] = 0.0, 0.0
        cotangent = rng.normal(size=(m, b, k))
        args = (mu, log_sigma, m, student.generator())
        by_mu, by_log_sigma = student.vjp("sample", args, (0, 1), cotangent)
        added = (cotangent * (student.sample(*args) - mu)).sum(0)
        found.append([by_mu, by_log_sigma - added])
        size = np.abs(cotangent).sum(0)
        scales.append([size, size * (np.abs(mu) + 8 * np.exp(log_sigma))])
    return _in_units("grad", found, scales)


def example(student, rng):
    return {"agrees": student.example()}
