"""What is measured of reparam-grad: estimates at given noise, and the moments of some over it.

Where every sample's estimate is determined by its noise, values are compared; the bound's gradient,
which may be estimated in several ways, is compared in expectation over Gauss–Hermite nodes, and in
what all of these ways have in common. Values are in units of their scale S, the sum of the absolute
terms of the formula, from the inputs alone.
"""

import itertools

import numpy as np

# m, b, k: the smallest and the largest of every axis, odd and even ones, and one size twice, so
# that nothing kept from the first call goes unnoticed
EDGES = ((1, 1, 1), (2, 3, 2), (3, 1, 4), (1, 200, 2), (50, 4, 1), (2, 3, 2))
EDGES += ((4, 5, 3), (5, 7, 2), (31, 6, 3))
ROWS = 2
SMALL = 16


def _sizes(domain, rng):
    """(m, b, k): every number of samples and of rows up to 16, larger ones, every k.

    Then axes of one size, the most rows, and odd numbers of rows that are no multiples of 5.
    """
    (_, m), (_, b), (_, k) = (domain.sizes(axis) for axis in "mbk")
    numbers = np.concatenate([np.arange(1, SMALL + 1), rng.choice(np.arange(SMALL + 1, m), 4)])
    rows = np.concatenate([np.arange(1, SMALL + 1), rng.choice(np.arange(SMALL + 1, 40), 4)])
    small = rng.permutation(numbers), rng.permutation(rows), rng.permutation(len(rows)) % k + 1
    odd = np.setdiff1d(np.arange(41, b, 2), np.arange(45, b, 10))
    few, many = rng.choice(odd[odd < b / 2]), rng.choice(odd[odd > b / 2])
    same = rng.integers(2, k + 1)
    sizes = [*np.stack(small, axis=1), (same, same, same), (3, few, 3), (2, many, 2), (2, b, 1)]
    return [tuple(map(int, size)) for size in sizes]


def _largest(domain):
    """(m, b, k), all of them the largest."""
    return tuple(domain.sizes(axis)[1] for axis in "mbk")


def _usual(rng, m=3, b=4, k=2):
    """mu, log_sigma, eps of usual sizes, at which every term counts."""
    return rng.normal(size=(b, k)), rng.uniform(-1, 1, (b, k)), rng.normal(size=(m, b, k))


def _tied(i, mu, log_sigma, eps):
    """In three calls of four something is zero or there twice, as where a training begins.

    The same μ in all rows and a sample twice; σ = 1 in all rows and noise that is zero; rows that
    are standard normal beside others.
    """
    mu, log_sigma, eps = mu.copy(), log_sigma.copy(), eps.copy()
    half = slice(None, -(-len(mu) // 2))
    if i % 4 == 1:
        mu[:], eps[-1] = mu[0], eps[0]
    elif i % 4 == 2:
        log_sigma[:], eps[0, half] = 0.0, 0.0
    elif i % 4 == 3:
        mu[half], log_sigma[half] = 0.0, 0.0
    return mu, log_sigma, eps


def _wide(domain, rng, m, b, k):
    """mu, log_sigma, eps from all of the domain; μ is 0 beside a σ that would be lost in it."""
    log_sigma, eps = domain.draw(rng, "log_sigma", b, k), domain.draw(rng, "eps", m, b, k)
    return np.where(log_sigma < -10, 0.0, domain.draw(rng, "mu", b, k)), log_sigma, eps


def _alike(domain, rng, shape, log_sigma):
    """mu, log_sigma, eps with σ of one size in all of a call, where coordinates meet in sums."""
    m, b, k = shape
    mu, eps = domain.draw(rng, "mu", b, k), domain.draw(rng, "eps", m, b, k)
    spread = np.full((b, k), float(log_sigma))
    if abs(log_sigma) < 10:
        spread += rng.uniform(-1.0, 1.0, (b, k))
    return np.zeros((b, k)) if log_sigma < -5 else mu, spread, eps


def _decoder(domain, rng, b, k, d, eta):
    """x [b, d], weight [d, k], bias [d] and eta of a linear Gaussian model."""
    shapes = {"x": (b, d), "weight": (d, k), "bias": (d,)}
    return *(domain.draw(rng, name, *shape) for name, shape in shapes.items()), np.array(float(eta))


def _in_units(name, found, scales):
    """All values in one row, each in units of its scale."""
    rows = [(f / s).ravel() for f, s in zip(found, scales, strict=True)]
    values = np.concatenate(rows)
    return {name: values, f"{name}__scale": np.ones_like(values)}


def _size_of(mu, log_sigma, eps):
    """The largest |z|, for σ ε that may have either sign: [m, b, k]."""
    return np.abs(mu) + np.exp(log_sigma) * np.abs(eps)


def _both(terms, z):
    """The scales of both gradients from the terms of ∂f/∂z: [2, b, k].

    That by ln σ is ∂f/∂z times σ ε, which may be computed as z - μ: as large as z.
    """
    return np.stack([terms.mean(0), (terms * z).mean(0)])


def _joint_terms(decoder, z):
    """The absolute terms of the gradient of log_joint by z, where z stands for its size."""
    x, weight, bias, eta = decoder
    residual = np.abs(x) + np.abs(bias) + z @ np.abs(weight).T
    return residual @ np.abs(weight) / eta + z


def _gaussians(domain, rng):
    """mu, log_sigma, eps of all sizes, from all of the domain or usual ones; then changed alone."""
    calls = [_wide(domain, rng, *size) for size in EDGES]
    for i, size in enumerate(_sizes(domain, rng)):
        calls.append(_tied(i // 2, *_usual(rng, *size)) if i % 2 else _wide(domain, rng, *size))
    calls.append(_usual(rng, *_largest(domain)))
    return calls + domain.replaced(*(_usual(rng) for _ in range(2)))


def square(student, rng):
    found, scales = [], []
    for mu, log_sigma, eps in _gaussians(student.domain, rng):
        grads = student.grad_pathwise(student.given("square"), mu, log_sigma, eps)
        z = _size_of(mu, log_sigma, eps)
        found.append(np.stack(grads))
        scales.append(_both(2 * z, z))
    return _in_units("grad", found, scales)


def sine(student, rng):
    """The rounding of z is that of the argument of the sine, so σ is at most e²."""
    found, scales = [], []
    for mu, any_log_sigma, eps in _gaussians(student.domain, rng):
        log_sigma = np.minimum(any_log_sigma, 2.0)
        grads = student.grad_pathwise(student.given("sine"), mu, log_sigma, eps)
        z = _size_of(mu, log_sigma, eps)
        found.append(np.stack(grads))
        scales.append(_both(1 + z, z))
    return _in_units("grad", found, scales)


def average(student, rng):
    """A function that holds another datum for every row and in which the coordinates meet.

    Then one argument changed alone, each constant of the function among them.
    """
    domain, calls = student.domain, []
    sizes = [(16, 6, 2, 0.0), (3, 1, 3, -20.0), (1, 2, 4, 10.0), (16, 6, 2, -1.0)]
    sizes += [(*size, rng.choice([-20.0, -1.0, 0.0, 10.0])) for size in _sizes(domain, rng)]
    sizes.append((*_largest(domain), -1.0))
    for i, (m, b, k, size) in enumerate(sizes):
        d = int(rng.integers(1, domain.sizes("d")[1] + 1))
        decoder = _decoder(domain, rng, b, k, d, rng.uniform(0.3, 1.0))
        gaussians = _alike(domain, rng, (m, b, k), size)
        calls.append((decoder, *(_tied(i, *gaussians) if abs(size) < 2 else gaussians)))
    first, second = ((_decoder(domain, rng, 4, 2, 3, eta), *_usual(rng)) for eta in (0.4, 0.9))
    calls += domain.replaced(first, second)
    calls += [(model, *calls[-1][1:]) for model in domain.replaced(second[0], first[0])[1:]]
    found, scales = [], []
    for decoder, mu, log_sigma, eps in calls:
        grads = student.grad_pathwise(student.given("log_joint", *decoder), mu, log_sigma, eps)
        z = _size_of(mu, log_sigma, eps)
        found.append(np.stack(grads))
        scales.append(_both(_joint_terms(decoder, z), z))
    return _in_units("grad", found, scales)


def _nodes(per_dimension, dimensions):
    """Nodes [n, dimensions] and weights [n] of the standard normal law."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(per_dimension)
    grid = np.array(list(itertools.product(nodes, repeat=dimensions)))
    law = np.prod(list(itertools.product(weights, repeat=dimensions)), axis=1)
    return grid, law / law.sum()


def _repeated(nodes, *rows):
    """Noise [m, nodes * b, k] for nodes [n, m, k], and every array [b, …] once a node."""
    count, b = len(nodes), len(rows[0])
    eps = np.repeat(nodes, b, axis=0).swapaxes(0, 1)
    return np.ascontiguousarray(eps), [np.tile(row, (count, 1)) for row in rows]


def elbo(student, rng):
    """Every row once a node, for one to four samples of one to four dimensions: [nodes, …].

    At a small σ the gradient by ln σ alone is asked for: the path derivative has terms of 1/σ in
    that by μ, whose mean is zero up to their rounding.
    """
    nodes, law = _nodes(3, 4)
    found = []
    cases = ((1, 1, -10), (1, 2, 0), (2, 1, 0), (3, 1, 0))
    cases += ((4, 1, 2), (1, 3, -6), (1, 4, 0), (1, 1, 10))
    for m, k, size in cases:
        x, *model = _decoder(student.domain, rng, ROWS, k, 2, rng.uniform(0.3, 1.0))
        mu, log_sigma, _ = _alike(student.domain, rng, (1, ROWS, k), size)
        if size == 0:  # σ is 1 in one row; μ is 0 in all rows, in one or in none
            log_sigma[0], mu[m - 1 :] = 0.0, 0.0
        noise = nodes[:, : m * k].reshape(-1, m, k)
        eps, (mu, log_sigma, x) = _repeated(noise, mu, log_sigma, x)
        grads = student.grad_elbo(student.given("log_joint", x, *model), mu, log_sigma, eps)
        found += [grad.reshape(len(law), -1) for grad in grads[size < 0 :]]
    return {"grad": np.concatenate(found, axis=1), "grad__weight": law}


def _apart(student, model, mu, log_sigma, eps):
    """The bound's gradients [2, b, k] as means of every sample's, each in a row of its own.

    They come from calls with M = 1 and as many rows as there may be. A single sample is there
    twice, so that B is another one in any case.
    """
    most = student.domain.sizes("b")[1]
    noise = (eps if len(eps) > 1 else np.repeat(eps, 2, axis=0)).reshape(-1, mu.shape[1])
    rows = [np.tile(array, (len(noise) // len(mu), 1)) for array in (model[0], mu, log_sigma)]
    parts = -(-len(noise) // most) + (len(eps) == 1 and len(noise) > most)
    found = []
    split = [np.array_split(array, parts) for array in (*rows, noise)]
    for x, *gaussians, part in zip(*split, strict=True):
        log_joint = student.given("log_joint", x, *model[1:])
        found.append(np.stack(student.grad_elbo(log_joint, *gaussians, part[None])))
    return np.concatenate(found, axis=1).reshape(2, -1, *mu.shape).mean(axis=1)


def _bound_scale(models, mu, log_sigma, eps):
    """The scales of both gradients of the bound, however its entropy is done."""
    z = _size_of(mu, log_sigma, eps)
    sigma = np.exp(log_sigma)
    terms = sum(_joint_terms(model, z) for model in models)
    # log q, if it is sampled, is there twice for each model: through z and through q
    terms = terms + 4 * (2 * np.abs(mu) / sigma + np.abs(eps)) / sigma
    scale = _both(terms, z + sigma)
    scale[1] += 4  # the entropy adds 1 to the gradient by ln σ, and log q takes it off again
    return scale


def _bounds(domain, rng):
    """Calls (models, mu, log_sigma, eps) of all sizes, the first and the last with two models."""
    sizes = (*EDGES, _largest(domain))
    spreads = (-10.0, 2.0, 0.0, -8.0, 10.0, -3.0, 1.0, -1.0, 0.0, 0.0)
    for (m, b, k), size in zip(sizes, spreads, strict=True):
        models = [_decoder(domain, rng, b, k, d, eta) for d, eta in ((1, 0.1), (4, 2.0))]
        yield models, *_alike(domain, rng, (m, b, k), size)
    for i, (m, b, k) in enumerate(_sizes(domain, rng)):
        d = int(rng.integers(1, domain.sizes("d")[1] + 1))
        model = _decoder(domain, rng, b, k, d, rng.uniform(0.3, 2.0))
        yield [model], *_tied(i, *_alike(domain, rng, (m, b, k), rng.uniform(-1.0, 1.0)))
    first, second = (_decoder(domain, rng, 4, 2, 3, eta) for eta in (0.4, 0.9))
    calls = domain.replaced((first, *_usual(rng)), (second, *_usual(rng)))
    for model, *gaussians in calls:
        yield [model, first if model is second else second], *gaussians


def elbo_samples(student, rng):
    """What all estimates of the bound's gradient have in common, sample by sample.

    How the entropy is done depends on q alone, so the estimates for two models differ by the
    pathwise gradient of log p - log p'. And M samples give the mean of what each gives alone,
    whatever M and B are, so that `elbo` need not know the entropy at every size.
    """
    found, scales, most = [], [], _largest(student.domain)
    calls, whole = list(_bounds(student.domain, rng)), []
    for place, (models, *gaussians) in enumerate(calls):
        # now the first, now the last of the models goes first, so that calls in a row share one
        turn = (-1) ** place
        given = [student.given("log_joint", *model) for model in models[::turn]]
        grads = [np.stack(student.grad_elbo(f, *gaussians)) for f in given]
        whole.append(grads[::turn])
    for (models, *gaussians), (first, *others) in zip(calls, whole, strict=True):
        found += [first - second for second in others]
        if gaussians[-1].shape != most:
            found.append(first - _apart(student, models[0], *gaussians))
        scales += [_bound_scale(models, *gaussians)] * (len(found) - len(scales))
    return _in_units("grad", found, scales)


def two_samples(student, rng):
    """z² with one and with two samples, over the joint law of two samples: [nodes, 2, 2, b, k]."""
    nodes, law = _nodes(3, 4)
    mu, log_sigma = rng.normal(size=(2, 2)), rng.uniform(np.log(0.3), np.log(1.5), (2, 2))
    eps, (mu, log_sigma) = _repeated(nodes.reshape(-1, 2, 2), mu, log_sigma)
    f = student.given("square")
    grads = [student.grad_pathwise(f, mu, log_sigma, noise) for noise in (eps[:1], eps)]
    by_node = [np.stack([g.reshape(len(law), 2, 2) for g in pair], axis=1) for pair in grads]
    return {"grad": np.stack(by_node, axis=1), "grad__weight": law}


def _theta(student, rng, size, log_sigma):
    """Arguments of grad_theta, of a size (m, b, k, d, eta)."""
    m, b, k, d, eta = size
    gaussians = _alike(student.domain, rng, (m, b, k), log_sigma)
    x, weight, bias, eta = _decoder(student.domain, rng, b, k, d, eta)
    return (x, eta), weight, bias, *gaussians


def _by_theta(student, calls):
    """Both gradients by θ, [d, k + 1] for each call, in units of their scales.

    Where thousands of terms are added one by one, roundings grow with the root of their number.
    """
    found, scales = [], []
    for (x, eta), weight, bias, mu, log_sigma, eps in calls:
        log_lik = student.given("log_lik", x, eta)
        grads = student.grad_theta(log_lik, weight, bias, mu, log_sigma, eps)
        z = _size_of(mu, log_sigma, eps)
        terms = (np.abs(x) + np.abs(bias) + z @ np.abs(weight).T) / eta
        terms = terms * max(1.0, np.sqrt(len(eps) * len(x)) / SMALL)
        by_weight = np.einsum("mbd,mbk->dk", terms, z) / (len(eps) * len(x))
        for pair, into in ((grads, found), ((by_weight, terms.mean((0, 1))), scales)):
            into.append(np.concatenate([pair[0], pair[1][:, None]], axis=1))
    return _in_units("grad", found, scales)


def _any_size(student, rng, samples=None):
    """Arguments of grad_theta of all sizes, at usual σ; with ``samples`` as many in each."""
    most = student.domain.sizes("d")[1]
    sizes = [*_sizes(student.domain, rng), _largest(student.domain)]
    data = rng.permutation(len(sizes)) % most + 1
    for i, ((m, b, k), d) in enumerate(zip(sizes, data.tolist(), strict=True)):
        size = samples or m, b, k, d, rng.uniform(0.3, 2.0)
        (x, eta), weight, bias, *gaussians = _theta(student, rng, size, rng.uniform(-1.0, 1.0))
        if i % 4 == 1:
            weight[0, 0], bias[0] = 0.0, 0.0
        elif i % 4 == 2:
            x[:] = x[0]
        yield (x, eta), weight, bias, *_tied(i, *gaussians)


def theta(student, rng):
    """One sample: batches of all sizes, and standard deviations of several sizes."""
    sizes = ((1, 1, 1, 0.1), (1, 2, 3, 2.0), (3, 2, 2, 1.0), (200, 1, 3, 0.5), (4, 4, 4, 0.5))
    sizes = [(1, *size) for size in (*sizes, (3, 2, 2, 1.0), (2, 1, 1, 1.0))]
    spreads = (-30.0, 20.0, 0.0, -2.0, -10.0, -1.0, 3.0)
    calls = [_theta(student, rng, *each) for each in zip(sizes, spreads, strict=True)]
    return _by_theta(student, [*calls, *_any_size(student, rng, 1)])


def theta_average(student, rng):
    """More than one sample: all numbers of them; then one argument changed alone."""
    sizes = ((16, 6, 2, 3, 0.7), (2, 1, 1, 1, 0.5), (3, 4, 3, 2, 1.0), (50, 2, 4, 1, 0.5))
    sizes += ((4, 5, 2, 4, 1.0), (5, 3, 1, 2, 0.3), (31, 7, 3, 3, 2.0))
    spreads = (0.0, -1.0, -20.0, 8.0, 0.0, -2.0, 1.0)
    calls = [_theta(student, rng, *each) for each in zip(sizes, spreads, strict=True)]
    calls += _any_size(student, rng)
    first, second = (_theta(student, rng, (3, 4, 2, 3, eta), 0.0) for eta in (0.4, 0.9))
    calls += student.domain.replaced(first, second)
    models = student.domain.replaced(second[0], first[0])
    calls += [(model, *calls[-1][1:]) for model in models[1:]]
    return _by_theta(student, calls)


def example(student, rng):
    return {"agrees": student.example()}
