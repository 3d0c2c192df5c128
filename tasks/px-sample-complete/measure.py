"""What is measured of px-sample-complete: images from given uniforms, calls, the law of own images.

Images are also drawn here, so that no u lies where rounding decides, and half of them lie close to
a step of the CDF, on either side. The laws of own images are sums over all images.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

# b, h, w, v, c: one size twice, the smallest and the largest of every axis, and all of them equal
SIZES = ((5, 3, 4, 3, 2), (5, 3, 4, 3, 2), (200, 2, 3, 2, 8), (1, 1, 1, 2, 1), (2, 6, 1, 8, 1))
SIZES += ((3, 1, 6, 4, 3), (2, 6, 6, 8, 2), (3, 3, 3, 3, 3))
WIDEST = 3.0  # what the statement allows a kernel
NEAR = 2e-9  # no u is nearer to a step of the CDF


@dataclass(frozen=True)
class Model:
    """A function of given.py and its parameters."""

    name: str
    parameters: tuple[Any, ...]

    def given(self, student, calls=None):
        """It as an argument; with so many calls allowed, if that is said (`dense` alone)."""
        if calls is None:
            return student.given(self.name, *self.parameters)
        return student.given("metered", *self.parameters, np.array(float(calls)))

    def logits(self, x):
        """[b v h w] of images [b h w]."""
        return self._computed(x, *self.parameters)

    def scale(self, x):
        """The sum of the absolute terms of the logits."""
        return self._computed(x, *map(np.abs, self.parameters))

    def _computed(self, x, *parameters):
        if self.name == "pixel_cnn":
            w1, b1, w2, b2 = parameters
            taps = np.arange(9).reshape(3, 3)
            hidden = _convolved(x[:, None], w1 * (taps < 4), b1)
            return _convolved(np.maximum(hidden, 0.0), w2 * (taps <= 4), b2)
        weight, bias = parameters
        v, h, w = bias.shape
        taps = weight.reshape(h * w, v, h * w) * np.tri(h * w, k=-1)[:, None]
        total = np.einsum("ikj,bj->bki", taps, x.reshape(len(x), h * w).astype(np.float64))
        return total.reshape(len(x), v, h, w) + bias


def _convolved(x, kernel, bias):
    """Cross-correlation of [b i h w] with [o i 3 3], zeros outside of the image."""
    height, width = x.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    total = np.zeros((len(x), len(kernel), height, width)) + bias[:, None, None]
    for row, column in np.ndindex(3, 3):
        window = padded[:, :, row : row + height, column : column + width]
        total += np.einsum("bihw,oi->bohw", window, kernel[:, :, row, column])
    return total


def _log_p(logits):
    top = logits.max(axis=1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))


def _dense(rng, h, w, v, gain=1.0):
    """A dense model whose logits are of the size of `gain`; entries that are masked are not small.

    The biases are different for every pixel and level.
    """
    size = gain * 1.5 / (v * np.sqrt(h * w))
    return Model(
        "dense", (rng.normal(0.0, size, (h, w, v, h, w)), rng.normal(0.0, gain, (v, h, w)))
    )


def _rare(rng, h, w, v):
    """A dense model whose first level has a probability below 1e-6 at every pixel."""
    weight, bias = _dense(rng, h, w, v).parameters
    bias[0] -= rng.uniform(14.5, 15.5, (h, w)) + bias[0]
    return Model("dense", (weight, bias))


def _even(rng, h, w, v):
    """A dense model whose levels are equally likely at every other pixel, whatever the others."""
    weight, bias = _dense(rng, h, w, v).parameters
    even = rng.permutation(h * w).reshape(h, w) % 2 == 0
    weight[even], bias[:, even] = 0.0, 0.0
    return Model("dense", (weight, bias))


def _pixel_cnn(rng, v, c, gain=1.0):
    """A masked network whose kernels have numbers everywhere, the masked places too."""
    shapes = ((c, 1, 3, 3), (c,), (v, c, 3, 3), (v,))
    sizes = (2 * gain / v, 0.5, gain / np.sqrt(c), gain)
    drawn = map(rng.normal, (0.0,) * 4, sizes, shapes)
    return Model("pixel_cnn", tuple(np.clip(part, -WIDEST, WIDEST) for part in drawn))


def _anything(student, rng, h, w, v, c):
    """Both models with parameters from all of their ranges."""
    names = {"weight": (h, w, v, h, w), "bias": (v, h, w)}
    yield Model("dense", tuple(student.domain.draw(rng, name, *names[name]) for name in names))
    names = {"w1": (c, 1, 3, 3), "b1": (c,), "w2": (v, c, 3, 3), "b2": (v,)}
    yield Model("pixel_cnn", tuple(student.domain.draw(rng, name, *names[name]) for name in names))


def _sizes(rng):
    """The sizes above, and as many small ones in an order of their own."""
    small = [rng.permutation(6) + 1 for _ in range(3)] + [rng.permutation(6) + 2]
    return [*SIZES, *np.stack([*small, rng.permutation(6) + 1], axis=1).tolist()]


def _models(student, rng):
    """(b, h, w, model) of every call: both kinds at every size, the first two of one kind.

    Then such with parameters from all of the domain, one with a probability next to 0, and one
    with equal logits.
    """
    found = []
    for b, h, w, v, c in _sizes(rng):
        found += [(b, h, w, _dense(rng, h, w, v)), (b, h, w, _pixel_cnn(rng, v, c))]
    for model in _anything(student, rng, 6, 6, 8, 8):
        found.append((3, 6, 6, model))
    found.append((20, 2, 3, _rare(rng, 2, 3, 3)))
    found.append((9, 2, 3, _even(rng, 2, 3, 4)))
    return found


def _placed(rng, u, cdf):
    """u [b] with half of the numbers close to a step of the CDF [b v], and none too close."""
    step = cdf[np.arange(len(u)), rng.integers(0, cdf.shape[1], len(u))]
    close = step + rng.choice([-1.0, 1.0], len(u)) * 10 ** rng.uniform(-8.5, -5.0, len(u))
    inside = (close > 0) & (close < 0.999999) & (u > 0) & (u < 0.999999)
    u = np.where(inside & (rng.random(len(u)) < 0.5), close, u)
    steps = np.concatenate([np.zeros((len(u), 1)), cdf], axis=1)
    widest = np.diff(steps).argmax(axis=1)
    middle = (steps[:, :-1] + steps[:, 1:])[np.arange(len(u)), widest] / 2
    return np.where((np.abs(u[:, None] - cdf) < NEAR).any(axis=1), middle, u)


def _uniforms(student, rng, model, x, hidden):
    """u for the pixels of x that are hidden, those being drawn on the way: [b h w]."""
    u, x = student.domain.draw(rng, "u", *x.shape), x.copy()
    for row, column in np.argwhere(hidden.any(axis=0)):
        cdf = np.exp(_log_p(model.logits(x))[:, :, row, column]).cumsum(axis=1)
        here = hidden[:, row, column]
        placed = _placed(rng, u[:, row, column], cdf)
        u[:, row, column] = np.where(here, placed, u[:, row, column])
        drawn = (cdf[:, :-1] <= placed[:, None]).sum(axis=1)
        x[:, row, column] = np.where(here, drawn, x[:, row, column])
    return u


def _observed(rng, b, h, w, place):
    """Which pixels are known: of every row at random, or a part of the raster, or nearly all."""
    known = rng.random((b, h, w)) < rng.choice([0.1, 0.5, 0.9], (b, 1, 1))
    order = np.arange(h * w).reshape(h, w)
    if place % 4 == 1:
        known[:] = order < rng.integers(0, h * w + 1)
    if place % 4 == 2:
        known[:] = order >= rng.integers(0, h * w + 1, (b, 1, 1))
    known[rng.permutation(b)[: b // 4]] = True
    known[rng.permutation(b)[: b // 5]] = False
    return known


def _levels(rng, model, b, h, w):
    """Images of any levels, the smallest and the largest among them."""
    v = model.logits(np.zeros((1, h, w), dtype=np.int64)).shape[1]
    x = rng.integers(0, v, (b, h, w))
    x.flat[0], x.flat[-1] = 0, v - 1
    return x


def _whole(found):
    """Levels that are compared one by one, without any tolerance worth its name."""
    values = np.concatenate([np.ravel(part) for part in found]).astype(np.float64)
    return {"x": values, "x__scale": np.ones_like(values)}


def _tied(u):
    """u [b h w] of which two images are the same, one is one number, and one a number a row."""
    u[2], u[3], u[4] = u[1], u[3, 0, 0], u[4, :, :1]
    return u


def _largest(student, rng):
    """A dense model of the most levels, the largest images, as many of them as there may be, and
    which of their pixels are known: all but two at most, which are the same two of every image.
    """
    b, h, w, v = (student.domain.sizes(axis)[1] for axis in "bhwv")
    model, hidden = _dense(rng, h, w, v), np.zeros((b, h, w), dtype=bool)
    for row, column in zip(rng.integers(0, h, 2), rng.integers(0, w, 2), strict=True):
        hidden[rng.random(b) < 0.7, row, column] = True
    return model, _levels(rng, model, b, h, w), ~hidden


def sampled(student, rng):
    """Images from given uniforms, of which some are equal in the last calls."""
    calls = []
    for b, h, w, model in _models(student, rng):
        empty = np.zeros((b, h, w), dtype=np.int64)
        calls.append((model, _uniforms(student, rng, model, empty, empty == 0)))
    pair = [(_dense(rng, 3, 4, 3), _tied(rng.random((9, 3, 4)))) for _ in range(2)]
    calls += student.domain.replaced(*pair)
    return _whole([student.sample(model.given(student), u) for model, u in calls])


def completed(student, rng):
    """Images of which some pixels are known; what stands at the others is any level.

    In the last calls two images have the same levels and uniforms, and two are the same altogether.
    """
    calls = []
    for place, (b, h, w, model) in enumerate(_models(student, rng)):
        x, observed = _levels(rng, model, b, h, w), _observed(rng, b, h, w, place)
        calls.append((model, x, observed, _uniforms(student, rng, model, x, ~observed)))
    pair = []
    for _ in range(2):
        model, observed = _dense(rng, 3, 4, 3), rng.random((9, 3, 4)) < 0.4
        x, u = _levels(rng, model, 9, 3, 4), _tied(rng.random((9, 3, 4)))
        x[2], u[-1] = x[1], u[0]
        for each in (x, observed, u):
            each[6] = each[5]
        pair.append((model, x, observed, u))
    calls += student.domain.replaced(*pair)
    model, x, observed = _largest(student, rng)
    calls.append((model, x, observed, _uniforms(student, rng, model, x, ~observed)))
    model, x, observed, u = pair[0]
    calls += [(model, x, observed | True, u), (model, x, observed & False, u)]
    return _whole([student.complete(model.given(student), *rest) for model, *rest in calls])


def metered(student, rng):
    """Images from models that may be called as often as the statement says."""
    found = []
    for b, h, w, v, _ in _sizes(rng):
        model = _dense(rng, h, w, v)
        x = _levels(rng, model, b, h, w)
        empty = np.zeros_like(x)
        u = _uniforms(student, rng, model, empty, empty == 0)
        found.append(student.sample(model.given(student, h * w), u))
        for place in range(3):
            observed = _observed(rng, b, h, w, place)
            u = _uniforms(student, rng, model, x, ~observed)
            count = (~observed).any(axis=0).sum()
            found.append(student.complete(model.given(student, count), x, observed, u))
        found.append(student.complete(model.given(student, 0), x, empty == 0, u))
        certain = Model("dense", (model.parameters[0], 1000.0 * _one_level(rng, v, h, w)))
        found.append(student.draw(certain.given(student, h * w), b, h, w, student.generator()))
    return _whole(found)


def _one_level(rng, v, h, w):
    """1 at one level of every pixel, -1 at the others: [v h w]. Not the same when turned round."""
    level = rng.integers(0, v, (h, w))
    level[-1, -1] = 0
    return np.where(np.arange(v)[:, None, None] == level, 1.0, -1.0)


def likelihood(student, rng):
    """Log-probabilities of completions, also of very rare ones; models are called once.

    Where one argument is changed alone, two images have the same levels, and two are the same.
    """
    calls = []
    for place, (b, h, w, model) in enumerate(_models(student, rng)):
        calls.append((model, _levels(rng, model, b, h, w), _observed(rng, b, h, w, place)))
    pair = []
    for _ in range(2):
        model = _dense(rng, 3, 4, 3)
        x, observed = _levels(rng, model, 9, 3, 4), rng.random((9, 3, 4)) < 0.4
        x[2], x[6], observed[6] = x[1], x[5], observed[5]
        pair.append((model, x, observed))
    calls += [*student.domain.replaced(*pair), _largest(student, rng)]
    model, x, observed = pair[0]
    calls += [(model, x, observed | True), (model, x, observed & False)]
    level = _one_level(rng, 3, 6, 6)  # where x never is, so that log p is about -72,000
    model = Model("dense", (_dense(rng, 6, 6, 3).parameters[0], 1000.0 * level))
    x = (level.argmax(axis=0) + rng.integers(1, 3, (2, 6, 6))) % 3
    calls.append((model, x, x < 0))
    found, scales = [], []
    for place, (model, x, observed) in enumerate(calls):
        once = 1 if place > 3 and model.name == "dense" else None
        found.append(student.log_completion(model.given(student, once), x, observed))
        spread = model.scale(x).max(axis=1)
        scales.append((2 * spread + 3).sum(axis=(1, 2)))
    return {"log_p": np.concatenate(found), "log_p__scale": np.concatenate(scales)}


def _every_image(h, w, v):
    """All images, [v^(h w) h w]; the first pixel is the leading digit."""
    number = np.arange(v ** (h * w))[:, None]
    return (number // v ** np.arange(h * w)[::-1] % v).reshape(-1, h, w)


def _probabilities(model, h, w, v):
    """Of every image, in the same order."""
    images = _every_image(h, w, v)
    log_p = np.take_along_axis(_log_p(model.logits(images)), images[:, None], axis=1)
    return np.exp(log_p.sum(axis=(1, 2, 3)))


def _drawn(student, model, h, w, rows, n):
    """n own images or more, from calls of so many rows: [… h w], or refused if a level is none."""
    v = len(model.logits(np.zeros((1, h, w), dtype=np.int64))[0])
    args, calls = (model.given(student), rows, h, w), -(-n // rows)
    if h * w == 36:  # so large that only a generator that is reseeded gives an image twice
        found = student.independent("draw", *args, replicates=calls)
    else:
        found = [student.draw(*args, student.generator()) for _ in range(calls)]
    x = np.concatenate(found)
    if x.min() < 0 or x.max() >= v:
        student.refuse(f"draw: levels from {x.min()} to {x.max()}; expected 0 to {v - 1}")
    return x


def _independent_pixels(student, rng, n):
    """Own pixels of models whose pixels are independent and all of one law, as uniforms: [n 5].

    Within the step of the CDF that a level has, the place is drawn here: levels alone are ties,
    which the test takes for draws that are used twice. In the first two columns all pixels of a
    call follow each other, so that lags run over pixels and images; the others are the three
    pixels of an image.
    """
    v, columns = student.domain.sizes("v")[1], []
    # twenty images at least: fewer can be the same in two calls where pixels share their noise
    for h, w, rows in ((6, 6, int(rng.integers(20, 30))), (2, 5, 100), (1, 3, 400)):
        logits = rng.normal(0.0, 0.3, v)
        bias = np.broadcast_to(logits[:, None, None], (v, h, w))
        model = Model("dense", (np.zeros((h, w, v, h, w)), bias))
        x = _drawn(student, model, h, w, rows, n if w == 3 else -(-n // (h * w)))
        cdf = np.concatenate([[0.0], np.exp(_log_p(logits[None]))[0].cumsum()])
        uniform = cdf[x] + rng.random(x.shape) * (cdf[x + 1] - cdf[x])
        columns += [*uniform[:n, 0].T] if w == 3 else [uniform.ravel()[:n]]
    return np.column_stack(columns)


def own(student, rng, n):
    """Own pixels of models whose pixels are independent [n 5], and numbers of own images [n 4].

    The images are of 512 kinds or fewer, from calls of many rows and of few.
    """
    pixels = _independent_pixels(student, rng, n)
    most = student.domain.sizes("n")[1]
    numbers, probabilities = [], []
    some = int(rng.integers(3, 8))
    for h, w, v, rows in ((3, 3, 2, most), (3, 3, 2, 101), (1, 3, 8, 500), (3, 1, some, 1999)):
        model = _pixel_cnn(rng, v, 3) if rows == 101 else _dense(rng, h, w, v)
        x = _drawn(student, model, h, w, rows, n)[:n].reshape(n, -1)
        numbers.append(x @ v ** np.arange(h * w)[::-1])
        p = _probabilities(model, h, w, v)
        probabilities.append(np.pad(p, (0, 512 - len(p))))
    return {
        "image": np.column_stack(numbers).astype(np.float64),
        "image__probabilities": np.stack(probabilities),
        "pixel": pixels,
    }


def _many(student, rng):
    """Four things that own images of independent pixels show: [4].

    Whether counts of a level vary as much as those of independent pixels, at a pixel and in an
    image: they do not where noise is spread evenly over the images of a call, or over an image. The
    sums are those of 216 and 1,200 squares with mean 1; either is as small as that with a
    probability below 1e-15. The same at a pixel in calls for as many images as there may be, 216
    squares again. And whether levels with the probability 0.001 occur: 43 are expected.
    """
    even = np.arange(36).reshape(6, 6) % 2 == 0
    p = np.where(even, np.array([0.4995, 0.001, 0.4995])[:, None, None], 0.001)
    p[0, ~even] = 0.998
    model = Model("dense", (np.zeros((6, 6, 3, 6, 6)), np.log(p)))
    x = _drawn(student, model, 6, 6, 100, 1200).reshape(12, 100, 6, 6)
    half = x[..., even] == 0
    variance = 0.4995 * 0.5005
    found = []
    for axis, least in ((1, 0.4), (2, 0.7)):
        size = half.shape[axis]
        squares = (half.sum(axis) - 0.4995 * size) ** 2 / (variance * size)
        found.append(squares.mean() > least)
    most = student.domain.sizes("n")[1]
    model = Model("dense", (np.zeros((2, 3, 2, 2, 3)), np.zeros((2, 2, 3))))
    ones = _drawn(student, model, 2, 3, most, 36 * most).reshape(36, most, 6).sum(axis=1)
    found.append(((ones - most / 2) ** 2 / (most / 4)).mean() > 0.4)
    return [*found, (x[..., even] == 1).any() and (x[..., ~even] > 0).any()]


def smallest(student, rng):
    """Images from calls for one of them, or a few: no pixels of a call are those of another image.

    And counts of levels in calls for many of them.
    """
    found = []
    few = rng.permutation(np.repeat((1, 2, 3), (24, 6, 8))).tolist()
    for h, w, v, rows in ((6, 6, 8, few), (1, 1, 2, [1] * 60)):
        model = Model("dense", (np.zeros((h, w, v, h, w)), np.zeros((v, h, w))))
        x = [student.draw(model.given(student), n, h, w, student.generator()) for n in rows]
        found.append(len({image.tobytes() for image in np.concatenate(x)}))
    return {"varied": np.array([found[0] == 60, found[1] == 2, *_many(student, rng)])}


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}
