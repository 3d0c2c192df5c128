"""What is measured of vae-2d-gaussian: the formulas on random numbers, and training, seed by seed.

The law of the points is drawn anew for every seed. An encoder has seen the points that are
coded, so its sandbox is gone before a decoder's begins; what goes from one to the other is the
state, taken before the first of those points was sent, and z, one a point, drawn here.
"""

import numpy as np

ROWS, LATENT, DATA = 50, 3, 4  # of most batches; unequal, so that no axis passes for another
TRAINING, POINTS = 4000, 4000
SINGLE = 1e-4  # what single precision may make of the order of rows
FORWARD = 1e-5  # and of a network whose weights and biases are all one number
HIDDEN = 32
NUMBERS = 4 * HIDDEN + 3 * HIDDEN + HIDDEN**2 + 8 * HIDDEN + 8  # of weights and biases
LONG, SHORT, CENTRE = 5.0, 1.0, 2.0
# Σ log p/p_true over fresh points exceeds g nats with probability at most exp(-g), whatever p is
IMPOSSIBLE_NATS = 20.0


def _batches(student, rng):
    """(x, μ, ln σ, and mean and ln σ of p(x | z)) of all sizes; the first two are of one size.

    Of the third, all sizes are the same; the most of both widths come together.
    """
    (b, k, d), (b_most, k_most, d_most) = zip(*map(student.domain.sizes, "bkd"), strict=True)
    sizes = [(ROWS, LATENT, DATA)] * 2
    sizes += [(4, 4, 4), (b, k_most, d_most), (b_most, k, d)]
    return [_numbers(student, rng, *size) for size in sizes]


def _calls(student, rng):
    """The batches; between the first two, arguments of the second take the place of the first's."""
    first, second, *others = _batches(student, rng)
    return student.domain.replaced(first, second, second, *others, first, alike="axes")


def _samples(student, rng):
    """(μ, ln σ, ε) of all sizes, each of them new alone as well."""
    calls = []
    for _, mu, log_sigma, *_ in _batches(student, rng):
        eps = rng.normal(size=mu.shape)
        eps[0, 0] = rng.choice([-1.0, 1.0]) * rng.uniform(5, 6)  # further out than they usually lie
        calls.append((mu, log_sigma, eps))
    first, second, *others = calls
    return student.domain.replaced(first, second, second, *others, first, alike="axes")


def _numbers(student, rng, rows, latent, data):
    """Ordinary numbers in most rows; in the last one, in 3, 6 and 9 any that the domain allows.

    In row 1 q is close to the prior, in row 2 the point is close to the decoder's mean; in 4, 5, 7
    and 8 q is narrow, and nothing else is large that would hide its variance.
    """
    x, x_mean = rng.normal(0.0, 2.0, (2, rows, data))
    mu = rng.normal(0.0, 2.0, (rows, latent))
    log_sigma, x_log_sigma = (rng.uniform(-2.0, 1.0, (rows, width)) for width in (latent, data))
    args = x, mu, log_sigma, x_mean, x_log_sigma
    if rows > 2:
        mu[1], log_sigma[1] = 0.01 * rng.normal(size=(2, latent))
        x_mean[2], x_log_sigma[2] = x[2] + 0.01 * rng.normal(size=data), -2.0
    for small in (log_sigma[4:6], log_sigma[7:9]):
        small[:] = rng.uniform(-16.0, -3.0, small.shape)
    for name, array in zip(("x", "mu", "log_sigma", "x_mean", "x_log_sigma"), args, strict=True):
        array[-1:] = student.domain.draw(rng, name, *array[-1:].shape)
        array[3:10:3] = student.domain.draw(rng, name, *array[3:10:3].shape)
    return args


def _ordinary(array):
    """The rows that the others do not vanish beside in a mean; all, if there are few."""
    return np.delete(array, [3, 6, 9, -1], axis=0) if len(array) > 10 else array[:3]


def _joined(arrays):
    return np.concatenate([array.ravel() for array in arrays])


def sample(student, rng):
    found, scales = [], []
    for mu, log_sigma, eps in _samples(student, rng):
        found.append(student.sample(mu, log_sigma, eps))
        scales.append(np.abs(mu) + np.exp(log_sigma) * np.abs(eps))
    return {"z": _joined(found), "z__scale": _joined(scales)}


def sample_gradient(student, rng):
    """By μ and by ln σ: (z̄, z̄ σ ε)."""
    found, scales = [], []
    for mu, log_sigma, eps in _samples(student, rng):
        cotangent = rng.normal(size=mu.shape)
        found += student.vjp("sample", (mu, log_sigma, eps), (0, 1), cotangent)
        scales += [np.abs(cotangent), np.abs(cotangent * np.exp(log_sigma) * eps)]
    return {"gradient": _joined(found), "gradient__scale": _joined(scales)}


def _term_scales(x, mu, log_sigma, x_mean, x_log_sigma):
    """The sums [2, b] of the absolute summands of both terms."""
    squared = (np.abs(x) + np.abs(x_mean)) ** 2 * np.exp(-2 * x_log_sigma)
    rounded = 1 + 2 * np.abs(x_log_sigma)  # of the exponent
    rec = (squared / 2 * rounded + np.abs(x_log_sigma) + np.log(2 * np.pi) / 2).sum(axis=1)
    spread = np.exp(2 * log_sigma) * (1 + 2 * np.abs(log_sigma))
    kl = ((mu**2 + spread + 1) / 2 + np.abs(log_sigma)).sum(axis=1)
    return np.stack([rec, kl])


def terms(student, rng):
    """Both terms of -ELBO, a row each, and the loss; S is the sum of their absolute summands."""
    calls = _calls(student, rng)
    found = [np.stack(student.elbo_terms(*args)) for args in calls]
    scales = [_term_scales(*args) for args in calls]
    for args in calls:
        ordinary = [_ordinary(array) for array in args]
        found.append(student.loss(*ordinary))
        scales.append(_term_scales(*ordinary).sum(axis=0).mean())
    return {"terms": _joined(map(np.asarray, found)), "terms__scale": _joined(scales)}


def loss_gradient(student, rng):
    """By μ, ln σ, and by mean and ln σ of p(x | z)."""
    found, scales = [], []
    for args in _calls(student, rng):
        x, mu, log_sigma, x_mean, x_log_sigma = args
        cotangent = rng.uniform(1.0, 2.0)
        found += student.vjp("loss", args, (1, 2, 3, 4), np.asarray(cotangent))
        size, precision = np.abs(x) + np.abs(x_mean), np.exp(-2 * x_log_sigma)
        precision *= 1 + 2 * np.abs(x_log_sigma)  # rounding of the exponent
        spread = np.exp(2 * log_sigma) * (1 + 2 * np.abs(log_sigma))
        parts = np.abs(mu), spread + 1, size * precision, size**2 * precision + 1
        scales += [part * cotangent / len(x) for part in parts]
    return {"gradient": _joined(found), "gradient__scale": _joined(scales)}


def _filled(vae, numbers):
    """Puts `numbers(shape)` into every floating-point entry of a model's state."""
    vae.load(
        {
            name: numbers(array.shape).astype(array.dtype) if array.dtype.kind == "f" else array
            for name, array in vae.state().items()
        }
    )


def _one_by_one(student, rng):
    """Whether a used model answers as a new one with the same state does: [rows] of each call.

    From call to call a single entry of the state is new. The last value says whether the entries
    that the answers depend on hold as many numbers as the statement's networks have.
    """
    points = [student.domain.draw(rng, name, 5, 2) / 10 for name in ("encode.x", "z")]

    def answers(model):
        coded = zip((model.encode, model.decode), points, strict=True)
        return np.concatenate([np.concatenate(coder(x), axis=1) for coder, x in coded], axis=1)

    drawn, used = rng.spawn(1)[0], student.new("VAE")  # a generator of its own, as below
    _filled(used, lambda shape: drawn.normal(0.0, 0.3, shape))
    state, before, alike, numbers = used.state(), answers(used), [], 0
    for name, array in state.items():
        if array.dtype.kind == "f":
            state = state | {name: drawn.normal(0.0, 0.3, array.shape).astype(array.dtype)}
            fresh = student.new("VAE")
            for model in (used, fresh):
                model.load(state)
            found, wanted = answers(used), answers(fresh)
            alike.append((np.abs(found - wanted) <= SINGLE * (1 + np.abs(wanted))).all(axis=1))
            numbers += array.size * bool((wanted != before).any())
            before = wanted
    _filled(student.new("VAE"), lambda shape: drawn.normal(0.0, 0.3, shape))  # a model apart
    again = answers(used)
    alike.append((np.abs(again - before) <= SINGLE * (1 + np.abs(before))).all(axis=1))
    return [*alike, np.array([numbers == NUMBERS])]


def _answers(points, number, hidden_layers):
    """What a network answers in each column if all its weights and biases are one number: [b 1]."""
    inside, width = points.sum(axis=1, keepdims=True), 1
    for _ in range(hidden_layers):
        inside, width = np.tanh(number * (width * inside + 1)), HIDDEN
    return number * (width * inside + 1)


def rows(student, rng):
    """Whether a model answers row by row, and what its networks are to answer: [rows].

    The numbers in its state are put there: random ones for the first question. For the second they
    are all the same, so it does not matter how a program names or arranges them. Then one entry
    after another gets new numbers.
    """
    least, most = student.domain.sizes("b")
    vae, found = student.new("VAE"), []
    drawn = rng.spawn(1)[0]  # of its own: how much is drawn depends on the program's arrangement
    _filled(vae, lambda shape: drawn.normal(0.0, 0.3, shape))
    for coder, name in ((vae.encode, "encode.x"), (vae.decode, "z")):
        points = student.domain.draw(rng, name, most, 2)
        together = np.concatenate(coder(points), axis=1)
        parts = (0, least), (1, least), (most // 2, least), (most - least, least)
        for start, count in (*parts, (3, 2), (6, 3)):  # two rows are as many as there are columns
            alone = np.concatenate(coder(points[start : start + count]), axis=1)
            error = np.abs(alone - together[start : start + count])
            found.append((error <= SINGLE * (1 + np.abs(alone))).all(axis=1))
        again = np.concatenate(coder(points[::-1]), axis=1)[::-1]
        found.append((np.abs(again - together) <= SINGLE * (1 + np.abs(again))).all(axis=1))
    for number in (0.02, -0.05, 1.0):
        _filled(vae, lambda shape, number=number: np.full(shape, number))
        for coder, name, hidden_layers in ((vae.encode, "encode.x", 1), (vae.decode, "z", 2)):
            points = student.domain.draw(rng, name, 8, 2)
            wanted = _answers(points, number, hidden_layers)
            error = np.abs(np.concatenate(coder(points), axis=1) - wanted)
            found.append((error <= FORWARD * (1 + np.abs(wanted))).all(axis=1))
    return {"alike": np.concatenate(found + _one_by_one(student, rng))}


def example(student, rng):
    del rng
    return {"agrees": student.example()}


def _laws(rng):
    """Centre [2] and axes [2, 2] of both laws: x = centre + axes @ u with u standard normal."""
    sign, first = rng.choice([-1.0, 1.0]), rng.integers(2)
    diagonal = np.array([[1.0, -sign], [sign, 1.0]]) / np.sqrt(2) * [LONG, SHORT]
    straight = np.diag([LONG, SHORT] if first == 0 else [SHORT, LONG])
    return [(rng.uniform(-CENTRE, CENTRE, 2), axes) for axes in (diagonal, straight)]


def _points(rng, law, n):
    """Points [n, 2] of a law, and their -log p in nats."""
    centre, axes = law
    u = rng.normal(size=(n, 2))
    return centre + u @ axes.T, (u**2).sum(axis=1) / 2 + np.log(2 * np.pi * LONG * SHORT)


def _code(student, rng, vae, x):
    """(μ, ln σ) of q(z | x), asked for in an order of its own."""
    order, found = rng.permutation(len(x)), np.empty((2, *x.shape))
    found[:, order] = vae.encode(x[order])
    return found


def _nats(student, rng, state, coded, x):
    """-log p(x | z) - log p(z) + log q(z | x) of every point, z drawn here.

    Its mean over z is -ELBO. The decoder knows its state and the z, in another order.
    """
    (mu, log_sigma), eps = coded, rng.normal(size=x.shape)
    z = mu + np.exp(log_sigma) * eps
    order, found = rng.permutation(len(x)), np.empty((2, *x.shape))
    vae = student.new("VAE")
    vae.load(state)
    found[:, order] = vae.decode(z[order])
    mean, log_sd = found
    rec = ((x - mean) / np.exp(log_sd)) ** 2 / 2 + log_sd + np.log(2 * np.pi) / 2
    return (rec + z**2 / 2 - eps**2 / 2 - log_sigma).sum(axis=1)


def _kl(coded):
    mu, log_sigma = coded
    return (mu**2 + np.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(axis=1).mean() / 2


def learn(student, rng):
    """One seed: -ELBO above -log p_true, in nats a point, for either law; and both KLs."""
    laws = _laws(rng)
    vaes = [student.new("VAE") for _ in laws]
    for vae, law in zip(vaes, laws, strict=True):
        vae.fit(_points(rng, law, TRAINING)[0], student.generator())
    states = [vae.state() for vae in vaes]
    fresh = [_points(rng, law, POINTS) for law in laws]
    coded = [_code(student, rng, vae, x) for vae, (x, _) in zip(vaes, fresh, strict=True)]
    student.renew(sandbox=True)
    excess = []
    for state, code, (x, floor) in zip(states, coded, fresh, strict=True):
        above = _nats(student, rng, state, code, x) - floor
        if above.sum() < -IMPOSSIBLE_NATS:
            student.refuse(
                f"{POINTS} points were coded in {-above.sum():.0f} nats less than their own law "
                "needs: that is no lower bound of a likelihood"
            )
        excess.append(above.mean())
    return {
        "excess": np.max(excess),
        "excess_diagonal": excess[0],
        "excess_straight": excess[1],
        "kl_diagonal": _kl(coded[0]),
        "kl_straight": _kl(coded[1]),
    }
