"""What is measured of vi-fit-and-amortise: steps, optimality gaps, an encoder and two counts.

Where the best q must be known, its mean or the misfit that is left at it is drawn first and the
data follow, so that no model has to be solved here. The scale S of a value is the sum of the
absolute terms of its formula, from the inputs alone.
"""

import numpy as np

CURVATURE = (4.0, 16.0)  # the largest curvature of a bound by μ is drawn from here
STEEPEST = (15.9, 16.0)  # or from here, where q is as narrow as it gets
STEEPNESS = (1.4, 1.6)  # ‖W‖₂ where the data are exponential
FAR = 1e3  # data are multiplied by it where gradients are to be large
SPECIAL = 7, 6  # data and latents of a decoder with equal rows, equal columns and zeros


def _matrix(rng, d, k, norm):
    weight = rng.normal(size=(d, k))
    return weight * norm / np.linalg.norm(weight, 2)


def _linear(rng, b, d, k, curvature=CURVATURE):
    """x, weight, bias, eta of a linear Gaussian model; if k <= d, also the best means [b, k].

    The misfit r = x - b - W m has Wᵀ r = η m, which it can have where k <= d.
    """
    eta = rng.choice([0.3, rng.uniform(0.3, 1.0), 1.0])
    weight = _matrix(rng, d, k, np.sqrt(eta * (rng.uniform(*curvature) - 1)))
    inverse, bias = np.linalg.pinv(weight), rng.normal(size=d)
    mean, noise = rng.normal(size=(b, k)), np.sqrt(eta) * rng.normal(size=(b, d))
    misfit = noise - noise @ weight @ inverse + eta * mean @ inverse
    return (mean @ weight.T + bias + misfit, weight, bias, np.array(eta)), mean


def _linear_gap(model, mean, mu, log_sigma):
    """max L - L in nats: [b]."""
    _, weight, _, eta = model
    off = mu - mean
    twice = 2 * log_sigma + np.log1p((weight**2).sum(0) / eta)
    by_mu = ((off @ weight.T) ** 2).sum(1) / eta + (off**2).sum(1)
    return 0.5 * (by_mu + (np.expm1(twice) - twice).sum(1))


def _exponential(rng, b, d, k):
    """x, weight, bias of a model of exponential data, and the best q, mean and ln σ [b, k] each.

    A share y of the data, x over its mean under q, has m = Wᵀ (y - 1).
    """
    weight, bias = _matrix(rng, d, k, rng.uniform(*STEEPNESS)), rng.normal(size=d)
    share = rng.uniform(0.4, 1.8, (b, d))
    best = (share - 1) @ weight, -0.5 * np.log1p(share @ weight**2)
    x = share * np.exp(best[0] @ weight.T + bias - 0.5 * np.exp(2 * best[1]) @ (weight**2).T)
    return (x, weight, bias), best


def _exponential_bound(model, mu, log_sigma):
    """L less its constant, in nats: [b]."""
    x, weight, bias = model
    log_mean, sigma2 = mu @ weight.T + bias, np.exp(2 * log_sigma)
    rec = log_mean + x * np.exp(0.5 * sigma2 @ (weight**2).T - log_mean)
    return (log_sigma - 0.5 * (sigma2 + mu**2)).sum(1) - rec.sum(1)


def _linear_scale(model, mu, log_sigma, lr):
    """Of μ and ln σ after a step: [2, b, k]."""
    x, weight, bias, eta = model
    size = np.abs(x) + np.abs(bias) + np.abs(mu) @ np.abs(weight).T
    by_mu = size @ np.abs(weight) / eta + np.abs(mu)
    by_log_sigma = 1 + np.exp(2 * log_sigma) * (1 + (weight**2).sum(0) / eta)
    return np.stack([np.abs(mu) + lr * by_mu, np.abs(log_sigma) + lr * by_log_sigma])


def _exponential_scale(model, mu, log_sigma, lr):
    x, weight, bias = model
    sigma2 = np.exp(2 * log_sigma)
    spread = 0.5 * sigma2 @ (weight**2).T
    size = 1 + np.abs(mu) @ np.abs(weight).T + np.abs(bias) + spread
    share = x * np.exp(spread - mu @ weight.T - bias) * size  # rounding of the exponent
    by_mu = (1 + share) @ np.abs(weight) + np.abs(mu)
    by_log_sigma = 1 + sigma2 * (1 + share @ weight**2)
    return np.stack([np.abs(mu) + lr * by_mu, np.abs(log_sigma) + lr * by_log_sigma])


def _batches(student, rng):
    """Of two batches alike, then one of every number of rows, of drawn dimensions: (b, d, k).

    Four rows have four dimensions of either kind, where a result along a wrong axis has its shape.
    """
    least, most = student.domain.sizes("b")
    rows = np.arange(least, most + 1)
    drawn = np.stack([rows, rng.permutation(rows) % 6 + 1, rng.permutation(rows) % 5 + 1], axis=1)
    drawn[rows == 4] = 4
    return [(6, 3, 2), (6, 3, 2), *drawn.tolist()]


def _steps(student, rng, name, draw, size):
    """Batches of all sizes; steps from tiny to large. Of three in turn one has q far out, one x.

    The first two have the same sizes; calls follow in which one argument is that of the second. In
    their last row all numbers are alike.
    """
    calls = []
    sizes = _batches(student, rng)
    rates = student.domain.draw(rng, "lr", len(sizes)).tolist()
    for i, ((b, d, k), lr) in enumerate(zip(sizes, rates, strict=True)):
        (x, *rest), _ = draw(rng, b, d, k)
        model = (x * FAR if i % 3 == 2 else x, *rest)
        mu, log_sigma = rng.normal(size=(b, k)), rng.uniform(-2.5, 0.5, (b, k))
        if i % 3 == 1:
            names = "ascent_step.mu", "ascent_step.log_sigma"
            mu, log_sigma = (student.domain.draw(rng, name, b, k) for name in names)
        if i < 2:
            mu[-1], log_sigma[-1] = mu[-1, 0], log_sigma[-1, 0]
        calls.append((model, mu, log_sigma, lr))
    values, scales = [], []
    for model, mu, log_sigma, lr in [*student.domain.replaced(*calls[:2]), *calls[1:]]:
        found = student.ascent_step(student.given(name, *model), mu, log_sigma, lr)
        values.append(np.stack(found).ravel())
        scales.append(size(model, mu, log_sigma, lr).ravel())
    return {"q": np.concatenate(values), "q__scale": np.concatenate(scales)}


def step(student, rng):
    return _steps(student, rng, "elbo_linear", _linear, _linear_scale)


def step_exponential(student, rng):
    return _steps(student, rng, "elbo_exponential", _exponential, _exponential_scale)


def _odd(rng, *, square=False):
    """A batch of an odd number of rows, of many latents and at least as many data: b, d, k.

    There are as many rows as latents where `square` is asked for.
    """
    k = int(rng.choice([5, 7]) if square else rng.integers(4, 9))
    b = k if square else int(rng.choice([5, 7, 9, 11, 13, 15]))
    return b, k + int(rng.integers(3)), k


def fit(student, rng):
    """Optimality gaps from poor starts: far means, and widths too small and too large by far.

    The first and the last start of a batch of an odd number of rows are the same.
    """
    gaps = []
    twice = int(2 * rng.integers(1, 9)), 3, 2
    least = student.domain.sizes("b")[0]
    square = _odd(rng, square=True)
    for i, (b, d, k) in enumerate((twice, twice, square, (least, 1, 1))):
        model, mean = _linear(rng, b, d, k, STEEPEST if k == 1 else CURVATURE)
        if i != 1:  # the second model is fitted from where the first was
            mu = rng.choice([-1, 1], (b, k)) * rng.uniform(2, 5, (b, k))
            low = np.where(np.arange(b)[:, None] % 2, -4.0, 0.5)
            log_sigma = low + rng.uniform(0, 0.5, (b, k))
            if b % 2:
                mu[-1], log_sigma[-1] = mu[0], log_sigma[0]
        elbo = student.given("elbo_linear", *model)
        found = student.fit_q(elbo, mu, log_sigma)
        with np.errstate(all="ignore"):
            gaps.append(_linear_gap(model, mean, *found))
    return {"gap": np.concatenate(gaps)}


def fit_exponential(student, rng):
    """The same from the prior and its neighbourhood, where the posterior is no Gaussian."""
    b, k = student.domain.sizes("b")[1], int(rng.integers(2, 5))
    model, best = _exponential(rng, b, k + 2, k)
    near = (np.arange(b) > 0)[:, None]
    mu, log_sigma = near * rng.uniform(-1, 1, (b, k)), near * rng.uniform(-3, 0, (b, k))
    elbo = student.given("elbo_exponential", *model)
    found = student.fit_q(elbo, mu, log_sigma)
    with np.errstate(all="ignore"):
        gap = _exponential_bound(model, *best) - _exponential_bound(model, *found)
    return {"gap": gap}


def _shapes(rng):
    """Numbers of data and of latents (d, k): more, as many and fewer, each number up to nine."""
    drawn = np.stack([rng.permutation(9) + 1, rng.permutation(9) + 1], axis=1)
    return [(3, 2), (3, 2), (2, 2), (1, 1), (1, 3), (3, 1), SPECIAL, (4, 9), *drawn.tolist()]


def _decoders(student, rng, sizes):
    """weight, bias, eta, and a number that is not below the condition of I + WᵀW / η.

    The first two have the same sizes; decoders follow in which one argument is that of the second.
    One has equal rows and columns, zeros, and a latent dimension that no data depend on.
    """
    calls = []
    for (d, k), eta in zip(sizes, student.domain.draw(rng, "eta", len(sizes)), strict=True):
        weight, bias = rng.normal(size=(d, k)), student.domain.draw(rng, "bias", d)
        if (d, k) == SPECIAL:
            weight[-1], weight[1], weight[2] = weight[0], weight[1, 0], 0.0
            weight[:, -1], weight[:, 2], bias[0], bias[-1] = weight[:, 0], 0.0, 0.0, bias[1]
        calls.append((weight, bias, np.array(eta)))
    alone = student.domain.replaced(*calls[:2], *student.domain.one_sided(calls[0]))
    for weight, bias, eta in [*alone, *calls[1:]]:
        yield weight, bias, eta, 1 + (weight**2).sum() / eta


def mean_field_gap(student, rng):
    """Random decoders of all shapes, the last one with its columns at right angles."""
    values, scales = [], []
    sizes = *_shapes(rng), (4, 2)
    for drawn, _, eta, _ in _decoders(student, rng, sizes):
        d, k = drawn.shape
        aligned = (d, k) == sizes[-1]
        weight = np.linalg.qr(drawn)[0] * rng.uniform(0.5, 2.0, k) if aligned else drawn
        values.append(float(student.mean_field_gap(weight, eta)))
        scales.append(k * (1 + (weight**2).sum() / eta))
    return {"gap": np.array(values), "gap__scale": np.array(scales)}


def encoder(student, rng):
    """A, c and ln σ one after the other, for more, as many and fewer data than latents."""
    values, scales = [], []
    for weight, bias, eta, condition in _decoders(student, rng, _shapes(rng)):
        d, k = weight.shape
        values += [array.ravel() for array in student.linear_encoder(weight, bias, eta)]
        size = condition * (1 + np.linalg.norm(weight) / np.sqrt(eta)) / np.sqrt(eta)
        scales.append(np.full(k * d, size))
        scales.append(np.full(k, size * np.linalg.norm(bias)))
        scales.append(np.full(k, 1 + np.log(condition)))
    return {"phi": np.concatenate(values), "phi__scale": np.concatenate(scales)}


def encode(student, rng):
    """Of batches of every size, and with one argument changed alone."""
    names = "encode.slope", "encode.offset", "encode.log_sigma", "encode.x"
    calls = []
    for b, d, k in ((6, 3, 4), (6, 3, 4), (3, 3, 3), *_batches(student, rng)):
        shapes = (k, d), (k,), (k,), (b, d)
        named = zip(names, shapes, strict=True)
        calls.append(tuple(student.domain.draw(rng, name, *shape) for name, shape in named))
    slope, offset, log_sigma, x = calls[2]  # as many rows as data and latents
    slope[-1], slope[1], offset[0], log_sigma[-1] = slope[0], 0.0, 0.0, log_sigma[0]
    x[-1], x[1] = x[0], x[1, 0]
    values, scales = [], []
    for slope, offset, log_sigma, x in [*student.domain.replaced(*calls[:2]), *calls[1:]]:
        values.append(np.stack(student.encode(slope, offset, log_sigma, x)).ravel())
        size = np.abs(x) @ np.abs(slope).T + np.abs(offset)
        scales += [size.ravel(), np.tile(np.abs(log_sigma), len(x))]
    return {"q": np.concatenate(values), "q__scale": np.concatenate(scales)}


def amortised(student, rng):
    """What the encoder of a decoder leaves of the best bound, at data that it has not met."""
    gaps = []
    for b, d, k in ((1, 3, 2), _odd(rng)):
        model, mean = _linear(rng, b, d, k)
        found = student.encode(*student.linear_encoder(*model[1:]), model[0])
        with np.errstate(all="ignore"):
            gaps.append(_linear_gap(model, mean, *found))
    return {"gap": np.concatenate(gaps)}


def counts(student, rng):
    found = []
    for _ in range(4):
        n, d = (int(size) for size in rng.integers(100, 10_000, 2))
        theta, k = int(rng.integers(50_000, 900_000)), int(rng.integers(3, 60))
        found.append(student.n_params(theta, n, d, k))
    found += [student.n_params(3, 1, 1, 1), student.n_params(11, 5, 1, 7)]
    found += [student.n_params(999_983, 10**8, 7, 59), student.n_params(10**6, 1, 784, 1)]
    found.append(student.n_params(0, 5, 3, 2))
    return {"n": np.array(found, dtype=np.float64), "n__scale": np.ones((len(found), 2))}


def example(student, rng):
    del rng
    return {"agrees": student.example()}
