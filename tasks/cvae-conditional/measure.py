"""What is measured of cvae-conditional: the formulas, the model with numbers of ours in it, and
training, seed by seed.

What counts of a trained model is computed here, from its named arrays: log p(y | x) of fresh pairs,
with the integral over z as a sum over a grid. The grid's weights sum to 1, so whatever the arrays
are, the sum is a density of y, and on average no density exceeds the law of the pairs.

A scale S is the sum of the absolute terms, carried through the layers; a number whose exponential
is taken counts there as e^l (1 + |l|), since its rounding comes back as a factor.
"""

import numpy as np

DEFAULT = {"b": 9, "d": 2, "m": 1, "h": 32, "k": 1, "s": 7}
#: What the calls of each method take, by the name in the domain and the axes.
SHAPES = {"x": "bd", "y": "bm", "z": "bk", "eps": "bk", "noise": "bm", "samples": "sbk"}
#: By model in turn: bounds of |ln σ| in q and in the prior, and of |ln τ|, and which part of the
#: bound the biases have by themselves, of either sign, so that the bound is nearly reached.
REACH = ((0.7, 0.7, 0.0), (4.0, 4.0, 0.9), (2.5, 1.0, 0.3))
#: The same and the signs of ln τ, for a last model: near the ends of what the statement allows;
#: where y is given, only as far down as a loss may reach.
FAR = ((0.7, 18.0, 0.98, (-1.0, 1.0)),)
FAR_FROM_Y = ((0.7, 18.0, 0.98, (1.0,)), (0.7, 5.5, 0.95, (-1.0,)))
WIDEST = 30.0  # |ln σ| at the ends of the domain of kl_diag
TRAINING, FRESH, CHUNK = 4000, 4000, 250
SIDE = 1.5  # of the square of x, from its middle
GRID = np.linspace(-6.0, 6.0, 161)  # of (z - μ) / σ
LARGEST = 1e6


def _joined(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def example(student, rng):
    del rng
    return {"agrees": student.example()}


# --- the divergence ------------------------------------------------------------------------------


def _ordinary(rng, b, k):
    """(μ₁, ln σ₁, μ₂, ln σ₂) whose terms are of one size."""
    return tuple(
        part
        for _ in range(2)
        for part in (rng.normal(0.0, 1.5, (b, k)), rng.uniform(-1.5, 1.0, (b, k)))
    )


def _pairs(student, rng):
    """Four arguments of kl_diag: all sizes, one of them new alone, the ends of the domain, 0.

    Beside ends of ln σ no difference of means is large; means that are close are also far from 0.
    """
    (b, b_most), (k, k_most) = student.domain.sizes("b"), student.domain.sizes("k")
    names = "mu1", "log_sigma1", "mu2", "log_sigma2"
    wide = [student.domain.draw(rng, name, b_most, 1) for name in names]
    ends = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]) * WIDEST
    wide[1][: len(ends), 0], wide[3][: len(ends), 0] = ends.T
    row = [student.domain.draw(rng, name, b, k_most) for name in names]
    row[1], row[3] = _ordinary(rng, b, k_most)[1::2]
    zeros = _ordinary(rng, 8, 2)
    for place, array in enumerate(zeros):
        array[place::2] = 0.0
    near = _ordinary(rng, 7, 3)
    moved = tuple(part * (1 + rng.uniform(1e-6, 3e-6, part.shape)) for part in near[:2])
    level = rng.choice([-1.0, 1.0], (len(ends), 1)) * rng.uniform(50, 90, (len(ends), 1))
    far = tuple(level + rng.normal(0.0, 1e-3, level.shape) for _ in range(2))
    close = [rng.normal(size=(len(ends), 1)) * np.exp(-WIDEST) for _ in range(2)]
    narrow = close[0], wide[1][: len(ends)], close[1], wide[3][: len(ends)]
    twice = [np.repeat(part, 2, axis=0) for part in _ordinary(rng, 2, 3)]
    first, second = _ordinary(rng, 6, 2), _ordinary(rng, 6, 2)
    shapes = [(5, 1), (3, 3), (2, 2), (b_most, k_most), (b, k_most), (b, k)]
    others = [_ordinary(rng, *shape) for shape in shapes]
    others += [tuple(wide), narrow, tuple(row), zeros, (*near[:2], *moved), tuple(twice)]
    others += [(far[0], np.full_like(level, -6.0), far[1], np.full_like(level, -6.5)), first]
    return student.domain.replaced(first, second, *others)


def _kl_terms(size1, log1, value1, size2, log2, value2):
    """The absolute terms of spread and shift, (σ₁/σ₂)² and ((μ₁ - μ₂)/σ₂)², uncertain by the
    rounding of the exponents: of the means `size`, of ln σ `log`, whose values are `value`."""
    spread = np.exp(2 * (value1 - value2)) * (1 + 2 * log1 + 2 * log2)
    shift = (size1 + size2) ** 2 * np.exp(-2 * value2) * (1 + 2 * log2)
    return spread, shift


def _kl_scale(log1, log2, spread, shift):
    return (log1 + log2 + (spread + shift + 1) / 2).sum(axis=1)


def _of_pair(mu1, log_sigma1, mu2, log_sigma2):
    """Sizes of ln σ₁ and ln σ₂, and the terms of spread and shift; μ₁ - μ₂ is one term."""
    log1, log2 = np.abs(log_sigma1), np.abs(log_sigma2)
    terms = _kl_terms(np.abs(mu1 - mu2), log1, log_sigma1, 0.0, log2, log_sigma2)
    return log1, log2, *terms


def divergence(student, rng):
    calls = _pairs(student, rng)
    found = [student.kl_diag(*call) for call in calls]
    return {"kl": _joined(found), "kl__scale": _joined(_kl_scale(*_of_pair(*c)) for c in calls)}


def divergence_gradient(student, rng):
    """Every row weighted, by every argument."""
    found, scales = [], []
    for call in _pairs(student, rng):
        mu1, _, mu2, log_sigma2 = call
        weight = rng.uniform(0.5, 2.0, len(mu1)) * rng.choice([-1.0, 1.0], len(mu1))
        found += student.vjp("kl_diag", call, (0, 1, 2, 3), weight)
        _, log2, spread, shift = _of_pair(*call)
        by_mean = np.abs(mu1 - mu2) * np.exp(-2 * log_sigma2) * (1 + 2 * log2)
        slopes = by_mean, spread + 1, by_mean, spread + shift + 1
        scales += [np.abs(weight)[:, None] * slope for slope in slopes]
    return {"gradient": _joined(found), "gradient__scale": _joined(scales)}


# --- models with numbers of ours -----------------------------------------------------------------


def _entries(d, m, h, k):
    """The shape of every entry of the state, by name."""
    weights = {
        "encoder.0": (h, d + m),
        "encoder.2": (2 * k, h),
        "prior": (2 * k, d),
        "decoder.0": (h, d + k),
        "decoder.2": (2 * m, h),
    }
    return {
        f"{layer}.{part}": shape if part == "weight" else shape[:1]
        for layer, shape in weights.items()
        for part in ("weight", "bias")
    }


def _sizes(student, rng):
    """The model that is trained, an ordinary one, the smallest, the largest, one whose axes are all
    of one size; then models with one axis at its least size and another one at its largest."""
    ends = {axis: student.domain.sizes(axis) for axis in "bdmhks"}
    between = {"b": 8, "d": 3, "m": 2, "h": 5, "k": 3, "s": 6}
    sizes = [DEFAULT, between, *({axis: end[i] for axis, end in ends.items()} for i in (0, 1))]
    sizes.append(dict.fromkeys(ends, 3))
    axes = rng.permutation(list(ends)).tolist()
    for low, high in zip(axes, axes[1:] + axes[:1], strict=True):
        drawn = {axis: student.domain.size(rng, axis) for axis in ends}
        sizes.append({**drawn, low: ends[low][0], high: ends[high][1]})
    # fewer rows than anything else; and a number of samples that no equal chunks have
    return [*sizes, {**between, "b": 2, "m": 3}, {**between, "s": int(rng.choice([29, 31, 37]))}]


def _affine(state, layer, inputs):
    return inputs @ state[f"{layer}.weight"].T + state[f"{layer}.bias"]


def _network(state, name, inputs):
    """(mean, ln of the standard deviation) that a network of one hidden layer answers."""
    hidden = np.maximum(_affine(state, f"{name}.0", inputs), 0.0)
    return np.split(_affine(state, f"{name}.2", hidden), 2, axis=-1)


def _posterior(state, x, y):
    return _network(state, "encoder", np.concatenate([x, y], axis=-1))


def _prior(state, x):
    return np.split(_affine(state, "prior", x), 2, axis=-1)


def _outputs(state, x, z):
    inputs = np.broadcast_to(x, (*z.shape[:-1], x.shape[-1]))
    return _network(state, "decoder", np.concatenate([inputs, z], axis=-1))


def _absolute(state):
    return {name: np.abs(array) for name, array in state.items()}


def _state(student, rng, sizes, spread, width, part, signs=(-1.0, 1.0)):
    """Arrays for a state under which |ln σ| ≤ `spread` for all x and y of the domain, and
    |ln τ| ≤ `width` for all z of it; the biases are ± `part` of that, those of ln τ of these
    signs."""
    d, m, h, k = (sizes[axis] for axis in "dmhk")
    state = {
        name: rng.normal(size=shape) / np.sqrt(shape[-1] if len(shape) > 1 else 1.0)
        for name, shape in _entries(d, m, h, k).items()
    }
    absolute = _absolute(state)
    x, y, z = (
        np.full((1, size), np.abs(student.domain.draw(rng, name, 2)).max())
        for name, size in (("x", d), ("y", m), ("z", k))
    )
    for layer, log, half, wanted in (
        ("encoder.2", _posterior(absolute, x, y)[1], k, spread),
        ("prior", _prior(absolute, x)[1], k, spread),
        ("decoder.2", _outputs(absolute, x, z)[1], m, width),
    ):
        weight, bias = state[f"{layer}.weight"], state[f"{layer}.bias"]
        weight[half:] *= (1 - part) * wanted / log.max()
        bias[half:] *= (1 - part) * wanted / log.max()
        of_tau = layer == "decoder.2"
        bias[half:] += part * wanted * rng.choice(signs if of_tau else (-1.0, 1.0), half)
    return state


def _calls(student, rng, sizes, names, rate):
    """Arguments of these names: two draws, of which each is new alone, one row, the first again.

    The row comes with `rate`, where that is asked for. Then two rows, the first two samples and the
    last two dimensions are the same, and the last row is 0.
    """

    def drawn(name):
        if name == "rate":
            return float(rng.uniform(0.1, 0.9))
        shape = (sizes[axis] for axis in SHAPES[name])
        return student.domain.draw(rng, "eps" if name == "samples" else name, *shape)

    def row(name, argument):
        return rate if name == "rate" else np.take(argument, [0], SHAPES[name].index("b"))

    def repeated(name, argument):
        if name == "rate":
            return argument
        changed = argument.copy()
        changed[..., 1:2, :] = changed[..., :1, :]
        if name == "samples":
            changed[1:2] = changed[:1]
        changed[..., -2:-1] = changed[..., -1:]
        changed[..., 2:, :][..., -1:, :] = 0
        return changed

    first, second = (tuple(map(drawn, names)) for _ in range(2))
    alone = tuple(map(row, names, second))
    same = tuple(map(repeated, names, second))
    return student.domain.replaced(first, second, alone, first, same, alike="axes")


def _asked(student, rng, *names):
    """(model, state, arguments) of every call that is to be made of a method, the state loaded.

    The first two models are filled twice and asked the same again, so that what was kept of their
    first state shows, or what was kept by the arguments. The last one is filled with one new entry
    after another, so that what was kept until some other entry changes shows as well; then it is
    asked again, after another one of its sizes was made and filled.
    """
    rates = student.domain.draw(rng, "rate", 2).tolist()
    for index, sizes in enumerate(_sizes(student, rng)):
        if index:
            model = student.new("CVAE", *(sizes[axis] for axis in "dmhk"))
        else:
            model = student.new("CVAE")
        calls = _calls(student, rng, sizes, names, rates[index % 2])
        for _ in range(2 if index < 2 else 1):
            state = _state(student, rng, sizes, *REACH[index % 3])
            model.load(state)
            for call in calls:
                yield model, state, call
    for reach in FAR_FROM_Y if "y" in names else FAR:
        state = _state(student, rng, sizes, *reach)
        model.load(state)
        for call in calls:
            yield model, state, call
    call = calls[0]
    one, other = (_state(student, rng, sizes, *REACH[0]) for _ in range(2))
    for changed in ((), *((entry,) for entry in other)):
        one = one | {entry: other[entry] for entry in changed}
        model.load(one)
        yield model, one, call
    twin, apart = student.new("CVAE", *(sizes[axis] for axis in "dmhk")), one | state
    twin.load(apart)
    yield model, one, call
    yield twin, apart, call


def networks(student, rng):
    """What encoder, prior and decoder answer."""
    found, scales = [], []
    _expect(student, student.new("CVAE").state())
    for model, state, (x, y, z) in _asked(student, rng, "x", "y", "z"):
        found += [*model.encode(x, y), *model.conditional_prior(x), *model.decode(x, z)]
        absolute, (xs, ys, zs) = _absolute(state), map(np.abs, (x, y, z))
        scales += [*_posterior(absolute, xs, ys), *_prior(absolute, xs)]
        scales += _outputs(absolute, xs, zs)
    return {"answers": _joined(found), "answers__scale": _joined(scales)}


def _drawn_z(gaussian, sizes, eps):
    """z = μ + σ ε and its size, from (μ, ln σ) and their sizes."""
    (mu, log_sigma), (mu_size, log_size) = gaussian, sizes
    noise = np.exp(log_sigma) * eps
    return mu + noise, mu_size + np.abs(noise) * (1 + log_size)


def _residual_size(y, log_tau, mean_size, log_size):
    """The size of (y - mean)/τ."""
    return (np.abs(y) + mean_size) * np.exp(-log_tau) * (1 + log_size)


def _slopes_by_layer(state, name, inputs, outer):
    """Sizes of the slopes by a network's weights and biases, and by its inputs.

    `inputs` are sizes, `outer` those of the slopes by the answers, side by side.
    """
    hidden = _affine(state, f"{name}.0", inputs)
    inner = outer @ state[f"{name}.2.weight"]
    slopes = {
        f"{name}.0.weight": inner.T @ inputs,
        f"{name}.0.bias": inner.sum(axis=0),
        f"{name}.2.weight": outer.T @ hidden,
        f"{name}.2.bias": outer.sum(axis=0),
    }
    return slopes, inner @ state[f"{name}.0.weight"]


def _scales(state, x, y, eps):
    """Of the loss of every row, and of the slopes of its sum by every entry of the state."""
    absolute, x_size, y_size = _absolute(state), np.abs(x), np.abs(y)
    q, prior = _posterior(state, x, y), _prior(state, x)
    q_size, prior_size = _posterior(absolute, x_size, y_size), _prior(absolute, x_size)
    z, z_size = _drawn_z(q, q_size, eps)
    _, log_tau = _outputs(state, x, z)
    mean_size, log_size = _outputs(absolute, x_size, z_size)
    residual = _residual_size(y, log_tau, mean_size, log_size)
    spread, shift = _kl_terms(
        q_size[0], q_size[1], q[1], prior_size[0], prior_size[1], prior[1]
    )
    loss = _kl_scale(q_size[1], prior_size[1], spread, shift)
    loss = loss + (residual**2 / 2 + log_size + 1).sum(axis=1)
    by_mean = residual * np.exp(-log_tau) * (1 + log_size)
    outer = np.concatenate([by_mean, 1 + residual**2], axis=1)
    inputs = np.concatenate([x_size, z_size], axis=1)
    slopes, by_inputs = _slopes_by_layer(absolute, "decoder", inputs, outer)
    by_z = by_inputs[:, x.shape[1] :]
    means = (q_size[0] + prior_size[0]) * np.exp(-2 * prior[1]) * (1 + 2 * prior_size[1])
    by_log = by_z * np.exp(q[1]) * (1 + q_size[1]) * np.abs(eps) + spread + 1
    outer = np.concatenate([by_z + means, by_log], axis=1)
    inputs = np.concatenate([x_size, y_size], axis=1)
    slopes |= _slopes_by_layer(absolute, "encoder", inputs, outer)[0]
    outer = np.concatenate([means, spread + shift + 1], axis=1)
    slopes |= {"prior.weight": outer.T @ x_size, "prior.bias": outer.sum(axis=0)}
    return loss, slopes


def loss(student, rng):
    found, scales = [], []
    for model, state, call in _asked(student, rng, "x", "y", "eps"):
        found.append(model.loss(*call))
        scales.append(_scales(state, *call)[0])
    return {"loss": _joined(found), "loss__scale": _joined(scales)}


def step(student, rng):
    """The mean that is returned, and every entry of the state after one step from ours."""
    found, scales = [], []
    for model, state, (*batch, rate) in _asked(student, rng, "x", "y", "eps", "rate"):
        model.load(state)
        mean = model.step(*batch, rate)
        after = model.state()
        row_scales, slopes = _scales(state, *batch)
        found.append(mean)
        scales.append(row_scales.mean())
        for name, old in state.items():
            found.append(after[name].copy())
            scales.append(np.abs(old) + rate * slopes[name] / len(batch[0]))
    return {"parameters": _joined(found), "parameters__scale": _joined(scales)}


def _faint(student, rng):
    """The default model, a state and (x, y, samples): densities of e^-740 to e^-712.

    There, doubles are not 0 yet but have lost digits.
    """
    b, s = DEFAULT["b"], DEFAULT["s"]
    model, state = student.new("CVAE"), _state(student, rng, DEFAULT, 0.5, 0.5, 0.0)
    state["decoder.2.bias"][1] -= 2.5
    model.load(state)
    x, eps = rng.uniform(-1, 1, (b, 2)), np.repeat(rng.normal(size=(1, b, 1)), s, axis=0)
    mean, log_tau = _outputs(state, x, _drawn_z(_prior(state, x), (0, 0), eps[0])[0])
    away = np.sqrt(2 * (rng.uniform(712, 740, mean.shape) - log_tau - np.log(2 * np.pi) / 2))
    return model, state, (x, np.clip(mean - np.sign(mean) * np.exp(log_tau) * away, -5, 5), eps)


def _likelihoods(student, rng):
    yield _faint(student, rng)
    yield from _asked(student, rng, "x", "y", "samples")


def likelihood(student, rng):
    """log p(y | x) row by row; the sample that fits best is seldom the first."""
    found, scales = [], []
    for model, state, (x, y, eps) in _likelihoods(student, rng):
        found.append(model.log_likelihood(x, y, eps))
        absolute, x_size = _absolute(state), np.abs(x)
        z, z_size = _drawn_z(_prior(state, x), _prior(absolute, x_size), eps)
        _, log_tau = _outputs(state, x, z)
        sizes = _outputs(absolute, x_size, z_size)
        residual = _residual_size(y, log_tau, *sizes)
        terms = (residual**2 / 2 + sizes[1] + 1).sum(axis=-1)
        scales.append(terms.max(axis=0) + np.log(len(eps)))
    return {"log_p": _joined(found), "log_p__scale": _joined(scales)}


def sample(student, rng):
    found, scales = [], []
    for model, state, (x, eps, noise) in _asked(student, rng, "x", "eps", "noise"):
        found.append(model.sample(x, eps, noise))
        absolute, x_size = _absolute(state), np.abs(x)
        z, z_size = _drawn_z(_prior(state, x), _prior(absolute, x_size), eps)
        _, log_tau = _outputs(state, x, z)
        mean_size, log_size = _outputs(absolute, x_size, z_size)
        scales.append(mean_size + np.exp(log_tau) * (1 + log_size) * np.abs(noise))
    return {"y": _joined(found), "y__scale": _joined(scales)}


# --- training ------------------------------------------------------------------------------------


def _expect(student, state):
    """Ends the trial unless a state of the default model has all entries, and no others."""
    wanted = _entries(*(DEFAULT[axis] for axis in "dmhk"))
    if state.keys() != wanted.keys():
        other = sorted(state.keys() ^ wanted.keys())[0]
        verb = "lacks" if other in wanted else "has an entry too many,"
        student.refuse(f"the state_dict {verb} {other[:80]!r}; ten are asked for")
    for name, shape in wanted.items():
        array = state[name]
        if array.dtype != np.float64 or array.shape != shape:
            student.refuse(f"{name} is {array.dtype} {array.shape}, not float64 {shape}")
        if not (np.abs(array) <= LARGEST).all():
            student.refuse(f"{name} holds numbers that are not finite, or beyond {LARGEST:g}")


def _law(rng):
    """What is drawn for a seed: two surfaces of y over the plane of x, and their probabilities."""
    turn = rng.uniform(0.0, 2 * np.pi)
    return {
        "axes": np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]),
        "amplitude": rng.uniform(0.4, 0.7),
        "frequency": rng.uniform(0.7, 1.0),
        "phase": rng.uniform(0.0, 2 * np.pi),
        "distance": rng.uniform(0.7, 1.0),
        "tilt": rng.uniform(0.2, 0.4) * rng.choice([-1.0, 1.0]),
        "slope": rng.uniform(0.7, 1.1),
        "offset": rng.uniform(-0.5, 0.5),
        "width": np.exp(rng.uniform(np.log(0.15), np.log(0.25), 2)),
    }


def _components(law, x):
    """(centres [n, 2], log weights [n, 2]) of the two Gaussians of y given x."""
    along, across = (2 * x @ law["axes"]).T
    middle = law["amplitude"] * np.sin(law["frequency"] * along + law["phase"])
    half = law["distance"] * np.exp(law["tilt"] * np.tanh(across))
    logit = law["slope"] * across + law["offset"]
    log_weights = -np.logaddexp(0.0, np.stack([logit, -logit], axis=1))
    return np.stack([middle - half, middle + half], axis=1), log_weights


def _pairs_of(law, rng, n):
    """x [n, 2] and y [n, 1]."""
    x = rng.uniform(-SIDE, SIDE, (n, 2))
    centres, log_weights = _components(law, x)
    upper = (rng.uniform(size=n) < np.exp(log_weights[:, 1])).astype(int)
    y = centres[np.arange(n), upper] + law["width"][upper] * rng.normal(size=n)
    return x, y[:, None]


def _log_normal(y, mean, log_tau):
    return -0.5 * ((y - mean) * np.exp(-log_tau)) ** 2 - log_tau - 0.5 * np.log(2 * np.pi)


def _log_law(law, x, y):
    """log p(y | x) of the pairs: [n]."""
    centres, log_weights = _components(law, x)
    return np.logaddexp.reduce(log_weights + _log_normal(y, centres, np.log(law["width"])), axis=1)


def _log_model(state, x, y):
    """log Σ_j w_j p(y | x, μ + σ t_j), the grid t weighted as a standard normal z is: [n]."""
    log_weights = -0.5 * GRID**2
    log_weights = log_weights - np.logaddexp.reduce(log_weights)
    found = []
    for start in range(0, len(x), CHUNK):
        rows = slice(start, start + CHUNK)
        mu, log_sigma = _prior(state, x[rows])
        z = mu[:, None] + np.exp(log_sigma)[:, None] * GRID[:, None]
        mean, log_tau = _outputs(state, x[rows, None], z)
        log_p = _log_normal(y[rows, None], mean, log_tau).sum(axis=-1)
        found.append(np.logaddexp.reduce(log_weights + log_p, axis=1))
    return np.concatenate(found)


def learn(student, rng):
    """One seed: how many nats log p(y | x) of fresh pairs is below that of their own law."""
    law = _law(rng)
    model = student.new("CVAE")
    model.fit(*_pairs_of(law, rng, TRAINING), student.generator())
    state = model.state()
    _expect(student, state)
    x, y = _pairs_of(law, rng, FRESH)
    with np.errstate(over="ignore", invalid="ignore"):
        log_p, log_law = _log_model(state, x, y).mean(), _log_law(law, x, y).mean()
    if not np.isfinite(log_p):
        student.refuse("with the numbers that fit left, log p(y | x) of fresh pairs is not finite")
    return {"excess": log_law - log_p, "nll": -log_p}
