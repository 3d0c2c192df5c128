"""What is measured of vae-loss-step: terms row by row, their gradients, the loss, and one step.

Every function is called with the smallest sizes and the largest, with ordinary numbers, with
numbers from all of the domain, with numbers of one sign, with rows that are the same and zeros, and
with every argument changed alone (all but its first and last row). A scale S is the sum of the
absolute terms, from the inputs alone; where exp is taken of a sum, its rounding is in S too.
"""

import numpy as np

USUAL = (7, 5, 3)  # rows, pixels, latent dimensions: unequal, odd
TWICE = [0, 0, 0, 1, 1, 2, 3]  # rows of a call in which rows repeat, one more often than another


def _sizes(student):
    """(b, d, k) of all calls; the first two are alike."""
    (b, b_most), (d, d_most), (k, k_most) = (student.domain.sizes(axis) for axis in "bdk")
    edges = [(b, d, k), (b, d_most, k_most), (b_most, d, k_most), (b_most, d_most, k), (2, 2, 2)]
    return [USUAL, USUAL, *edges, (2, 5, 3)]


def _drawn(student, rng, name, ordinary):
    """`ordinary`, its last row (of those with more than one) from all of the domain."""
    if len(ordinary) > 1:
        ordinary[-1:] = student.domain.draw(rng, name, *ordinary[-1:].shape)
    return ordinary


def _pixels(rng, b, d):
    """Grey values in most rows, zeros and ones in every second one: [b, d]."""
    x = rng.uniform(0, 1, (b, d))
    x[::2] = rng.integers(0, 2, x[::2].shape)
    return x


def _bernoulli(student, rng):
    cases = []
    for b, d, _ in _sizes(student):
        x, x_logits = _pixels(rng, b, d), rng.normal(0, 3, (b, d))
        cases.append((x, _drawn(student, rng, "x_logits", x_logits)))
    shape = 5, student.domain.sizes("d")[1]
    far = student.domain.draw(rng, "x_logits", *shape)
    middle = rng.uniform(15, 40, shape) * rng.choice([-1.0, 1.0], shape)
    grey = student.domain.draw(rng, "x", *shape)
    cases += [(_pixels(rng, *shape), far), (_pixels(rng, *shape), middle), (grey, far)]
    return student.domain.replaced(*cases, *student.domain.one_sided(cases[0]))


def _gaussian(student, rng):
    cases = []
    edges = student.domain.draw(rng, "eta", 3)
    for index, (b, d, _) in enumerate(_sizes(student)):
        x, x_mean = rng.normal(0, 2, (2, b, d))
        for name, array in (("gaussian_rec.x", x), ("x_mean", x_mean)):
            _drawn(student, rng, name, array)
        x_mean[0, 0] = x[0, 0]
        if b > 3:
            x[2], x_mean[2] = x[1], x_mean[1]
            x[3], x_mean[3], x[4] = x[3, 0], x_mean[3, 0], 0.0
        eta = edges[index - 2] if 2 <= index < 5 else np.exp(rng.uniform(-2, 2))
        if index == 5:
            x_mean[0], eta = x[0], 1.0
        cases.append((x, x_mean, np.array(eta)))
    return student.domain.replaced(*cases, *student.domain.one_sided(cases[0]))


def _codes(student, rng):
    """(mu, log_sigma) of all calls; in the last one, either of them is 0, or both are."""
    cases = []
    for b, _, k in _sizes(student):
        mu, log_sigma = rng.normal(0, 2, (b, k)), rng.uniform(-3, 1, (b, k))
        if b > 2:
            mu[1], log_sigma[1] = 1e-3 * rng.normal(size=(2, k))
        _drawn(student, rng, "mu", mu)
        cases.append((mu, _drawn(student, rng, "log_sigma", log_sigma)))
    mu, log_sigma = rng.normal(0, 2, (2, 3, USUAL[2]))
    mu[[0, 2]], log_sigma[[1, 2]] = 0.0, 0.0
    return student.domain.replaced(*cases, *student.domain.one_sided(cases[0]), (mu, log_sigma))


def _joined(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def _rec_scale(x, x_logits):
    return (np.abs(x_logits) * (1 + x) + 1).sum(axis=1)


def _gaussian_scale(x, x_mean, eta):
    squares = (np.abs(x) + np.abs(x_mean)) ** 2 / (2 * eta)
    return (squares + (np.log(2 * np.pi) + np.abs(np.log(eta))) / 2).sum(axis=1)


def _spread(log_sigma):
    """σ², and what rounding of its exponent adds."""
    return np.exp(2 * log_sigma) * (1 + 2 * np.abs(log_sigma))


def _kl_scale(mu, log_sigma):
    return ((mu**2 + _spread(log_sigma) + 1) / 2 + np.abs(log_sigma)).sum(axis=1)


def bernoulli(student, rng):
    """Rows; the last call has logits of 0, where no gradient is asked for."""
    cases = _bernoulli(student, rng)
    x, x_logits = cases[0]
    cases.append((x, x_logits * (np.arange(USUAL[1]) % 2)))
    found = [student.bernoulli_rec(*case) for case in cases]
    return {"rec": _joined(found), "rec__scale": _joined(_rec_scale(*case) for case in cases)}


def gaussian(student, rng):
    cases = _gaussian(student, rng)
    found = [student.gaussian_rec(*case) for case in cases]
    return {"rec": _joined(found), "rec__scale": _joined(_gaussian_scale(*case) for case in cases)}


def divergence(student, rng):
    cases = _codes(student, rng)
    found = [student.kl(*case) for case in cases]
    return {"kl": _joined(found), "kl__scale": _joined(_kl_scale(*case) for case in cases)}


def _cotangent(rng, b):
    return rng.uniform(0.5, 2.0, b) * rng.choice([-1.0, 1.0], b)


def gradient(student, rng):
    """Of every term by every argument that the statement promises, each row weighted."""
    found, scale = [], []
    for x, x_logits in _bernoulli(student, rng):
        weight = _cotangent(rng, len(x))
        found += student.vjp("bernoulli_rec", (x, x_logits), (1,), weight)
        scale.append(np.abs(weight)[:, None] * (1 + x))
    for x, x_mean, eta in _gaussian(student, rng):
        weight = _cotangent(rng, len(x))
        found += student.vjp("gaussian_rec", (x, x_mean, eta), (1, 2), weight)
        size = np.abs(x) + np.abs(x_mean)
        slope = ((size**2 / eta + 1) / (2 * eta)).sum(axis=1)
        scale += [np.abs(weight)[:, None] * size / eta, (np.abs(weight) * slope).sum()]
    for mu, log_sigma in _codes(student, rng):
        weight = _cotangent(rng, len(mu))
        found += student.vjp("kl", (mu, log_sigma), (0, 1), weight)
        weight = np.abs(weight)[:, None]
        scale += [weight * np.abs(mu), weight * (_spread(log_sigma) + 1)]
    return {"grad": _joined(found), "grad__scale": _joined(scale)}


def _batches(student, rng):
    """(x, x_logits, mu, log_sigma); the rows from all of the domain in calls of their own.

    In the last one rows repeat, and some logits, means and ln σ are 0.
    """
    ordinary, wide = [], []
    for b, d, k in _sizes(student):
        codes = rng.normal(0, 2, (b, k)), rng.uniform(-3, 1, (b, k))
        ordinary.append((_pixels(rng, b, d), rng.normal(0, 3, (b, d)), *codes))
        names = ("x", d), ("x_logits", d), ("mu", k), ("log_sigma", k)
        wide.append(tuple(student.domain.draw(rng, name, b, width) for name, width in names))
    repeated = tuple(array[TWICE] for array in ordinary[0])
    for array in repeated[1:]:
        array[:, 0] = array[3:5] = 0.0
    sides = student.domain.one_sided(ordinary[0])
    return [*student.domain.replaced(*ordinary, *sides), *wide, repeated]


def loss(student, rng):
    """(loss, reconstruction, KL) of a batch."""
    found, scale = [], []
    for x, x_logits, mu, log_sigma in _batches(student, rng):
        found.append(student.vae_loss(x, x_logits, mu, log_sigma))
        rec, divergence = _rec_scale(x, x_logits).mean(), _kl_scale(mu, log_sigma).mean()
        scale.append((rec + divergence, rec, divergence))
    return {"parts": _joined(found), "parts__scale": _joined(scale)}


def _noise(rng, *shape):
    """Standard normal numbers, one of which lies further out than they usually do."""
    eps = rng.normal(size=shape)
    eps[tuple(map(rng.integers, shape))] = rng.choice([-1.0, 1.0]) * rng.uniform(5, 6)
    return eps


def _networks(student, rng):
    """(x, eps, v, s, u) of all sizes, the first two alike; of one sign; zeros; weights far out."""
    cases = []
    for b, d, k in _sizes(student):
        shapes = {"v": (k, d), "s": (k, d), "u": (d, k)}
        drawn = [student.domain.draw(rng, name, *shape) for name, shape in shapes.items()]
        cases.append((_pixels(rng, b, d), _noise(rng, b, k), *drawn))
    corners = _corner(student, rng), _far_corner(student, rng)
    return [*cases, *student.domain.one_sided(cases[0]), _repeated(*cases[0]), *corners]


def _repeated(x, eps, v, s, u):
    """The same where rows repeat, and each latent dimension lacks another one of its weights."""
    v, s, u = v.copy(), s.copy(), u.copy()
    u[:, 0] = v[1] = s[2] = 0.0
    return x[TWICE], eps[TWICE], v, s, u


def _ends(student, rng):
    """The largest size of a number in v, s and u."""
    return (np.abs(student.domain.draw(rng, name, 2)).max() for name in "vsu")


def _corner(student, rng):
    """One row of ones with weights at the ends, so that ln σ and gradients go far."""
    d, k = student.domain.sizes("d")[1], student.domain.sizes("k")[1]
    v, s, u = _ends(student, rng)
    v *= rng.choice([-1.0, 1.0], (k, d))
    s *= np.where(np.arange(k) % 2, -1.0, 1.0)[:, None] * np.ones((k, d))
    u *= rng.choice([-1.0, 1.0], (d, k))
    return np.ones((1, d)), rng.normal(size=(1, k)), v, s, u


def _far_corner(student, rng):
    """Logits about as large as they can get, of both signs: every product has the sign of ε."""
    d, k = student.domain.sizes("d")[1], student.domain.sizes("k")[1]
    v, s, u = _ends(student, rng)
    many = rng.normal(size=(4000, k))
    eps = many[np.abs(many).sum(axis=1).argmax()]
    signs = rng.permutation(np.where(np.arange(d) % 2, -1.0, 1.0))
    v, u = v * np.sign(eps)[:, None] * np.ones((k, d)), u * np.outer(signs, np.sign(eps))
    return np.ones((1, d)), eps[None], v, np.full((k, d), s), u


def _network_scales(x, eps, v, s, u):
    """Of the loss, and of its gradients by v, s and u: every product of absolute values."""
    mu, exponent = x @ np.abs(v).T, x @ np.abs(s).T
    log_sigma = x @ s.T
    noise = np.exp(log_sigma) * (1 + exponent) * np.abs(eps)
    z = mu + noise
    logits = z @ np.abs(u).T
    spread = np.exp(2 * log_sigma) * (1 + 2 * exponent)
    rec, divergence = (2 * logits + 1).sum(axis=1), (mu**2 + spread + 1) / 2 + exponent
    slope = 2 + logits / 2
    through_z = slope @ np.abs(u)
    by_v = (through_z + mu).T @ x
    by_s = (through_z * noise + spread + 1).T @ x
    total = (rec + divergence.sum(axis=1)).mean()
    return total, by_v / len(x), by_s / len(x), slope.T @ z / len(x)


def network(student, rng):
    """The loss, and its gradients by encoder and decoder, each weighted with a number.

    A network of zeros is asked for its loss alone: the usual max(l, 0) + ln(1 + e^-|l|) has no
    slope of its own where l is exactly 0.
    """
    losses, encoder, decoder, scales = [], [], [], []
    for case in student.domain.replaced(*_networks(student, rng)):
        losses.append(student.network_loss(*case))
        weight = rng.uniform(1.0, 2.0)
        by_v, by_s, by_u = student.vjp("network_loss", case, (2, 3, 4), np.asarray(weight))
        encoder += [by_v, by_s]
        decoder.append(by_u)
        total, *slopes = _network_scales(*case)
        scales.append((total, *(weight * slope for slope in slopes)))
    x, eps, *parameters = _networks(student, rng)[0]
    zeros = [0 * array for array in parameters]
    losses.append(student.network_loss(x, eps, *zeros))
    totals = [*(total for total, *_ in scales), _network_scales(x, eps, *zeros)[0]]
    return {
        "loss": _joined(losses),
        "loss__scale": np.array(totals),
        "encoder": _joined(encoder),
        "encoder__scale": _joined(part for _, *parts, _ in scales for part in parts),
        "decoder": _joined(decoder),
        "decoder__scale": _joined(slope for *_, slope in scales),
    }


def step(student, rng):
    """(v, s, u) after a step, the rates 0 and 1 among them; the last of them without noise."""
    found, scale = [], []
    cases = _networks(student, rng)
    x, eps, *parameters = cases[1]
    cases.append((x, 0 * eps, *parameters))
    rates = [*rng.uniform(0.1, 0.9, 2), *student.domain.draw(rng, "rate", len(cases) - 2)]
    calls = ((*case, float(rate)) for case, rate in zip(cases, rates, strict=True))
    for call in student.domain.replaced(*calls):
        found += student.sgd_step(*call)
        *case, rate = call
        _, *slopes = _network_scales(*case)
        scale += [np.abs(old) + rate * slope for old, slope in zip(case[2:], slopes, strict=True)]
    return {"parameters": _joined(found), "parameters__scale": _joined(scale)}


def example(student, rng):
    del rng
    return {"agrees": student.example()}
