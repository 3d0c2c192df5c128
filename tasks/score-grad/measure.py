"""What is measured of score-grad: scores and estimates at given noise, sample by sample.

Values are in units of their scale S, the sum of the absolute terms of the formula, from the inputs
alone, so that a σ of 1e13 and one of 1e-13 count alike.
"""

import itertools

import numpy as np


def _sizes(domain, rng, samples="m"):
    """(m, b, k): every number of samples and of rows up to the most samples, every k.

    Then axes of one size, the most rows, also with the most of all, and two odd numbers of rows in
    between, neither a multiple of 5, so that a loop over chunks is left with a rest.
    """
    (least, m), (_, b), (_, k) = (domain.sizes(axis) for axis in (samples, "b", "k"))
    numbers = np.arange(least, m + 1)
    numbers = rng.permutation(np.concatenate([numbers, rng.choice(numbers, m - len(numbers))]))
    small = numbers, rng.permutation(m) + 1, rng.permutation(m) % k + 1
    same, more = rng.integers(2, k + 1), rng.integers(k + 1, m + 1)
    odd = np.setdiff1d(np.arange(m + 1, b, 2), np.arange(25, b, 10))
    between = rng.choice(odd[odd < b / 2]), rng.choice(odd[odd > b / 2])
    sizes = [*np.stack(small, axis=1), (same, same, same), (more, more, 2), (2, b, 1), (m, b, k)]
    return [tuple(map(int, size)) for size in [*sizes, (3, between[0], 3), (2, between[1], 2)]]


def _usual(rng, m=3, b=4, k=2):
    """mu, log_sigma, eps of usual sizes."""
    return rng.normal(size=(b, k)), rng.uniform(-1, 1, (b, k)), rng.normal(size=(m, b, k))


def _gaussians(domain, rng, m, b, k):
    """mu, log_sigma, eps from all of the domain; μ is 0 beside a σ that would be lost in it."""
    mu, log_sigma = domain.draw(rng, "mu", b * k), np.sort(domain.draw(rng, "log_sigma", b * k))
    mu = np.where(log_sigma < -10, 0.0, mu[np.argsort(np.abs(mu))])
    pair = np.stack([mu, log_sigma])[:, rng.permutation(b * k)]
    return *pair.reshape(2, b, k), domain.draw(rng, "eps", m, b, k)


def _tied(i, mu, log_sigma, eps):
    """Usual ones in which something is zero or there twice, as where a training begins.

    The same μ in all rows and a sample twice; σ = 1 in all rows and noise that is zero; rows that
    are standard normal beside others.
    """
    half = slice(None, -(-len(mu) // 2))
    if i % 3 == 0:
        mu[:], eps[-1] = mu[0], eps[0]
    elif i % 3 == 1:
        log_sigma[:], eps[0, half] = 0.0, 0.0
    else:
        mu[half], log_sigma[half] = 0.0, 0.0
    return mu, log_sigma, eps


def _all_sorts(domain, rng, i, *sizes):
    """mu, log_sigma, eps of the domain, in every fourth call with ties."""
    return _gaussians(domain, rng, *sizes) if i % 4 else _tied(i // 4, *_usual(rng, *sizes))


def _in_units(name, found, scales):
    """All values in one row, each in units of its scale; where that is 0, as they are."""
    pairs = [(f, np.where(s > 0, s, 1)) for f, s in zip(found, scales, strict=True)]
    values = np.concatenate([(f / s).ravel() for f, s in pairs])
    return {name: values, f"{name}__scale": np.ones_like(values)}


def _score_scale(mu, log_sigma, eps):
    """Rounding of z - μ, in units of σ, enters both scores: [2, m, b, k].

    That of ln σ enters the second where ((z - μ)/σ)² is the exponential of a logarithm.
    """
    sigma = np.exp(log_sigma)
    size = 2 * np.abs(mu) / sigma + np.abs(eps)
    return np.stack([size / sigma, 1 + size * (1 + np.abs(eps)) + eps**2 * np.abs(log_sigma)])


def score(student, rng):
    """Then a call again with another q, other samples."""
    sizes = enumerate(_sizes(student.domain, rng))
    calls = [_all_sorts(student.domain, rng, i, *each) for i, each in sizes]
    pairs = [((mu + np.exp(log_sigma) * eps, mu, log_sigma), eps) for mu, log_sigma, eps in calls]
    for z, mu, log_sigma in student.domain.replaced(*(_usual(rng)[::-1] for _ in range(2))):
        pairs.append(((z, mu, log_sigma), (z - mu) / np.exp(log_sigma)))
    found = [np.stack(student.score(*call)) for call, _ in pairs]
    return _in_units("score", found, [_score_scale(*call[1:], eps) for call, eps in pairs])


def _integrand(student, rng, name, sizes):
    """A function of given.py, and the absolute terms [m, b] of its values by the sizes of z."""
    b, k, d = sizes
    if name == "square":
        return student.given(name), lambda z: (z**2).sum(-1)
    if name == "signs":
        return student.given(name), lambda z: np.full(z.shape[:2], 3.0 + k)
    weight, x = student.domain.draw(rng, "weight", k, d), student.domain.draw(rng, "x", b, d)
    return student.given(name, weight, x), lambda z: ((np.abs(x) + z @ np.abs(weight)) ** 2).sum(-1)


def _estimates(student, rng, function, calls, others=False):
    """Both gradients by calls (m, b, k, integrand); with ``others`` each value meets the others.

    Then a call again with another integrand, another q, other noise.
    """
    inputs = []
    for i, (m, b, k, name) in enumerate(calls):
        target = _integrand(student, rng, name, (b, k, i // 3 % 3 + 1))
        inputs.append((target, *_all_sorts(student.domain, rng, i, m, b, k)))
    usual = [(_integrand(student, rng, "linear", (4, 2, 3)), *_usual(rng)) for _ in range(2)]
    found, scales = [], []
    for (f, size_of), mu, log_sigma, eps in [*inputs, *student.domain.replaced(*usual)]:
        size = size_of(np.abs(mu) + np.exp(log_sigma) * np.abs(eps))
        if others:
            size = size + (size.sum(0) - size) / (len(eps) - 1)
        found.append(np.stack(function(f, mu, log_sigma, eps)))
        scales.append((size[..., None] * _score_scale(mu, log_sigma, eps)).mean(axis=1))
    return _in_units("grad", found, scales)


def square(student, rng):
    """One sample, but for two calls."""
    calls = [(1, b, k, "square") for _, b, k in _sizes(student.domain, rng)]
    calls += [(2, 1, 4, "square"), (int(rng.integers(3, 20)), 3, 2, "square")]
    return _estimates(student, rng, student.grad_score, calls)


def signs(student, rng):
    """Several samples of a piecewise constant integrand, and of one with a datum for every row."""
    names = itertools.cycle(("signs", "linear"))
    sizes = _sizes(student.domain, rng, "n")
    calls = [(*size, name) for size, name in zip(sizes, names, strict=False)]
    edges = zip(*(student.domain.sizes(axis) for axis in "mbk"), strict=True)
    calls += [(*size, "linear") for size in edges]
    return _estimates(student, rng, student.grad_score, calls)


def leave_one_out(student, rng):
    """From two samples on."""
    names = itertools.cycle(("square", "signs", "linear"))
    sizes = _sizes(student.domain, rng, "n")
    calls = [(*size, name) for size, name in zip(sizes, names, strict=False)]
    return _estimates(student, rng, student.grad_score_loo, calls, others=True)


def _nodes(per_dimension, dimensions):
    """Nodes [n, dimensions] and weights [n] of the standard normal law."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(per_dimension)
    grid = np.array(list(itertools.product(nodes, repeat=dimensions)))
    law = np.prod(list(itertools.product(weights, repeat=dimensions)), axis=1)
    return grid, law / law.sum()


def leave_one_out_law(student, rng):
    """z² over the joint law of three samples of one dimension, a node a row: [nodes, 2]."""
    nodes, law = _nodes(5, 3)
    mu, log_sigma = np.full((len(law), 1), rng.normal()), rng.uniform(np.log(0.5), np.log(1.5))
    rows = mu, np.full_like(mu, log_sigma), np.ascontiguousarray(nodes.T[:, :, None])
    grads = student.grad_score_loo(student.given("square"), *rows)
    return {"grad": np.concatenate(grads, axis=1), "grad__weight": law}


def _chosen(rng, m, b, c):
    """Categories [m, b]: every one once, as far as there is room, and then any."""
    choices = np.concatenate([np.arange(c), rng.integers(c, size=m * b)])[: m * b]
    return rng.permutation(choices).reshape(m, b)


def _codebook(student, rng, choices, sizes):
    """codes [c, d] and data x [b, d]; the first datum is as far from its code as may be."""
    c, d = sizes
    codes = student.domain.draw(rng, "codes", c, d)
    x = student.domain.draw(rng, "x", choices.shape[1], d)
    x[0] = student.domain.draw(rng, "x", 2).max() * rng.choice([-1.0, 1.0], d)
    codes[choices[0, 0]] = -x[0]
    return codes, x


def _softmax_scale(logits):
    """Probabilities [b, c] times the rounding of their exponents; never below 1e-300."""
    apart = logits - logits.max(axis=1, keepdims=True)
    weights = np.exp(apart)
    shares = weights / weights.sum(axis=1, keepdims=True)
    return shares * (1 + 2 * np.abs(logits).max(axis=1, keepdims=True)) + 1e-300


def _categorical(student, rng, calls):
    """The gradient for calls (m, b, c, d, width): logits of the domain, or ``width`` apart.

    In some of the latter logits are the same, or zero. Then a call again with another integrand,
    other logits, other samples.
    """
    inputs = []
    for i, (m, b, c, d, width) in enumerate([*calls, *[(3, 4, 3, 2, 2.0)] * 2]):
        logits = student.domain.draw(rng, "logits", b, c)
        if width:
            logits = rng.uniform(-width, width, (b, c))
            if i % 4 == 0 and i < len(calls):
                logits = np.rint(1.5 * logits / width)
        choices = _chosen(rng, m, b, c)
        inputs.append((_codebook(student, rng, choices, (c, d)), logits, choices))
    found, scales = [], []
    inputs[-2:] = student.domain.replaced(*inputs[-2:])
    for (codes, x), logits, choices in inputs:
        samples = np.eye(len(codes))[choices]
        f = student.given("codebook", codes, x)
        found.append(student.grad_score_categorical(f, logits, samples))
        terms = ((np.abs(x) + np.abs(codes[choices])) ** 2).sum(-1)
        drawn = (terms[..., None] * samples).mean(0)
        scales.append(drawn + terms.mean(0)[:, None] * _softmax_scale(logits))
    return _in_units("grad", found, scales)


def _widths(student, rng, samples):
    """Sizes (m, b, c, d) of all sorts, and then every m with several categories and several rows.

    A single category, or a row of which only a category as good as certain is drawn, hides what is
    wrong at some number of samples or rows. As many rows as samples, and a single row, come last,
    with several categories.
    """
    (_, c), (_, d) = student.domain.sizes("c"), student.domain.sizes("d")
    sizes = np.array(_sizes(student.domain, rng, samples))
    categories, data = (rng.permutation(len(sizes)) % most for most in (c, d))
    several = np.maximum(rng.permutation(sizes[:, 1]), 2)
    any_sort = [*sizes.T[:2], categories + 1, data + 1]
    again = [sizes[:, 0], several, rng.permutation(categories) % (c - 1) + 2, data + 1]
    any_sort, again = (np.stack(each, axis=1).tolist() for each in (any_sort, again))
    first, second = again[0][0], again[1][0]
    return any_sort, [*again, [second, second, c, d], [first, 1, c, d]]


def categorical(student, rng):
    """One sample: all categories of rows of several kinds."""
    any_sort, again = _widths(student, rng, "m")
    calls = [(1, *size, rng.choice([2.0, 30.0])) for _, *size in any_sort]
    return _categorical(student, rng, calls + [(1, *size, 2.0) for _, *size in again])


def categorical_far(student, rng):
    """Several samples, at logits hundreds apart, some of categories that never occur."""
    any_sort, again = _widths(student, rng, "n")
    widths = itertools.cycle((0, 0, 3.0))
    calls = [(*size, width) for size, width in zip(any_sort, widths, strict=False)]
    return _categorical(student, rng, calls + [(*size, 3.0) for size in again])


def example(student, rng):
    return {"agrees": student.example()}
