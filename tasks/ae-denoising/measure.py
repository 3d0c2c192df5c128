"""What is measured of ae-denoising: the formulas, the network, training beside the best estimate.

No submitted program sees the images that count: it is trained, its state is taken by name, and
the network is computed here. The images come from a source that is drawn for the seed, so that no
weights can be made at home, and the estimates are held against its exact posterior mean.
"""

import numpy as np

USUAL = (9, 12, 5)  # rows, pixels, hidden units: unequal
PIXELS, HIDDEN, SIGMA = 64, 128, 0.5
SHAPES = {
    "encoder.weight": (HIDDEN, PIXELS),
    "encoder.bias": (HIDDEN,),
    "decoder.weight": (PIXELS, HIDDEN),
    "decoder.bias": (PIXELS,),
}
TRAINING, FRESH = 2000, 1000


def _sizes(student):
    """(b, d, h) of all calls; the first two are alike."""
    (b, b_most), (d, d_most), (h, h_most) = (student.domain.sizes(axis) for axis in "bdh")
    edges = [(b, d, h), (b, d_most, h_most), (b_most, d, h_most), (b_most, d_most, h), (2, 2, 2)]
    return [USUAL, USUAL, *edges, (3, 7, 5)]


def _noisy(student, rng):
    """(x, ε, σ) of all sizes; then of the first size, with one of them changed alone."""
    sizes = _sizes(student)
    sigmas = student.domain.draw(rng, "sigma", len(sizes)).tolist()
    calls = []
    for (b, d, _), sigma in zip(sizes, sigmas, strict=True):
        calls.append((rng.integers(0, 2, (b, d)).astype(float), rng.normal(size=(b, d)), sigma))
    b, d, _ = np.max(sizes, axis=0)  # noise that goes far, of which nothing may be clipped
    eps = rng.normal(size=b * d)
    eps[rng.permutation(b * d)[:4]] = rng.uniform(3.2, 4.0, 4) * [-1, -1, 1, 1]
    far = rng.integers(0, 2, (b, d)).astype(float), eps.reshape(b, d), max(sigmas)
    first = (*calls[0][:2], 0.5)
    alike = student.domain.replaced(first, (*calls[1][:2], 0.25), alike="axes")
    return [*calls, far, *alike, first, *student.domain.one_sided(first)]


def _networks(student, rng):
    """(x, ε, σ, w, w0, v, v0) of all sizes, with ordinary weights and with any of the domain.

    In one call rows repeat, one more often than the others.
    """
    sizes = _sizes(student)
    sigmas, calls = student.domain.draw(rng, "sigma", len(sizes)).tolist(), []
    for (b, d, h), sigma in zip(sizes, sigmas, strict=True):
        shapes = {"w": (h, d), "w0": (h,), "v": (d, h), "v0": (d,)}
        x = rng.integers(0, 2, (b, d)).astype(float)
        far = [student.domain.draw(rng, name, *shape) for name, shape in shapes.items()]
        near = [rng.uniform(-1.2, 1.2, shape) for shape in shapes.values()]
        calls += [(x, rng.normal(size=(b, d)), sigma, *near)]
        calls += [(x, rng.normal(size=(b, d)), rng.uniform(0.2, 1.0), *far)]
    first, second = calls[0], calls[2]
    first, second = (*first[:2], 0.5, *first[3:]), (*second[:2], 0.25, *second[3:])
    alone = student.domain.replaced(first, second, alike="axes")[1:]
    repeated = (*(array[[0, 0, 0, 1, 1, 2, 3, 4]] for array in first[:2]), *first[2:])
    sides = student.domain.one_sided(first)
    return [*calls, first, *alone, first, *sides, repeated, _corner(student, rng)]


def _corner(student, rng):
    """Weights at the ends of the domain, all of one sign in a pixel, so that logits go far."""
    b, d, h = (student.domain.sizes(axis)[1] for axis in "bdh")
    ends = {
        name: np.abs(student.domain.draw(rng, name, 2)).max() for name in ("w", "w0", "v", "v0")
    }
    x, sign = np.ones((b, d)), np.where(np.arange(d) % 2, -1.0, 1.0)
    x[::3] = rng.integers(0, 2, x[::3].shape)
    w, v = np.full((h, d), ends["w"]), np.tile(ends["v"] * sign[:, None], h)
    sigma = float(student.domain.draw(rng, "sigma", 2).max())
    return x, rng.normal(size=x.shape), sigma, w, np.full(h, ends["w0"]), v, ends["v0"] * sign


def _joined(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def corruption(student, rng):
    found, scales = [], []
    for x, eps, sigma in _noisy(student, rng):
        found.append(student.corrupt(x, eps, sigma))
        scales.append(np.abs(x) + sigma * np.abs(eps))
    return {"noisy": _joined(found), "noisy__scale": _joined(scales)}


def _scales(x, eps, sigma, w, w0, v, v0):
    """Of the loss, and of its gradients by w, w0, v and v0: every product of absolute values."""
    w, w0, v, v0 = map(np.abs, (w, w0, v, v0))
    noisy = np.abs(x) + sigma * np.abs(eps)
    inside = noisy @ w.T + w0
    logits = inside @ v.T + v0
    loss = (2 * logits + 1).sum(axis=1).mean()
    slope = (2 + logits / 2) / len(x)  # of σ(l) - x, and what rounding of l adds
    back = slope @ v
    return loss, back.T @ noisy, back.sum(axis=0), slope.T @ inside, slope.sum(axis=0)


def loss(student, rng):
    """Losses; in the last call some logits are 0, where no gradient is asked for."""
    calls = _networks(student, rng)
    *given, v, v0 = calls[0]
    some = np.arange(len(v0)) % 2
    calls.append((*given, v * some[:, None], v0 * some))
    found = [student.dae_loss(*call) for call in calls]
    return {"loss": _joined(found), "loss__scale": _joined([_scales(*call)[0] for call in calls])}


def loss_gradient(student, rng):
    """By all weights and biases."""
    found, scales = [], []
    for call in _networks(student, rng):
        weight = rng.uniform(1.0, 2.0)
        found += student.vjp("dae_loss", call, (3, 4, 5, 6), np.asarray(weight))
        scales += [weight * scale for scale in _scales(*call)[1:]]
    return {"gradient": _joined(found), "gradient__scale": _joined(scales)}


def _weights(student, model):
    """The state of a model, which has to have the statement's entries and no others."""
    state = model.state()
    wrong = sorted(set(SHAPES) ^ set(state))
    if wrong:
        kind = "lacks" if wrong[0] in SHAPES else "has an entry too many:"
        student.refuse(f"the state of DAE {kind} {wrong[0]}; it is to hold {', '.join(SHAPES)}")
    for name, shape in SHAPES.items():
        array = state[name]
        if array.shape != shape or array.dtype != np.float32:
            found = f"{array.dtype} {list(array.shape)}"
            student.refuse(f"{name} in the state of DAE is {found}, not float32 {list(shape)}")
        if not np.isfinite(array).all():
            student.refuse(f"{name} in the state of DAE holds numbers that are not finite")
    return state


def logits(weights, noisy):
    """The network of the statement, in float64."""
    weights = {name: array.astype(np.float64) for name, array in weights.items()}
    inside = np.maximum(noisy @ weights["encoder.weight"].T + weights["encoder.bias"], 0.0)
    return inside @ weights["decoder.weight"].T + weights["decoder.bias"]


def _probability_scale(weights, absolute, noisy):
    """Of p, which is rounded as ½ is: what rounding of its logit adds is little near 0 and 1."""
    p = 1 / (1 + np.exp(-logits(weights, noisy)))
    return 0.5 + p * (1 - p) * logits(absolute, np.abs(noisy))


def _numbers(rng, spread, hidden=1.0):
    """A state with numbers of this size; hidden units `hidden` times as large, to no effect."""
    state = {name: rng.normal(0, spread, shape) for name, shape in SHAPES.items()}
    for name, factor in (("encoder", hidden), ("decoder", 1 / hidden)):
        state[f"{name}.weight"] *= factor
    state["encoder.bias"] *= hidden
    return {name: array.astype(np.float32) for name, array in state.items()}


def _asked(student, rng):
    """(state, noisy, x, ε) of every call; at the end a single entry of the state is new each time.

    What is kept until another entry changes shows there: the images stay the same.
    """

    def images(rows):
        noisy = student.domain.draw(rng, "noisy", rows, PIXELS).astype(np.float32)
        x = rng.integers(0, 2, (rows, PIXELS)).astype(np.float32)
        x[rows // 2] = x[0]
        if rows > 4:
            noisy[2], noisy[3], noisy[4, :9] = noisy[1], noisy[3, 0], 0
        return noisy, x, rng.normal(size=x.shape).astype(np.float32)

    least, most = student.domain.sizes("b")
    for spread, hidden in ((0.1, 1.0), (0.2, 1.0), (0.4, 1.0), (0.1, 1.0), (0.2, 300.0)):
        state = _numbers(rng, spread, hidden)
        for rows in (USUAL[0], least, most, USUAL[0], 1, 1):
            yield state, *images(rows)
    state, other, same = _numbers(rng, 0.2), _numbers(rng, 0.2), images(USUAL[0])
    yield state, *same
    for name in SHAPES:
        state = state | {name: other[name]}
        yield state, *same


def network(student, rng):
    """What two models answer with numbers of the grader's in the state, now the one, now the other.

    Neither may know what is put into the other. At the end all rows but the first and last change.
    """
    model, other = student.new("DAE"), student.new("DAE")
    loaded, found, scales = None, [], []
    _weights(student, model)
    for state, noisy, x, eps in _asked(student, rng):
        if state is not loaded:
            model.load(state)
            other.load(_numbers(rng, 0.2))
            loaded, absolute = state, {name: np.abs(array) for name, array in state.items()}
        found += [model.denoise(noisy), *model.demonstrate(x, eps)]
        shown = x + SIGMA * np.abs(eps)
        scales += [_probability_scale(state, absolute, noisy), shown]
        scales += [_probability_scale(state, absolute, x + SIGMA * eps)]
    for images in (noisy, np.concatenate([noisy[:1], 1 - noisy[1:-1], noisy[-1:]])):
        found.append(model.denoise(images))
        scales.append(_probability_scale(state, absolute, images))
    return {"answers": _joined(found), "answers__scale": _joined(scales)}


def example(student, rng):
    del rng
    return {"agrees": student.example()}


def learn(student, rng):
    """One seed: the squared distance of the model's estimates from the posterior means.

    It is what their squared error exceeds the least possible one by. All are means over fresh
    images of sums over pixels.
    """
    source = student.source(rng)
    training, fresh = (source.drawn(rng, count) for count in (TRAINING, FRESH))
    model = student.new("DAE")
    model.fit(training.astype(np.float32), student.generator())
    weights = _weights(student, model)
    noisy = fresh + SIGMA * rng.normal(size=fresh.shape)
    with np.errstate(over="ignore"):
        denoised = 1 / (1 + np.exp(-logits(weights, noisy)))
    best = source.posterior_mean(noisy, SIGMA)
    errors = {"excess": denoised - best, "error": denoised - fresh, "least": best - fresh}
    return {name: (error**2).sum(axis=1).mean() for name, error in errors.items()}
