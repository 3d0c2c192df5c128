"""What is measured of px-digits: the network and the units with numbers of ours, and training,
seed by seed.

Of training only the eight arrays count that `fit` returns. The forward pass with them is the one
below, with masks of its own, over images that no submitted code sees.
"""

import numpy as np

CHANNELS, SIDE, TRAIN = 16, 8, 1297
KERNELS = (7, 3, 3, 1)
NAMES = ("w1", "b1", "w2", "b2", "w3", "b3", "w4", "b4")
LARGEST = 1e6


def _shapes(c):
    widths = (1, c, c, c, 1)
    kernels = [(widths[i + 1], widths[i], k, k) for i, k in enumerate(KERNELS)]
    return [shape for kernel in kernels for shape in (kernel, kernel[:1])]


def _taps(place):
    """(row, column of the kernel; rows down, columns right) of the taps that a layer may use."""
    k = KERNELS[place]
    for number in range(k * k // 2 + (place > 0)):
        row, column = divmod(number, k)
        yield row, column, row - k // 2, column - k // 2


def _overlap(down, right, height, width):
    """Slices of the pixels that have a neighbour there, and of those neighbours."""
    here, there = [], []
    for step, size in ((down, height), (right, width)):
        here.append(slice(max(0, -step), size - max(0, step)))
        there.append(slice(max(0, step), size - max(0, -step)))
    return tuple(here), tuple(there)


def _masked(place, h, kernel, bias):
    """One masked layer: [b h w inputs] -> [b h w outputs], zeros outside of the image."""
    height, width = h.shape[1:3]
    total = np.zeros((*h.shape[:3], len(bias))) + bias
    for row, column, down, right in _taps(place):
        if abs(down) < height and abs(right) < width:
            here, there = _overlap(down, right, height, width)
            total[:, *here] += h[:, *there] @ kernel[:, :, row, column].T
    return total


def _network(x, parameters):
    """ℓ of images of zeros and ones: [b h w]."""
    h = 2.0 * x[..., None] - 1
    for place in range(len(KERNELS)):
        kernel, bias = parameters[2 * place : 2 * place + 2]
        h = _masked(place, np.maximum(h, 0) if place else h, kernel, bias)
    return h[..., 0]


def _layer_sizes(shape, parameters):
    """What goes into each layer, and ℓ: the sums of absolute terms, the same for all images."""
    sizes = [np.ones((1, *shape, 1))]
    for place in range(len(KERNELS)):
        kernel, bias = (np.abs(part) for part in parameters[2 * place : 2 * place + 2])
        sizes.append(_masked(place, sizes[-1], kernel, bias))
    return sizes


def _gradient_sizes(cotangent, parameters):
    """The sums of absolute terms of the gradients by all parameters."""
    height, width = cotangent.shape[1:]
    sizes = _layer_sizes((height, width), parameters)
    above = np.abs(cotangent).sum(axis=0)[..., None]  # of the layer's outputs, [h w outputs]
    found = []
    for place in reversed(range(len(KERNELS))):
        kernel = np.abs(parameters[2 * place])
        of_kernel, below = np.zeros(kernel.shape), np.zeros((height, width, kernel.shape[1]))
        for row, column, down, right in _taps(place):
            if abs(down) < height and abs(right) < width:
                here, there = _overlap(down, right, height, width)
                seen = sizes[place][0][there]
                of_kernel[:, :, row, column] = np.einsum("hwo,hwi->oi", above[here], seen)
                below[there] += above[here] @ kernel[:, :, row, column]
        found = [of_kernel, above.sum(axis=(0, 1)), *found]
        above = below
    return found


def _nll(logits, x):
    """-log p of every image, in nats."""
    return (np.logaddexp(0.0, logits) - x * logits).sum(axis=(1, 2))


def _bits(rng, *shape):
    return rng.integers(0, 2, shape).astype(np.float64)


def _joined(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def example(student, rng):
    del rng
    return {"agrees": student.example()}


# --- the network ---------------------------------------------------------------------------------


def _drawn(rng, c, gain):
    """Parameters with numbers behind the masks, too; half of the units are on."""
    parameters = []
    for place, shape in enumerate(_shapes(c)[::2]):
        seen = max(1, shape[1] * len(list(_taps(place))))
        parameters += [rng.normal(0, gain * seen**-0.5, shape), rng.normal(0, 0.3, shape[0])]
    return [np.clip(array, -10, 10) for array in parameters]


def _edges(student, rng, c):
    """Parameters with the ends of their ranges among them."""
    draw = student.domain.draw
    return [draw(rng, name, *shape) for name, shape in zip(NAMES, _shapes(c), strict=True)]


def _networks(student, rng):
    """(x, w1 … b4), every size; one argument after another is new, and the first come back.

    The last images have zeros alone, or ones.
    """
    (b, b_most), (h, h_most), (w, w_most), (c, c_most) = map(student.domain.sizes, "bhwc")
    pair = [(_bits(rng, 7, 5, 4), *_drawn(rng, 3, 1.5)) for _ in range(2)]
    yield from student.domain.replaced(*pair, alike="axes")
    yield pair[0]
    for shape, channels in (
        ((b_most, h, w_most), 2),
        ((3, h_most, w), c),
        ((b, h_most, w_most), c_most),
        ((4, SIDE, SIDE), CHANNELS),
        ((5, h, w), 4),
        ((2, h, 3), c),
        ((3, 3, 3), 3),
    ):
        parameters = _drawn(rng, channels, rng.uniform(1.0, 3.0))
        if channels == 1:  # the only unit of a layer is on
            parameters = [np.abs(array) for array in parameters]
        yield _bits(rng, *shape), *parameters
    for _ in range(3):
        shape = (student.domain.size(rng, name) for name in "bhw")
        yield _bits(rng, *shape), *_drawn(rng, student.domain.size(rng, "c"), 1.5)
    for end, channels in zip((-100.0, 100.0), (c_most, 5), strict=True):
        *parameters, _ = _edges(student, rng, channels)
        yield np.full((3, 6, 7), float(end > 0)), *parameters, np.array([end])


def network(student, rng):
    found, scales = [], []
    for x, *parameters in _networks(student, rng):
        found.append(student.logits(x, *parameters))
        size = _layer_sizes(x.shape[1:], parameters)[-1][..., 0]
        scales.append(np.broadcast_to(size, x.shape))
    return {"logits": _joined(found), "logits__scale": _joined(scales)}


def network_gradient(student, rng):
    """By all parameters; what is masked has none."""
    found, scales = [], []
    for x, *parameters in _networks(student, rng):
        cotangent = rng.normal(size=x.shape)
        by = tuple(range(1, 1 + len(NAMES)))
        found += student.vjp("logits", (x, *parameters), by, cotangent)
        scales += _gradient_sizes(cotangent, parameters)
    return {"gradient": _joined(found), "gradient__scale": _joined(scales)}


# --- likelihoods and units -----------------------------------------------------------------------


def _batches(student, rng):
    """(logits, x) of every size; first one of them is new, then the other one, too."""
    (b, b_most), (h, h_most), (w, w_most) = map(student.domain.sizes, "bhw")
    inner = [student.domain.size(rng, name) for name in "bhw"]
    for shape in ((5, 3, 4), (b_most, h, w), (b, h_most, w_most), (6, h, w_most), inner, (b, h, w)):
        pair = [(rng.normal(0, 3, shape), _bits(rng, *shape)) for _ in range(2)]
        yield from student.domain.replaced(*pair, alike="axes")
        x = pair[0][1]
        yield student.domain.draw(rng, "logits", *shape), x
        yield rng.choice([-1.0, 1.0], shape) * rng.uniform(20, 40, shape), x
        yield (2 * x - 1) * rng.uniform(20, 40, shape), x  # sure and right: next to nothing
        yield pair[0]


def likelihood(student, rng):
    found, scales = [], []
    for logits, x in _batches(student, rng):
        found.append(student.nll(logits, x))
        scales.append((1 + np.abs(logits)).sum(axis=(1, 2)))
    return {"nll": _joined(found), "nll__scale": _joined(scales)}


def likelihood_gradient(student, rng):
    """By the logits: σ(ℓ) - x."""
    found, scales = [], []
    for logits, x in _batches(student, rng):
        cotangent = rng.uniform(1, 2, len(x)) * rng.choice([-1.0, 1.0], len(x))
        found += student.vjp("nll", (logits, x), (0,), cotangent)
        scales.append(np.broadcast_to(np.abs(cotangent)[:, None, None], x.shape))
    return {"gradient": _joined(found), "gradient__scale": _joined(scales)}


def units(student, rng):
    """Nats an image to bits a pixel, and back."""
    (b, b_most), (d, d_most) = map(student.domain.sizes, "bd")
    draw, found, scales = student.domain.draw, [], []
    for function, name in ((student.bits_per_dim, "nats"), (student.nats_per_image, "bits")):
        pair = [(draw(rng, name, 6), int(rng.integers(2, d_most))) for _ in range(2)]
        pair[0][0][2] = pair[0][0][1]
        calls = [*student.domain.replaced(*pair, alike="axes"), pair[0]]
        calls += [(draw(rng, name, b_most), d), (rng.uniform(1, 90, b), d_most)]
        calls += [(rng.uniform(1, 90, b), d), (rng.uniform(1, 90, 5), SIDE**2)]
        for values, pixels in calls:
            found.append(function(values, pixels))
            factor = pixels * np.log(2)
            scales.append(values / factor if name == "nats" else values * factor)
    return {"converted": _joined(found), "converted__scale": _joined(scales)}


def _log_weights(rng, s, n):
    """Log-weights of `n` images that differ between images more than within one."""
    return rng.normal(-19, 4, n) - rng.gamma(2.0, 1.0, (s, n))


def _tied(log_w):
    """The same with rows of equal numbers and of zeros, and two rows that are alike."""
    log_w[1], log_w[2], log_w[4] = log_w[1, 0], 0, log_w[3]
    return log_w


def _spread_of(log_w):
    """What rounding can do to the logarithm of a mean of weights."""
    return np.abs(log_w).max(axis=0) + np.log(len(log_w)) + 1


def vae(student, rng):
    """Both bounds of every image."""
    (b, b_most), (s, s_most) = map(student.domain.sizes, "bs")
    draw, found, scales = student.domain.draw, [], []
    calls = [_log_weights(rng, *size) for size in ((4, 7), (s_most, 3), (2, b_most), (s, 5))]
    calls += [_log_weights(rng, student.domain.size(rng, "s"), b), calls[0]]
    other = _log_weights(rng, 4, 7)
    calls += [log_w for (log_w,) in student.domain.replaced(calls[:1], [other], alike="axes")]
    calls += [draw(rng, "log_w", s_most, b_most), draw(rng, "log_w", 3, 4)]
    calls += [_log_weights(rng, 37, 4)]  # no number of equal parts
    # far down, far up, where doubles lose their digits before they are 0, all alike
    calls += [_log_weights(rng, 5, 6) - 950, _log_weights(rng, 5, 6) + 950]
    calls += [rng.uniform(-740, -712, (1, 9)) - rng.gamma(2.0, 0.3, (4, 9))]
    calls += [np.repeat(rng.normal(-19, 4, (1, 3)), 6, axis=0), _log_weights(rng, s, b)]
    calls.append(_tied(_log_weights(rng, 6, 5)))
    for log_w in calls:
        found.append(np.stack(student.bounds(log_w)))
        scales.append(np.stack([np.abs(log_w).mean(axis=0), _spread_of(log_w)]))
    return {"bounds": _joined(found), "bounds__scale": _joined(scales)}


def comparison(student, rng):
    """Mean and standard error of the difference of two models of the same images."""
    (m, m_most), (s, s_most), (d, d_most) = map(student.domain.sizes, "msd")
    draw, found, scales = student.domain.draw, [], []

    def call(images, samples, pixels):
        log_w = _log_weights(rng, samples, images)
        # what is hard for one model is hard for the other one
        return -log_w.mean(axis=0) + rng.normal(0, 1, images), log_w, pixels

    pair = [call(9, 4, int(rng.integers(10, 900))) for _ in range(2)]
    calls = [*student.domain.replaced(*pair, alike="axes"), pair[0]]
    calls += [call(m_most, s, 64), call(m, s_most, d), call(m, s, d_most), call(5, s, d)]
    inner = [student.domain.size(rng, name) for name in "msd"]
    calls += [call(*inner), call(97, 11, 200)]
    calls += [(draw(rng, "nats", m_most), draw(rng, "log_w", 7, m_most), SIDE**2)]
    calls += [(rng.uniform(10, 30, 8), draw(rng, "log_w", s, 8), 100)]
    # differences that are nearly the same, and far from 0
    far = rng.normal(-970, 0.5, 30) - rng.gamma(2.0, 0.05, (s_most, 30))
    calls += [(rng.uniform(0.0, 1.0, 30), far, SIDE**2)]
    nats, log_w, pixels = call(8, 6, 49)
    nats[2], nats[3] = nats[1], 0
    calls += [(nats, _tied(log_w), pixels)]
    for nats, log_w, pixels in calls:
        found.append(np.stack(student.compare(nats, log_w, pixels)))
        size = (np.abs(nats) + _spread_of(log_w)) / (pixels * np.log(2))
        scales.append([size.mean(), size.max() * (len(nats) - 1) ** -0.5])
    return {"comparison": _joined(found), "comparison__scale": _joined(scales)}


# --- training ------------------------------------------------------------------------------------


def _turn(angle, mirrored):
    """The linear map of all images [n 64] that turns them about their centre, then mirrors them.

    Interpolated linearly with black around it.
    """
    centre, pixels = (SIDE - 1) / 2, SIDE**2
    to = np.stack(np.meshgrid(*[np.arange(SIDE) - centre] * 2, indexing="ij")).reshape(2, pixels)
    to[1] *= -1 if mirrored else 1
    cos, sin = np.cos(angle), np.sin(angle)
    source = np.array([[cos, -sin], [sin, cos]]) @ to + centre
    corner = np.floor(source).astype(int)
    found = np.zeros((pixels, pixels))
    for step in np.ndindex(2, 2):
        at = corner + np.array(step)[:, None]
        weight = (1 - np.abs(source - at)).prod(axis=0)
        inside = ((at >= 0) & (at < SIDE)).all(axis=0)
        found[at[0][inside] * SIDE + at[1][inside], np.flatnonzero(inside)] = weight[inside]
    return found


def _images(student, rng):
    """Training and fresh images [n 8 8], 0 or 1, in the disguise of the seed."""
    turn = _turn(rng.uniform(0, 2 * np.pi), mirrored=rng.integers(0, 2) == 1)
    inverted = rng.integers(0, 2)
    parts = student.images().split(rng, TRAIN)
    grey = [part.deformed(rng).pixels.reshape(len(part), -1) @ turn for part in parts]
    return [np.abs((each > 0.5) - inverted).reshape(-1, SIDE, SIDE) for each in grey]


def _independent(x, fresh):
    """-log p of every fresh image where pixels are independent, as in the training images."""
    bright = (x.sum(axis=0) + 0.5) / (len(x) + 1)
    return _nll(np.broadcast_to(np.log(bright) - np.log1p(-bright), fresh.shape), fresh)


def learn(student, rng):
    """One seed: -log p of fresh images, and how far it lies below that of independent pixels."""
    x, fresh = _images(student, rng)
    parameters = student.fit(x.astype(np.float32), student.generator())
    for name, array in zip(NAMES, parameters, strict=True):
        if not np.isfinite(array).all() or np.abs(array).max() > LARGEST:
            student.refuse(f"{name} from fit holds numbers that are not finite or beyond 1e6")
    parameters = [array.astype(np.float64) for array in parameters]
    nll = _nll(_network(fresh, parameters), fresh).mean()
    return {"gain": _independent(x, fresh).mean() - nll, "nll": nll}
