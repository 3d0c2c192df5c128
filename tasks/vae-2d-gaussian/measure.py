"""What is measured of vae-2d-gaussian: formulas, networks with numbers of ours, and training.

The law of the points is drawn anew for every seed. What counts is computed here, from the arrays
that `fit` leaves behind: no submitted code sees the points on which the bound is measured.
"""

import numpy as np

ROWS, LATENT, DATA = 50, 3, 4  # of most batches; unequal, so that no axis passes for another
SOME = 19  # rows of batches whose widths are at an end of what is allowed
PLANE, HIDDEN = 2, 32  # coordinates, latent dimensions and units of the networks
TRAINING, FRESH = 4000, 4000
DRAWS = 10  # z of each point, for the expectation in the bound
LONG, SHORT, CENTRE = 5.0, 1.0, 2.0
ENCODER = ("hidden",), ("mu", "log_sigma")  # hidden layers, then those whose outputs are returned
DECODER = ("first", "second"), ("x_mean", "x_log_sigma")


def _batches(student, rng):
    """(x, μ, ln σ, and mean and ln σ of p(x | z)) of all sizes; the first two are of one size.

    Of the third, all sizes are the same; both ends of every size come with both of the others.
    """
    (b, k, d), (b_most, k_most, d_most) = zip(*map(student.domain.sizes, "bkd"), strict=True)
    sizes = [(ROWS, LATENT, DATA)] * 2
    sizes += [(4, 4, 4), (b, k_most, d_most), (b, k, d), (b_most, k_most, d_most)]
    sizes += [(SOME, k_most, d_most), (SOME, k, d_most), (SOME, k_most, d), (2, k_most, d_most)]
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
    and 8 q is narrow, and nothing else is large that would hide its variance. Rows 10 and 11 are
    alike; in 12 numbers of a row are, in 13 the point and μ are 0, in 14 the point is the decoder's
    mean, in 15 q is the prior up to four digits, and in 16 logarithms are 0.
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
    if rows > 16:
        for array in args:
            array[11], array[12] = array[10], array[12, 0]
        x[13], mu[13], x_mean[14], log_sigma[16], x_log_sigma[16] = 0, 0, x[14], 0, 0
        mu[15], log_sigma[15] = 1e-4 * rng.normal(size=(2, latent))
    for name, array in zip(("x", "mu", "log_sigma", "x_mean", "x_log_sigma"), args, strict=True):
        if rows > 1:
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
    squared = (x - x_mean) ** 2 * np.exp(-2 * x_log_sigma)  # the difference is one term
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
        size, precision = np.abs(x - x_mean), np.exp(-2 * x_log_sigma)
        precision *= 1 + 2 * np.abs(x_log_sigma)  # rounding of the exponent
        spread = np.exp(2 * log_sigma) * (1 + 2 * np.abs(log_sigma))
        parts = np.abs(mu), spread + 1, size * precision, size**2 * precision + 1
        scales += [part * cotangent / len(x) for part in parts]
    return {"gradient": _joined(found), "gradient__scale": _joined(scales)}


def shapes():
    """name of an entry of the state -> its shape"""
    layers = {"hidden": (HIDDEN, PLANE), "first": (HIDDEN, PLANE), "second": (HIDDEN, HIDDEN)}
    layers |= dict.fromkeys((*ENCODER[1], *DECODER[1]), (PLANE, HIDDEN))
    return {
        f"{layer}.{part}": shape if part == "weight" else shape[:1]
        for layer, shape in layers.items()
        for part in ("weight", "bias")
    }


def _layer(state, name, values, sizes):
    """A linear layer's outputs, and the sums of their absolute terms; `sizes` are the inputs'."""
    weight, bias = state[f"{name}.weight"].T, state[f"{name}.bias"]
    return values @ weight + bias, sizes @ np.abs(weight) + np.abs(bias)


def _network(state, layers, inputs):
    """Both answers [b 2] of the encoder or decoder, and both sums of absolute terms."""
    values, sizes = inputs, np.abs(inputs)
    hidden, last = layers
    for name in hidden:
        values, sizes = _layer(state, name, values, sizes)
        values = np.tanh(values)
        sizes = np.abs(values) + (1 - values**2) * sizes
    return zip(*(_layer(state, name, values, sizes) for name in last), strict=True)


def _state(rng, spread, reach):
    """Arrays for a state: hidden units far from 0 by `spread`, answers up to about `reach`."""
    state = {}
    for name, shape in shapes().items():
        inputs = shape[-1] if len(shape) > 1 else 1
        scale = spread if name.split(".")[0] in (*ENCODER[0], *DECODER[0]) else reach
        state[name] = rng.normal(0.0, scale / np.sqrt(inputs), shape)
    return state


def _models(student, rng):
    """(a model, the state in it): one filled anew again and again, then beside another one.

    First everything in its state is new, with hidden units that are small, ordinary or close to
    ±1, or all 0; then one entry after another. At last it is asked again, after a second model was
    made and filled.
    """
    used = student.new("VAE")
    states = [_state(rng, *each) for each in ((0.3, 1.0), (1.0, 40.0), (5.0, 0.1), (0.0, 1.0))]
    for state in states:
        used.load(state)
        yield used, state
    state, other = states[1], _state(rng, 1.0, 1.0)
    for names in ((), *((name,) for name in other)):
        state = state | {name: other[name] for name in names}
        used.load(state)
        yield used, state
    second, apart = student.new("VAE"), _state(rng, 1.0, 1.0)
    second.load(apart)
    yield used, state
    yield second, apart


def _inputs(student, rng, name):
    """Batches [b 2] of all sizes, as many as there are coordinates or hidden units among them.

    Every other point lies ten times closer to 0; some are 0, on an axis or on the diagonal, and
    some are the same.
    """
    least, most = student.domain.sizes("b")
    batches = [student.domain.draw(rng, name, b, PLANE) for b in (ROWS, ROWS, most, HIDDEN, PLANE)]
    for points in batches:
        points[1::2] /= 10
    points = batches[0]
    points[2], points[4, 0], points[6, 1], points[8, 1] = 0, 0, 0, points[8, 0]
    points[10:12] = points[9]
    pair = [alike for (alike,) in student.domain.replaced(*((each,) for each in batches[:2]))]
    lone = student.domain.draw(rng, name, least, PLANE) / 10
    equal = np.repeat(points[1:2], 3, axis=0)
    return [*pair, *batches[2:], lone, equal, points[::-1], points]


def networks(student, rng):
    """The values of `encode` and `decode`, with numbers of ours in the state."""
    encoded, decoded = (_inputs(student, rng, name) for name in ("encode.x", "z"))
    found, scales = [], []
    for index, (vae, state) in enumerate(_models(student, rng)):
        for coder, layers, batches in (
            (vae.encode, ENCODER, encoded),
            (vae.decode, DECODER, decoded),
        ):
            for points in batches if index < 2 else batches[:1]:
                found += coder(points)
                scales += list(_network(state, layers, points))[1]
    return {"answers": _joined(found), "answers__scale": _joined(scales)}


def example(student, rng):
    del rng
    return {"agrees": student.example()}


def draw_laws(rng):
    """Centre [2] and axes [2, 2] of both laws: x = centre + axes @ u with u standard normal."""
    sign, first = rng.choice([-1.0, 1.0]), rng.integers(2)
    diagonal = np.array([[1.0, -sign], [sign, 1.0]]) / np.sqrt(2) * [LONG, SHORT]
    straight = np.diag([LONG, SHORT] if first == 0 else [SHORT, LONG])
    return [(rng.uniform(-CENTRE, CENTRE, 2), axes) for axes in (diagonal, straight)]


def draw_points(rng, law, n):
    """Points [n, 2] of a law, and their -log p in nats."""
    centre, axes = law
    u = rng.normal(size=(n, 2))
    return centre + u @ axes.T, (u**2).sum(axis=1) / 2 + np.log(2 * np.pi * LONG * SHORT)


def _trained(student, vae):
    """The arrays of a model after `fit`, held against the architecture."""
    state, wanted = vae.state(), shapes()
    if state.keys() != wanted.keys():
        other = sorted(state.keys() ^ wanted.keys())[0]
        verb = "lacks" if other in wanted else "has an entry too many,"
        student.refuse(f"the state_dict after fit {verb} {other[:80]!r}; 14 are asked for")
    for name, shape in wanted.items():
        array = state[name]
        if array.dtype != np.float64 or array.shape != shape:
            student.refuse(f"{name} is {array.dtype} {array.shape} after fit, not float64 {shape}")
        if not np.isfinite(array).all():
            student.refuse(f"{name} is not finite after fit: training diverged")
    return state


def bound(rng, state, x):
    """(-ELBO, KL) of every point [n], in nats.

    The mean of -log p(x | z) - log p(z) + log q(z | x) over z, drawn here: no noise is left in it
    where q is the exact posterior.
    """
    (mu, log_sigma), _ = _network(state, ENCODER, x)
    kl = (mu**2 + np.exp(2 * log_sigma) - 1 - 2 * log_sigma).sum(axis=1) / 2
    nats = np.zeros(len(x))
    for _ in range(DRAWS):
        eps = rng.normal(size=mu.shape)
        z = mu + np.exp(log_sigma) * eps
        (mean, log_sd), _ = _network(state, DECODER, z)
        rec = ((x - mean) * np.exp(-log_sd)) ** 2 / 2 + log_sd + np.log(2 * np.pi) / 2
        nats += (rec + z**2 / 2 - eps**2 / 2 - log_sigma).sum(axis=1) / DRAWS
    return nats, kl


def learn(student, rng):
    """One seed: -ELBO above -log p_true, in nats a point, for either law; and both KLs."""
    laws = draw_laws(rng)
    excess, divergence = [], []
    for law in laws:
        (x, _), (fresh, surprise) = draw_points(rng, law, TRAINING), draw_points(rng, law, FRESH)
        vae = student.new("VAE")
        vae.fit(x, student.generator())
        nats, kl = bound(rng, _trained(student, vae), fresh)
        excess.append((nats - surprise).mean())
        divergence.append(kl.mean())
    return {
        "excess": np.max(excess),
        "excess_diagonal": excess[0],
        "excess_straight": excess[1],
        "kl_diagonal": divergence[0],
        "kl_straight": divergence[1],
    }
