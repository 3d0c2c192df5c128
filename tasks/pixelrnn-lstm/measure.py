"""What is measured of pixelrnn-lstm: states, logits, likelihoods and their gradients, and images.

The LSTM is computed here as well, because the scales need it: with every number goes a bound on its
rounding error in units of epsilon, carried through the recurrence to first order. Uniform numbers
need it too: none of them may lie where rounding decides. Mild networks remember the first pixel to
the end; wide ones have weights from all of their ranges and read a few pixels only, since they
multiply a rounding from pixel to pixel.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

NEAR = 2e-9  # no u is nearer to the probability that it is compared with
# b, h, w, m: ordinary first, the smallest and the largest of every size, squares, rows, columns
SIZES = ((3, 3, 4, 3), (1, 1, 1, 1), (16, 8, 8, 6), (4, 2, 2, 4), (1, 5, 2, 2), (5, 1, 8, 3))
SIZES += ((2, 8, 1, 5), (256, 8, 1, 2), (2, 2, 3, 1), (3, 1, 1, 4))
EQUAL, BLANK = SIZES[0][:3], SIZES[5][:3]  # with u that are equal; BLANK has zeros as well
FEW = tuple(size for size in SIZES if size[0] < 256 and size[1] * size[2] < 64)


def _sigmoid(a):
    return np.exp(-np.logaddexp(0.0, -a))


# -------------------------------------------------------------------------------------- the network


@dataclass(frozen=True)
class Sized:
    """Absolute values, and bounds on their rounding errors in units of epsilon; of one shape."""

    value: Any
    error: Any

    def __mul__(self, other):
        value = self.value * other.value
        return Sized(value, value + self.error * other.value + self.value * other.error)

    def __add__(self, other):
        return Sized(self.value + other.value, self.error + other.error)

    def summed(self, subscripts, other):
        """Sums of products, as `numpy.einsum` writes them."""
        value, first, second = (
            np.einsum(subscripts, *each)
            for each in (
                (self.value, other.value),
                (self.error, other.value),
                (self.value, other.error),
            )
        )
        return Sized(value, value + first + second)

    @property
    def size(self):
        """What a tolerance grows with."""
        return self.value + self.error


def _exact(values):
    return Sized(np.abs(values), np.zeros_like(values))


def _sigmoid_slope(s, error):
    """s (1 - s), where the argument has that error; 1 - s is rounded as 1 is."""
    return Sized(s * (1 - s), s * (1 - s) * error + s)


def _tanh_slope(t, error):
    return Sized(1 - t * t, 2 * (1 - t * t) * error + 1)


@dataclass(frozen=True)
class Step:
    """One step of the cell: what came in, its gates and tanh(c), what came out, and slopes."""

    e: Any  # [b]
    h_before: Sized  # this and what follows [b m]
    c_before: Sized
    gates: tuple[Sized, ...]  # o, f, i, g
    slopes: tuple[Sized, ...]
    tanh_c: Sized
    tanh_slope: Sized
    h: Any
    c: Any
    h_error: Any
    c_error: Any


def _step(e, h, c, h_error, c_error, weights):
    """The next state and its errors, from e [b] and the rest [b m]."""
    w_x, w_h, bias = weights
    a = e[:, None, None] * w_x + np.einsum("kmn,bn->bkm", w_h, h) + bias
    a_error = np.abs(e)[:, None, None] * np.abs(w_x) + np.abs(bias)
    a_error = a_error + np.einsum("kmn,bn->bkm", np.abs(w_h), np.abs(h) + h_error)
    slopes, gates = [], []
    for k in range(4):
        gate = np.tanh(a[:, k]) if k == 3 else _sigmoid(a[:, k])
        slopes.append((_tanh_slope if k == 3 else _sigmoid_slope)(gate, a_error[:, k]))
        gates.append(Sized(np.abs(gate), slopes[k].value * a_error[:, k] + np.abs(gate)))
    (o, f, i, g), before = gates, Sized(np.abs(c), c_error)
    new_c = f.value * c + i.value * np.sign(a[:, 3]) * g.value
    new_c_error = (f * before + i * g).error
    tanh_c = np.tanh(new_c)
    tanh_slope = _tanh_slope(tanh_c, new_c_error)
    tanh = Sized(np.abs(tanh_c), tanh_slope.value * new_c_error + np.abs(tanh_c))
    return Step(
        e=e,
        h_before=Sized(np.abs(h), h_error),
        c_before=before,
        gates=tuple(gates),
        slopes=tuple(slopes),
        tanh_c=tanh,
        tanh_slope=tanh_slope,
        h=o.value * tanh_c,
        c=new_c,
        h_error=(o * tanh).error,
        c_error=new_c_error,
    )


def _begun(b, weights):
    return [np.zeros((b, weights[0].shape[1])) for _ in range(4)]


def _head(step, w_out, b_out):
    """The logits [b] of a step and their errors."""
    error = (np.abs(step.h) + step.h_error) @ np.abs(w_out) + np.abs(b_out)
    return step.h @ w_out + b_out, error


def _read(x, net):
    """(steps, logits, errors), the last two [b h w], of images [b h w]."""
    start, *weights, w_out, b_out = net
    flat, state = x.reshape(len(x), -1), _begun(len(x), weights)
    steps, heads = [], []
    e = np.full(len(x), start)
    for pixel in flat.T:
        step = _step(e, *state, weights)
        steps.append(step)
        heads.append(_head(step, w_out, b_out))
        state, e = [step.h, step.c, step.h_error, step.c_error], pixel
    found, errors = np.moveaxis(np.array(heads), (0, 1, 2), (2, 0, 1))
    return steps, found.reshape(x.shape), errors.reshape(x.shape)


def _back(step, by_h, by_c, weights):
    """Gradients by e [b], by h and c [b m], and by the arguments of the gates [b 4 m]."""
    w_x, w_h, _ = map(_exact, weights)
    o, f, i, g = step.gates
    through = by_c + by_h * o * step.tanh_slope
    by_gates = (by_h * step.tanh_c, through * step.c_before, through * g, through * i)
    parts = [by * slope for by, slope in zip(by_gates, step.slopes, strict=True)]
    by_a = Sized(
        np.stack([part.value for part in parts], axis=1),
        np.stack([part.error for part in parts], axis=1),
    )
    by_e, by_h = by_a.summed("bkm,km->b", w_x), by_a.summed("bkm,kmn->bn", w_h)
    return by_e, by_h, through * f, by_a


def _by_weights(step, by_a):
    """Sizes of what a step gives to the gradients by w_x, w_h and bias."""
    by_w_x = by_a.summed("bkm,b->km", _exact(step.e))
    by_w_h = by_a.summed("bkm,bn->kmn", step.h_before)
    return by_w_x.size, by_w_h.size, by_a.size.sum(axis=0)


def _gradient_sizes(x, net, by_logits):
    """Sizes of the gradients by x, start, w_x, w_h, bias, w_out and b_out; by_logits [b h w]."""
    _, *weights, w_out, _ = net
    steps, _, _ = _read(x, net)
    flat = Sized(*(part.reshape(len(x), -1) for part in (by_logits.value, by_logits.error)))
    by_h, by_c = map(_exact, _begun(len(x), weights)[:2])
    total = [np.zeros_like(part) for part in weights]
    by_w_out, by_e = np.zeros_like(w_out), np.zeros_like(flat.value)
    for index in reversed(range(len(steps))):
        step, by = steps[index], Sized(flat.value[:, index], flat.error[:, index])
        by_w_out = by_w_out + by.summed("b,bm->m", Sized(np.abs(step.h), step.h_error)).size
        by_h = by_h + by.summed("b,m->bm", _exact(w_out))
        by_input, by_h, by_c, by_a = _back(step, by_h, by_c, weights)
        by_e[:, index] = by_input.size
        total = [one + more for one, more in zip(total, _by_weights(step, by_a), strict=True)]
    by_x = np.concatenate([by_e[:, 1:], np.zeros((len(x), 1))], axis=1)
    return [by_x, by_e[:, 0].sum(), *total, by_w_out, flat.size.sum()]


def _mild(rng, m):
    """start, w_x, w_h, bias, w_out, b_out of a network that remembers, with small logits."""
    bias = rng.normal(0.0, 0.7, (4, m))
    bias[1] += 1.5
    return (
        np.asarray(rng.uniform(-2.0, 2.0)),
        rng.normal(0.0, 1.2, (4, m)).clip(-3, 3),
        rng.normal(0.0, 0.8 / np.sqrt(m), (4, m, m)).clip(-2, 2),
        bias,
        rng.choice([-1.0, 1.0], m) * rng.uniform(1.0, 3.0, m) / np.sqrt(m),
        np.asarray(rng.normal(0.0, 0.5)),
    )


def _wide(student, rng, m):
    """The same from all that the statement allows."""
    draw = student.domain.draw
    names = {"w_x": (4, m), "w_h": (4, m, m), "bias": (4, m), "w_out": (m,)}
    parts = [draw(rng, name, *shape) for name, shape in names.items()]
    return (np.asarray(draw(rng, "start", 1)[0]), *parts, np.asarray(rng.uniform(-3.0, 3.0)))


def _offset(net, start, b_out):
    """The network with another start and another last bias."""
    return (np.asarray(start), *net[1:-1], np.asarray(b_out))


def _blank(net):
    """The network with zeros among its numbers, and a first logit of exactly 0."""
    _, w_x, w_h, bias, w_out, _ = net
    bias, w_out = bias.copy(), w_out.copy()
    bias[3] = w_out[0] = 0.0
    return np.asarray(0.0), w_x, w_h, bias, w_out, np.asarray(0.0)


def _farthest(rng, sign):
    """A network whose logits are far beyond 1000 from the second pixel on, with slopes left."""
    _, w_x, w_h, bias, _, _ = _mild(rng, 6)
    signs = rng.choice([-1.0, 1.0], 6)
    bias = 3.0 + 0.2 * bias
    bias[3] *= signs
    w_out = sign * signs * rng.uniform(9.5, 10.0, 6)
    return np.asarray(sign * 3.0), 0.2 * w_x, 0.2 * w_h, bias, w_out, np.asarray(sign * 1000.0)


def _bits(rng, *shape):
    return rng.integers(0, 2, shape).astype(np.float64)


def _networks(student, rng, sizes=SIZES):
    """(b, h, w, network): mild ones of all sizes, wide ones of few pixels, far logits."""
    for b, h, w, m in sizes:
        net = _mild(rng, m)
        yield b, h, w, _blank(net) if (b, h, w) == BLANK else net
    for b, h, w, m in ((4, 1, 3, 6), (6, 2, 1, 5), (3, 2, 2, 3), (40, 1, 1, 4), (9, 1, 2, 1)):
        yield b, h, w, _wide(student, rng, m)
    for sign in (-1.0, 1.0):
        yield 8, 2, 3, _farthest(rng, sign)
    for start, b_out in ((0.0, 24.0), (1.0, -24.0), (2.0, -16.0)):
        yield 8, 2, 3, _offset(_mild(rng, 2), start, b_out)


def _counting(rng):
    """A call (images, *network) whose cell state counts: up to 30 with the ones, then down again.

    The ones of an image come first. At its end the cell state is near zero again, where tanh shows
    all that happened to it on the way.
    """
    x = (np.arange(64) < rng.integers(26, 39, (3, 1))).astype(np.float64)
    w_x, bias = np.zeros((4, 2)), np.zeros((4, 2))
    w_x[3], bias[3] = (3.0, -3.0), (-1.5, 1.5)
    bias[1:3] = 8.0
    w_h = rng.normal(0.0, 0.1, (4, 2, 2))
    start, b_out = np.asarray(rng.uniform(-1.0, 1.0)), np.asarray(rng.normal())
    return x.reshape(3, 8, 8), start, w_x, w_h, bias, rng.uniform(1.0, 2.0, 2), b_out


def _collected(pairs):
    """Results and their scales as two flat arrays."""
    columns = zip(*pairs, strict=True)
    return [np.concatenate([np.ravel(each) for each in column]) for column in columns]


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}


# ------------------------------------------------------------------------ states, logits, gradients


MOST = (256, 6)  # b and m


def _saturated(rng, e, state, w_x, w_h, bias):
    """The call with gates o, f and i of one unit close to -100 in one row, to 100 in another."""
    signs = rng.choice([-1.0, 1.0], state.shape[2])
    w_h[:3, 2] = 2.0 * signs
    state[1, 0], state[2, 0] = -8.0 * signs, 8.0 * signs
    return e, state, w_x, w_h, bias


def _cell_call(student, rng, b, m, wide):
    if wide:
        names = {"e": (b,), "state": (b, 2, m), "w_x": (4, m), "w_h": (4, m, m), "bias": (4, m)}
        call = tuple(student.domain.draw(rng, name, *shape) for name, shape in names.items())
        return _saturated(rng, *call) if (b, m) == MOST else call
    _, *weights, _, _ = _mild(rng, m)
    return rng.uniform(-2.0, 2.0, b), rng.uniform(-2.0, 2.0, (b, 2, m)), *weights


def cell(student, rng):
    """States after one step and their gradients by all arguments; integers and zeros as well."""
    sizes = [(5, 3), (1, 1), (4, 4), (2, 2), MOST, (1, 6), (7, 5), (3, 1)]
    calls = [_cell_call(student, rng, b, m, wide) for b, m in sizes for wide in (False, True)]
    e, state, *weights = _cell_call(student, rng, 6, 3, False)
    calls += [(e, 0 * state, *weights), (0 * e, state, *weights)]
    calls.append((np.rint(e), np.rint(state), *map(np.rint, weights)))
    pair = [_cell_call(student, rng, 6, 4, False) for _ in range(2)]
    states, grads = [], []
    for e, state, *weights in student.domain.replaced(*pair, *calls, pair[0]):
        h, c = state[:, 0], state[:, 1]
        step = _step(e, h, c, 0 * h, 0 * c, weights)
        sizes = np.stack([step.h_error, step.c_error], axis=1)
        states.append((student.lstm_cell(e, state, *weights), sizes))
        cotangent = rng.normal(size=state.shape)
        found = student.vjp("lstm_cell", (e, state, *weights), range(5), cotangent)
        by_state = map(_exact, (cotangent[:, 0], cotangent[:, 1]))
        by_e, by_h, by_c, by_a = _back(step, *by_state, weights)
        by_state = np.stack([by_h.size, by_c.size], axis=1)
        wanted = [by_e.size, by_state, *_by_weights(step, by_a)]
        grads += zip(found, wanted, strict=True)
    found, scale = _collected(states)
    slopes, sizes = _collected(grads)
    return {"state": found, "state__scale": scale, "grad": slopes, "grad__scale": sizes}


def _pair(rng, drawn):
    """Two calls of one size, all arguments different: what `drawn` gives, and a network."""
    return [(*drawn(), *_mild(rng, 3)) for _ in range(2)]


def values(student, rng):
    """Logits of images of zeros and ones, and of such with other numbers."""
    calls = []
    for b, h, w, net in _networks(student, rng):
        calls.append((student.domain.draw(rng, "logits.x", b, h, w), *net))
        if b < 256:
            calls.append((_bits(rng, b, w, h), *net))
    calls.append(_counting(rng))
    pair = _pair(rng, lambda: (_bits(rng, 5, 3, 4),))
    x, start, *rest = pair[0]
    calls += [(x[1:], start, *rest), (x, start, *_mild(rng, 5)[1:])]  # another b, another m
    found = []
    for x, *net in student.domain.replaced(*pair, *calls, pair[0]):
        _, _, errors = _read(x, net)
        found.append((student.logits(x, *net), errors))
    logits, scale = _collected(found)
    return {"logits": logits, "logits__scale": scale}


def gradients(student, rng):
    """Gradients of the logits by images, start and weights."""
    calls = [
        (student.domain.draw(rng, "logits.x", b, h, w), *net)
        for b, h, w, net in _networks(student, rng, FEW)
    ]
    calls.append(_counting(rng))
    pair = _pair(rng, lambda: (rng.uniform(-1.0, 1.0, (4, 2, 3)),))
    found = []
    for x, *net in student.domain.replaced(*pair, *calls, pair[0]):
        cotangent = rng.normal(size=x.shape)
        slopes = student.vjp("logits", (x, *net), range(7), cotangent)
        found += zip(slopes, _gradient_sizes(x, net, _exact(cotangent)), strict=True)
    grad, scale = _collected(found)
    return {"grad": grad, "grad__scale": scale}


def influence(student, rng):
    """How much every logit changes with one pixel of its image: [j, i] of each size in turn.

    In each image of a batch one pixel is moved; the images stand in an order of their own.
    """
    found, allowed, scales = [], [], []
    for h, w in ((3, 4), (1, 8), (8, 1), (4, 2), (2, 2)):
        pixels, net = h * w, _mild(rng, 3)
        x = np.repeat(rng.uniform(-1.0, 1.0, (1, pixels)), pixels + 1, axis=0)
        x[np.arange(pixels), np.arange(pixels)] += rng.choice([-1.5, 1.5], pixels)
        order, logits = rng.permutation(pixels + 1), np.empty_like(x)
        moved = x[order].reshape(-1, h, w)
        logits[order] = student.logits(moved, *net).reshape(x.shape)
        with np.errstate(all="ignore"):
            found.append(np.abs(logits[:-1] - logits[-1]).ravel())
        allowed.append(np.triu(np.ones((pixels, pixels), dtype=bool), 1).ravel())
        scales.append(_read(moved, net)[2].max())
    seen = np.concatenate(allowed)
    return {
        "influence": np.concatenate(found),
        "influence__allowed": seen,
        "influence__required": seen,
        "influence__scale": np.array(scales),
    }


# -------------------------------------------------------------------------------------- likelihoods


def _likelihood_calls(student, rng, sizes):
    calls = [(_bits(rng, b, h, w), *net) for b, h, w, net in _networks(student, rng, sizes)]
    calls += [(np.full_like(x, bit), *net) for x, *net in calls[-5:] for bit in (0.0, 1.0)]
    calls.append((_bits(rng, 40, 1, 3), *_offset(_mild(rng, 2), -1.0, 11.0)))
    calls.append(_counting(rng))
    pair = _pair(rng, lambda: (_bits(rng, 7, 2, 3),))
    return student.domain.replaced(*pair, *calls, pair[0])


def likelihood(student, rng):
    """log p of single images, with logits of 1000, and of 24, where 1 - p has lost its digits."""
    found = []
    for x, *net in _likelihood_calls(student, rng, SIZES):
        _, logits, errors = _read(x, net)
        terms = errors + np.abs(logits) + 1
        found.append((student.log_prob(x, *net), terms.sum(axis=(1, 2))))
    log_prob, scale = _collected(found)
    return {"log_prob": log_prob, "log_prob__scale": scale}


def every_image(student, rng):
    """All 256 images of 8 pixels, of four sizes, in an order of their own."""
    found = []
    for h, w in ((2, 4), (4, 2), (1, 8), (8, 1)):
        digits = rng.permutation(256)[:, None] >> np.arange(8) & 1
        images = digits.reshape(-1, h, w).astype(np.float64)
        found.append(student.log_prob(images, *_mild(rng, 4)))
    return {"log_prob": np.stack(found)}


def likelihood_gradients(student, rng):
    """Gradients of log p by start and weights."""
    found = []
    for x, *net in _likelihood_calls(student, rng, FEW):
        cotangent = rng.normal(size=len(x))
        slopes = student.vjp("log_prob", (x, *net), range(1, 7), cotangent)
        by_logits = _exact(cotangent[:, None, None]) * Sized(np.ones_like(x), _read(x, net)[2] / 4)
        found += zip(slopes, _gradient_sizes(x, net, by_logits)[1:], strict=True)
    grad, scale = _collected(found)
    return {"grad": grad, "grad__scale": scale}


# ------------------------------------------------------------------------------------------- images


def _placed(rng, u, p, error, share):
    """u [b] with a share of the numbers close to p [b], on either side, and none too close."""
    least = np.maximum(NEAR, 1e3 * np.finfo(np.float64).eps * error)
    close = p + rng.choice([-1.0, 1.0], len(u)) * 10 ** rng.uniform(-8.5, -5.0, len(u))
    inside = (close > 0) & (close < 0.999999)
    u = np.where(inside & (rng.random(len(u)) < share), close, u)
    far = np.where(p > 0.5, p / 2, np.minimum((1 + p) / 2, 0.999999))
    return np.where(np.abs(u - p) < least, far, u)


def _equal(rng, b, h, w):
    """u [b h w], equal ones among them: the first of all images, or all of a row where h is 1."""
    ticks = rng.choice([0.0, 0.5], (b, h, w if h > 1 else 1)) + rng.uniform(0.15, 0.35)
    if h > 1:
        ticks[:, 0, 0] = ticks[0, 0, 0]
    return np.repeat(ticks, w // ticks.shape[2], axis=2)


def _uniforms(student, rng, x, hidden, net, equal=None):
    """u [b h w] for the pixels of x that are hidden; these are drawn here on the way.

    Those that `equal` gives stay, but where they are too close to a probability.
    """
    start, *weights, w_out, b_out = net
    given = equal is not None
    u = equal if given else student.domain.draw(rng, "u", *x.shape)
    u = u.reshape(len(x), -1)
    known, hidden = x.reshape(len(x), -1), hidden.reshape(len(x), -1)
    e, state = np.full(len(x), start), _begun(len(x), weights)
    for index in range(u.shape[1]):
        step = _step(e, *state, weights)
        state = [step.h, step.c, step.h_error, step.c_error]
        logit, error = _head(step, w_out, b_out)
        p, here = _sigmoid(logit), hidden[:, index]
        placed = _placed(rng, u[:, index], p, error, 0.0 if given else 0.5)
        u[:, index] = np.where(here, placed, u[:, index])
        e = np.where(here, u[:, index] < p, known[:, index])
    return u.reshape(x.shape)


def _whole(found):
    """Pixels that are compared one by one."""
    pixels = np.concatenate([part.ravel() for part in found])
    return {"x": pixels, "x__scale": np.ones_like(pixels)}


def _alike(rng):
    """Two networks; in the second gates f and i are exchanged, so sums of its weights are equal."""
    (start, *weights, w_out, b_out), other = _mild(rng, 3), _mild(rng, 3)
    weights = [np.rint(64 * part) / 64 for part in weights]  # any order of a sum gives the same
    exchanged = [part[[0, 2, 1, 3]] for part in weights]
    return (start, *weights, w_out, b_out), (other[0], *exchanged, *other[-2:])


def sampled(student, rng):
    """Images from given uniform numbers."""
    calls = []
    for b, h, w, net in _networks(student, rng):
        empty = np.zeros((b, h, w))
        equal = _equal(rng, b, h, w) if (b, h, w) in (EQUAL, BLANK) else None
        calls.append((_uniforms(student, rng, empty, empty == 0, net, equal), *net))
    pair = []
    for net in _alike(rng):
        empty = np.zeros((24, 3, 3))
        pair.append((_uniforms(student, rng, empty, empty == 0, net), *net))
    calls = student.domain.replaced(*pair, *calls, pair[0])
    return _whole([student.sample(u, *net) for u, *net in calls])


def _observed(rng, b, h, w, place):
    """Which pixels are known: the first ones, the last ones, any; also none and all of an image."""
    order = np.arange(h * w).reshape(h, w)
    count = rng.integers(0, h * w + 1, (b, 1, 1))
    if place % 3 == 0:
        known = order < count
    elif place % 3 == 1:
        known = rng.random((b, h, w)) < rng.uniform(0.1, 0.9, (b, 1, 1))
    else:
        known = order >= count
    known[rng.permutation(b)[: b // 4]] = True
    known[rng.permutation(b)[: b // 5]] = False
    return known


def _long_known(student, rng, b):
    """A call with b images of 8 × 8 pixels, the first 35 to 59 of which are known in each."""
    x, net = _bits(rng, b, 8, 8), _mild(rng, 5)
    observed = np.arange(64).reshape(8, 8) < rng.integers(35, 60, (b, 1, 1))
    return x, observed, _uniforms(student, rng, x, ~observed, net), *net


def _as_many_known(student, rng):
    """A call of images of 3 × 3 pixels, as many of which are known in each, but others.

    Some images hold ones alone, some zeros, whether known or not.
    """
    x, net = _bits(rng, 8, 3, 3), _mild(rng, 3)
    x[:3], x[3:5] = 1.0, 0.0
    observed = rng.permuted(np.tile(np.arange(9) < 4, (8, 1)), axis=1).reshape(x.shape)
    return x, observed, _uniforms(student, rng, x, ~observed, net), *net


def completed(student, rng):
    """Images of which some pixels are known; what stands at the others is 0 or 1."""
    calls = []
    for place, (b, h, w, net) in enumerate(_networks(student, rng)):
        x, observed = _bits(rng, b, h, w), _observed(rng, b, h, w, place)
        equal = _equal(rng, b, h, w) if (b, h, w) in (EQUAL, BLANK) else None
        calls.append((x, observed, _uniforms(student, rng, x, ~observed, net, equal), *net))
    pair = []
    for net in _alike(rng):
        x, observed = _bits(rng, 32, 3, 3), rng.random((32, 3, 3)) < 0.5
        single = rng.permuted(np.tile(np.arange(9) > 0, (16, 1)), axis=1)  # one pixel is drawn
        observed[1:17] = single.reshape(16, 3, 3)
        pair.append((x, observed, _uniforms(student, rng, x, ~observed, net), *net))
    x, observed, *rest = pair[0]
    calls += [(x, observed | True, *rest), (x, observed & False, *rest)]
    calls += [_long_known(student, rng, 12), _long_known(student, rng, 1)]
    calls.append(_as_many_known(student, rng))
    calls = student.domain.replaced(*pair, *calls, pair[0])
    return _whole([student.complete(*call) for call in calls])
