"""What is measured of px-known-entropy: sums over outcomes, a network with numbers of ours in it,
and training, seed by seed.

Of a trained model only its named arrays are used. The forward pass with them is the one below, over
all 65,536 images, so that no program ever sees the images that count: what comes out is the exact
divergence of the law of the images from the model, which cannot be negative.
"""

import itertools

import numpy as np

CHANNELS, RADII = 16, (3, 1, 1, 0)
SIDE, TRAINING = 4, 20000
COUPLING, FIELD = (0.4, 0.8), (0.05, 0.15)
CHUNK = 4096
LARGEST = 1e6
SMALLEST = -709.0  # the logarithm of a probability that is not 0


def _layers():
    """(channels in, channels out, radius, whether a pixel sees itself) of every layer."""
    channels = [1, *[CHANNELS] * (len(RADII) - 1), 1]
    places = zip(channels[:-1], channels[1:], RADII, strict=True)
    return [(*layer, place > 0) for place, layer in enumerate(places)]


def _shapes():
    """The shape of every entry of a state that the grader reads and writes."""
    shapes = {}
    for place, (inputs, outputs, radius, _) in enumerate(_layers()):
        side = 2 * radius + 1
        shapes[f"layers.{place}.weight"] = (outputs, inputs, side, side)
        shapes[f"layers.{place}.bias"] = (outputs,)
    return shapes


def _kept(radius, sees_itself):
    """Which taps are seen: [k, k]."""
    side = 2 * radius + 1
    place = np.arange(side**2).reshape(side, side) - side**2 // 2
    return place <= 0 if sees_itself else place < 0


def _linear(weight, kept, height, width):
    """A masked layer as a matrix, (pixels · inputs, pixels · outputs), zeros outside the image."""
    outputs, inputs, side, _ = weight.shape
    matrix = np.zeros((height, width, inputs, height, width, outputs))
    for down, right in np.argwhere(kept) - side // 2:
        taps = weight[:, :, down + side // 2, right + side // 2].T
        for row in range(max(0, -down), min(height, height - down)):
            for column in range(max(0, -right), min(width, width - right)):
                matrix[row + down, column + right, :, row, column] = taps
    return matrix.reshape(height * width * inputs, height * width * outputs)


def _network(state, height, width):
    """(matrix, bias of every output) of each layer, for images of this size."""
    network = []
    for place, (_, _, radius, sees_itself) in enumerate(_layers()):
        weight, bias = state[f"layers.{place}.weight"], state[f"layers.{place}.bias"]
        matrix = _linear(weight, _kept(radius, sees_itself), height, width)
        network.append((matrix, np.tile(bias, height * width)))
    return network


def _logits(network, x):
    """ℓ of images of zeros and ones [b h w]: [b h w]."""
    found = np.empty(x.shape)
    for start in range(0, len(x), CHUNK):
        h = 2 * x[start : start + CHUNK].reshape(-1, x[0].size) - 1
        for place, (matrix, bias) in enumerate(network):
            h = (np.maximum(h, 0) if place else h) @ matrix + bias
        found[start : start + CHUNK] = h.reshape(-1, *x.shape[1:])
    return found


def _spread(network, x):
    """The sum of the absolute terms of every logit."""
    size = np.ones((1, x[0].size))
    for matrix, bias in network:
        size = size @ np.abs(matrix) + np.abs(bias)
    return np.broadcast_to(size.reshape(x[:1].shape), x.shape)


def _bits(rng, *shape):
    return rng.integers(0, 2, shape).astype(np.float64)


def _joined(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def example(student, rng):
    return {"agrees": student.example()}


def _with_zeros(log_p, log_q, rng):
    """Both with one more outcome, in the same place, that neither of them ever gives."""
    place = rng.integers(0, log_p.shape[1] + 1)
    return tuple(np.insert(log, place, -np.inf, axis=1) for log in (log_p, log_q))


def _certain(rng, b, c):
    """log p of rows in which one outcome is certain."""
    return np.where(np.arange(c) == rng.integers(0, c, (b, 1)), 0.0, -np.inf)


def _surprised(log_q):
    """log p of rows that are certain of what q finds least likely, if it is possible at all.

    A third of the rows of q is made to find it next to impossible.
    """
    log_q = log_q.copy()
    possible = log_q > -np.inf
    least = np.where(possible, log_q, np.inf).argmin(axis=1)
    rows = np.arange(len(log_q))
    changed = (rows % 3 == 0) & (possible.sum(axis=1) > 1)
    log_q[rows[changed], least[changed]] = SMALLEST
    rest = np.exp(log_q).sum(axis=1, keepdims=True)
    log_q = np.maximum(log_q - np.log(rest), np.where(possible, SMALLEST, -np.inf))
    return np.where(np.arange(log_q.shape[1]) == least[:, None], 0.0, -np.inf), log_q


def _reordered(log):
    """Laws that begin and end as these: inner rows have other columns in another order."""
    log = log.copy()
    log[1:-1, 1:] = np.roll(log[1:-1, 1:], 1, axis=1)
    return log


def _positive(rng, b, c):
    """(log p, log q) without zeros, so that every divergence is finite."""
    logs = rng.normal(0.0, 1.5, (2, b, c))
    return tuple(logs - np.logaddexp.reduce(logs, axis=2)[..., None])


def _alike(rng):
    """(log p, log q) with equal rows, and with equal probabilities in a row of either."""
    log_p, log_q = _positive(rng, 9, 8)
    even = np.full(8, -np.log(8)), np.where(np.arange(8) % 2, -np.log(4), -np.inf)
    log_p[1], log_q[1], log_q[3] = log_p[0], log_q[0], log_q[2]
    log_p[4], log_q[5], log_p[6], log_q[6] = even[0], even[0], even[1], even[0]
    log_p[7], log_q[7] = even[0], even[0]
    return log_p, log_q


def _laws(student, rng):
    """(log p, log q) of all sizes. In turn only the one, only the other and both are new.

    As many rows as outcomes among them, so that a confusion of axes gives a number.
    """
    (b, b_most), (c, c_most) = student.domain.sizes("b"), student.domain.sizes("c")
    c_drawn = int(rng.integers(5, 12))

    def law(name, *shape):
        return student.domain.draw(rng, name, *shape)

    yield _alike(rng)
    kept = _positive(rng, 5, 7)
    yield from (kept, (_reordered(kept[0]), kept[1]), kept, (kept[0], _reordered(kept[1])))
    yield _positive(rng, 4, 4)
    for rows, outcomes in ((6, c_drawn), (b, c_most), (40, 3), (b_most, c + 1), (5, c), (b, c)):
        log_p, log_q = law("log_p", rows, outcomes), law("log_q", rows, outcomes)
        new = law("log_p", rows, outcomes), law("log_q", rows, outcomes)
        yield from student.domain.replaced((log_p, log_q), new)
        yield log_p, log_p.copy()
        if outcomes < c_most:
            yield _with_zeros(log_p, log_q, rng)
            yield _with_zeros(log_q, log_q[::-1].copy(), rng)
        if rows < b_most:
            yield _certain(rng, rows, outcomes), log_q
            yield log_p, _certain(rng, rows, outcomes)
            yield _surprised(log_q)
        yield log_p, log_q


def _finite(log):
    """Logarithms with 0 for those of 0."""
    return np.where(np.isfinite(log), log, 0.0)


def distributions(student, rng):
    """H and KL of every row, infinite ones among them."""
    found, scales = {"entropy": [], "kl": []}, {"entropy": [], "kl": []}
    for log_p, log_q in _laws(student, rng):
        found["entropy"].append(student.entropy(log_p))
        found["kl"].append(student.divergence(log_p, log_q))
        size, other = np.abs(_finite(log_p)), np.abs(_finite(log_q))
        rounded = np.exp(log_p) * (1 + size)
        scales["entropy"].append((rounded * (1 + size)).sum(1))
        scales["kl"].append((rounded * (1 + size + other)).sum(1))
    values = {name: _joined(parts) for name, parts in found.items()}
    return values | {f"{name}__scale": _joined(parts) for name, parts in scales.items()}


def distribution_gradients(student, rng):
    """By log p and log q, in the rows whose divergence is finite."""
    found, scales = [], []
    for log_p, log_q in _laws(student, rng):
        rows = ~((log_p > -np.inf) & (log_q == -np.inf)).any(axis=1)
        if not rows.any():
            continue
        p, q = log_p[rows], log_q[rows]  # their logarithms
        cotangent = rng.normal(size=len(p))
        found += student.vjp("entropy", (p,), (0,), cotangent)
        found += student.vjp("divergence", (p, q), (0, 1), cotangent)
        size, other = np.abs(_finite(p)), np.abs(_finite(q))
        part = np.abs(cotangent)[:, None] * np.exp(p) * (1 + size)
        scales += [part * (1 + size), part * (1 + size + other), part]
    return {"gradient": _joined(found), "gradient__scale": _joined(scales)}


def _batches(student, rng):
    """(logits, x) of all sizes; in turn only the one, only the other and both are new."""
    (b, b_most), (h, h_most), (w, w_most) = map(student.domain.sizes, "bhw")
    odd = (int(rng.integers(2, 9)), int(rng.integers(2, 5)), 5)
    for shape in (odd, (b, h_most, w), (b, h, w_most), (b_most, h, w), (7, 4, 4), (b, h, w)):
        logits = rng.normal(0.0, 3.0, shape)
        logits[-1] = student.domain.draw(rng, "logits", *shape[1:])
        wild = student.domain.draw(rng, "logits", *shape)
        x = _bits(rng, *shape)
        yield logits, x
        yield from student.domain.replaced((logits, x), (wild, 1 - x), alike="axes")[1:]
        yield wild, x
        yield rng.normal(0.0, 0.1, shape), x
        yield rng.choice([-1.0, 1.0], shape) * rng.uniform(20.0, 40.0, shape), x
        yield logits, x
    odd = (int(rng.integers(b_most // 2, b_most)), h, w)  # of which equal blocks leave a rest
    yield rng.normal(0.0, 3.0, odd), _bits(rng, *odd)
    yield _repeated(rng, 1.0)


def _repeated(rng, number):
    """(logits, x) with equal images and with images of equal logits, of which one is given."""
    logits, x = rng.normal(0.0, 3.0, (6, 3, 4)), _bits(rng, 6, 3, 4)
    logits[1], x[1] = logits[0], x[0]
    logits[2], logits[3] = logits[2, 0, 0], number
    x[4], x[5] = 0, 1
    return logits, x


def loss(student, rng):
    found, scales = [], []
    for logits, x in itertools.chain(_batches(student, rng), [_repeated(rng, 0.0)]):
        found.append(student.nll(logits, x))
        scales.append((1 + np.abs(logits)).sum(axis=(1, 2)).mean())
    return {"nll": _joined(found), "nll__scale": _joined(scales)}


def loss_gradient(student, rng):
    """By the logits: (σ(ℓ) - x)/b."""
    found, scales = [], []
    for logits, x in _batches(student, rng):
        cotangent = rng.uniform(1.0, 2.0)
        found += student.vjp("nll", (logits, x), (0,), np.asarray(cotangent))
        scales.append(np.full(x.shape, cotangent / len(x)))
    return {"gradient": _joined(found), "gradient__scale": _joined(scales)}


def _weights(rng, gain):
    """Numbers of size `gain` by the root of the taps that are seen, behind the masks as well."""
    state = {}
    for place, (inputs, outputs, radius, sees_itself) in enumerate(_layers()):
        seen = max(1, inputs * int(_kept(radius, sees_itself).sum()))
        side = 2 * radius + 1
        weight = rng.normal(0.0, gain * seen**-0.5, (outputs, inputs, side, side))
        state[f"layers.{place}.weight"] = weight
        state[f"layers.{place}.bias"] = rng.normal(0.0, 0.3, outputs)
    return state


def _confident(rng, far):
    """Numbers with which the logits lie near ±`far`."""
    state, last = _weights(rng, 1.0), f"layers.{len(RADII) - 1}"
    top = _spread(_network(state, 5, 5), np.zeros((1, 5, 5))).max()
    state[f"{last}.weight"] *= 2.0 / top
    state[f"{last}.bias"] = rng.choice([-1.0, 1.0], 1) * far
    return state


def _largest(rng):
    """Numbers from all that the statement allows."""
    return {name: rng.uniform(-1000.0, 1000.0, shape) for name, shape in _shapes().items()}


def _states(rng):
    """(state, shape of x, whether in a new model): every size of image, tame and wild numbers.

    Of the last states each differs from the one before in a single entry.
    """
    sizes = list(itertools.product(range(1, 7), repeat=2))
    gains = [0.5, 1.0, 2.0, 4.0] * 9
    for place, index in enumerate(rng.permutation(len(sizes))):
        yield _weights(rng, gains[place]), (int(rng.integers(1, 5)), *sizes[index]), place % 3 == 0
    for far in (23.0, 30.0, 900.0):
        yield _confident(rng, far), (3, 4, 4), True
    yield _weights(rng, 100.0), (3, 4, 4), True
    yield _largest(rng), (3, 4, 4), True
    # a single pixel sees nothing, so that all images of one have the same logit
    yield _weights(rng, 1.0), (4096, 1, 2), True
    yield _weights(rng, 1.0), (int(2 * rng.integers(300, 1000) + 1), 1, 2), False
    state, other = _weights(rng, 1.0), _weights(rng, 1.0)
    yield state, (2, 3, 4), True
    for name in state:
        state = state | {name: other[name]}
        yield state, (2, 3, 4), False


def _ask(model, state, x, other, answers):
    """Adds logits of x and log p of `other`, an image of the same size, with their scales."""
    spread = _spread(_network(state, *x.shape[1:]), x)
    answers["logits"].append(model.forward(x))
    answers["logits__scale"].append(spread)
    answers["log_prob"].append(model.log_prob(other))
    answers["log_prob__scale"].append((1 + spread).sum(axis=(1, 2)))


def stack(student, rng):
    """Logits and log p of models whose state is put there, some of them more than once.

    Every model is asked about other images in between, and about the first ones again; so is, after
    each of them, one that was made before; and all about two images that are always the same.
    """
    names = "logits", "logits__scale", "log_prob", "log_prob__scale"
    answers, models = {name: [] for name in names}, []
    same = _bits(rng, 2, 3, 2)
    for state, shape, new in _states(rng):
        if new:
            model = student.new("PixelCNN")
            held = model.state()
            _expect(student, held)
            models.append([model, None])
        models[-1][1] = state
        model.load({**held, **state})
        first, turned = _bits(rng, *shape), _bits(rng, shape[0], shape[2], shape[1])
        _ask(model, state, same, same, answers)
        for x in (first, turned, first):
            _ask(model, state, x, _bits(rng, *x.shape), answers)
        for asked, its_state in (models[-1], models[rng.integers(len(models))]):
            _ask(asked, its_state, same, same, answers)
    return {name: _joined(parts) for name, parts in answers.items()}


def every_image(student, rng):
    """log p of the 512 images of 3 x 3 pixels, under numbers from tame to wild: [3, 512]."""
    every = _every(3).astype(np.float64)
    model = student.new("PixelCNN")
    held, found = model.state(), []
    _expect(student, held)
    for gain in (0.5, 1.5, 4.0):
        model.load({**held, **_weights(rng, gain)})
        found.append(model.log_prob(every))
    return {"log_prob": np.stack(found)}


def _expect(student, state):
    """Ends the trial unless a state has all entries that the statement asks for, of float64.

    Entries of a normalisation are refused: the grader's network has none, and would be another one.
    """
    for name in state:
        if name.endswith(("running_mean", "running_var")):
            student.refuse(f"state: {name} belongs to a normalisation; the network has none")
    for name, shape in _shapes().items():
        if name not in state:
            held = ", ".join(sorted(state)[:12]) or "nothing"
            student.refuse(f"state: there is no {name}; it holds {held}")
        array = state[name]
        if array.shape != shape:
            student.refuse(f"state: {name} has the shape {array.shape}; expected {shape}")
        if array.dtype != np.float64:
            student.refuse(f"state: {name} is {array.dtype}; expected float64")


def _expect_numbers(student, state):
    """Ends the trial unless all these entries hold finite numbers of a size that one can use."""
    for name in _shapes():
        if not np.isfinite(state[name]).all():
            student.refuse(f"state: after fit {name} holds numbers that are not finite")
        if np.abs(state[name]).max() > LARGEST:
            student.refuse(f"state: after fit {name} holds numbers beyond {LARGEST:g}")


def _every(side):
    """All images of `side` x `side` pixels: [2^pixels, side, side], the last pixel fastest."""
    pixels = side**2
    digits = np.arange(2**pixels)[:, None] >> np.arange(pixels)[::-1] & 1
    return digits.reshape(-1, side, side).astype(np.int8)


def _ising(coupling, field):
    """log p of all 4 x 4 images; the couplings are those of vertical and of horizontal pairs."""
    spin = 2 * _every(SIDE).astype(np.int64) - 1
    vertical = (spin[:, 1:] * spin[:, :-1]).sum(axis=(1, 2))
    horizontal = (spin[:, :, 1:] * spin[:, :, :-1]).sum(axis=(1, 2))
    energy = coupling[0] * vertical + coupling[1] * horizontal + field * spin.sum(axis=(1, 2))
    top = energy.max()
    return energy - top - np.log(np.exp(energy - top).sum())


def _drawn(rng):
    """Couplings [2] and field of one seed, each with a sign of its own."""
    signs = rng.choice([-1.0, 1.0], 3)
    return signs[:2] * rng.uniform(*COUPLING, 2), signs[2] * rng.uniform(*FIELD)


def _log_model(state):
    """log p of all 4 x 4 images under the masked network with these numbers, in float64."""
    every = _every(SIDE)
    # no logit sees the last pixel, so each pair of images has the same ones
    half = _logits(_network(state, SIDE, SIDE), every[::2].astype(np.float64))
    logits = np.repeat(half, 2, axis=0)
    signed = np.where(every == 1, logits, -logits)
    return -(np.maximum(-signed, 0) + np.log1p(np.exp(-np.abs(signed)))).sum(axis=(1, 2))


def learn(student, rng):
    """One seed: KL(p ‖ model) = E_p[-log model] - H(p), exactly, in nats an image."""
    log_p = _ising(*_drawn(rng))
    p = np.exp(log_p)
    chosen = rng.choice(len(p), size=TRAINING, p=p / p.sum())
    model = student.new("PixelCNN")
    model.fit(_every(SIDE)[chosen].astype(np.float64), student.generator())
    state = model.state()
    _expect(student, state)
    _expect_numbers(student, state)
    nll, entropy = -(p * _log_model(state)).sum(), -(p * log_p).sum()
    return {"excess": nll - entropy, "nll": nll, "entropy": entropy}
