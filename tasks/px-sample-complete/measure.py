"""What is measured of px-sample-complete: images from given noise, exact conditionals, own draws.

The network is computed here, too, pixel by pixel: so uniforms can be put close to the probability
that they decide, and own draws be held against their law. Every function also sees calls where one
argument alone has changed.
"""

from dataclasses import dataclass

import numpy as np

TAPS, REACH = 5, 2  # side of the kernel; how far it sees
NEAR = 1e-9  # how near u may be to the probability
MANY = 1_000_000  # passes that nobody needs
BITS = 6  # of one category: 64 in all
MASKS = ("some", "first", "alike", "last", "few", "none", "most", "all")


@dataclass(frozen=True)
class Network:
    """The parameters of `network` in given.py, but for the budget: kernel and bias, [5 5] each."""

    weight: np.ndarray
    bias: np.ndarray

    def given(self, student, budget=MANY):
        return student.given("network", self.weight, self.bias, np.array(budget))

    def matrix(self, height, width):
        """The kernel as weights from pixel j to logit i, zero unless j comes before i: [j i]."""
        places = np.array(list(np.ndindex(height, width)))
        tap = places[:, None] - places[None, :] + REACH
        near = ((tap >= 0) & (tap < TAPS)).all(axis=-1)
        row, column = np.moveaxis(np.clip(tap, 0, TAPS - 1), -1, 0)
        before = row * TAPS + column < TAPS**2 // 2
        return np.where(near & before, self.weight[row, column], 0.0)

    def offsets(self, height, width):
        """The bias of every pixel of an image: [h w], flat."""
        return self.bias[:height, :width].ravel()

    def spread(self, height, width):
        """The sum of the absolute terms of every logit of an image of ones: [h w], flat."""
        size = np.abs(self.matrix(height, width)).sum(axis=0)
        return size + np.abs(self.offsets(height, width))


def _sigmoid(logit):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-logit))


def _network(rng, gain, offset=0.0):
    """Kernel and bias, masked taps as large as the others; logits of about that size."""
    bias = rng.normal(0.0, gain, (TAPS, TAPS)) + offset * rng.choice([-1.0, 1.0], (TAPS, TAPS))
    return Network(rng.normal(0.0, gain, (TAPS, TAPS)).clip(-10.0, 10.0), bias)


def _anything(student, rng):
    """Kernel and bias from all of their ranges, the ends at places that every image has."""
    weight = student.domain.draw(rng, "weight", TAPS, TAPS)
    bias = student.domain.draw(rng, "bias", TAPS, TAPS)
    weight[1, 2], weight[2, 1] = rng.permutation([-10.0, 10.0])
    bias[0, :2] = rng.permutation([-1000.0, 1000.0])
    return Network(weight, bias)


def _sure(rng):
    """A network whose every pixel has the probability 0 or 1 in float64, whatever is before it."""
    bias = rng.choice([-1.0, 1.0], (TAPS, TAPS)) * rng.uniform(900.0, 1000.0, (TAPS, TAPS))
    return Network(rng.normal(0.0, 1.0, (TAPS, TAPS)), bias)


def _networks(student, rng, count):
    """Networks of all sizes of logits, in an order of their own, the first one a tame one.

    One in six has parameters from all of their ranges, and makes images that no noise changes.
    """
    gains = np.resize([0.5, 1.0, 2.0, 1.0, 3.0, 0.0], count)
    gains[1:] = rng.permutation(gains[1:])
    return [_network(rng, gain) if gain else _anything(student, rng) for gain in gains]


def _sizes(rng, most):
    """Every height with every width, in an order of its own."""
    every = [(h, w) for h in range(1, most + 1) for w in range(1, most + 1)]
    return [every[place] for place in rng.permutation(len(every))]


def _batches(student, rng, count):
    """Numbers of images: the least, the most, an odd one that no chunk divides, and small ones."""
    least, most = student.domain.sizes("b")
    odd = 2 * int(rng.integers(150, most // 2)) + 1
    small = rng.integers(2, 12, count - 4).tolist()
    batches = np.array([least, least, most, odd, *small])
    return batches[rng.permutation(count)].tolist()


def _mask(rng, kind, batch, height, width):
    """Which pixels are observed, [b 1 h w]: of every image others, unless all are alike."""
    pixels = height * width
    share = {"few": 0.15, "most": 0.85, "none": -1.0, "all": 2.0}.get(kind, 0.5)
    observed = rng.random((batch, pixels)) < share
    length = rng.integers(0, pixels + 1, (batch, 1))
    if kind == "first":
        observed = np.arange(pixels) < length
    elif kind == "last":
        observed = np.arange(pixels) >= length
    elif kind == "alike":
        observed = np.broadcast_to(observed[:1], observed.shape)
    return observed.reshape(batch, 1, height, width).copy()


def _bits(rng, *shape):
    return rng.integers(0, 2, shape).astype(np.float64)


def _apart(rng, u, p):
    """u with all that is too near to the probability moved to the other side of it, or away."""
    near = np.abs(u - p) < 2 * NEAR
    return np.where(near, np.where(p > 0.5, rng.uniform(0, 0.5, p.shape), 1 - u / 2), u)


def _close(rng, u, p, share):
    """u, a share of it close to the probability instead, on either side of it."""
    side = rng.choice([-1.0, 1.0], p.shape)
    close = np.clip(p + side * 10 ** rng.uniform(-8.5, -5.0, p.shape), 0, 1)
    return _apart(rng, np.where(rng.random(p.shape) < share, close, u), p)


def _decided(rng, network, x, observed, u, share=0.0):
    """Uniforms that none may read in two ways, a share of them close to what they decide."""
    (batch, _, height, width), u = u.shape, u.reshape(len(u), -1).copy()
    filled, known = x.reshape(batch, -1).copy(), observed.reshape(batch, -1)
    matrix, offsets = network.matrix(height, width), network.offsets(height, width)
    for i in range(height * width):
        p = _sigmoid(offsets[i] + filled[:, :i] @ matrix[:i, i])
        u[:, i] = np.where(known[:, i], u[:, i], _close(rng, u[:, i], p, share))
        filled[:, i] = np.where(known[:, i], filled[:, i], u[:, i] < p)
    return u.reshape(x.shape)


def _one_by_one(case, other):
    """The case, and with every argument in turn taken from the other one."""
    changed = [(*case[:i], other[i], *case[i + 1 :]) for i in range(len(case))]
    return [case, *changed]


def _images(found):
    """All images, end to end; a pixel counts as it is."""
    image = np.concatenate([np.ravel(part) for part in found])
    return {"image": image, "image__scale": np.ones_like(image)}


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}


def ancestral(student, rng):
    """Images of all sizes; uniforms from all of [0, 1], half of them close to what they decide."""
    sizes = [(2, 3), *_sizes(rng, student.domain.sizes("h")[1]), (2, 3)]
    networks = _networks(student, rng, len(sizes))
    cases = []
    for (h, w), network, b in zip(sizes, networks, _batches(student, rng, len(sizes)), strict=True):
        cases.append((network, student.domain.draw(rng, "u", b, 1, h, w)))
    pair = [(_network(rng, 1.0), rng.random((9, 1, 3, 4))) for _ in range(2)]
    found = []
    for place, (network, u) in enumerate([*cases, *_one_by_one(*pair)]):
        share = 0.5 if place < len(cases) else 0.0
        nothing = np.zeros(u.shape, dtype=bool)
        decided = _decided(rng, network, np.zeros(u.shape), nothing, u, share)
        found.append(student.sample(network.given(student), decided))
    return _images(found)


def _partly_known(student, rng, observed, kind):
    """Images of bits, or of any numbers; where they are not observed, of any numbers anyway."""
    anything = student.domain.draw(rng, "x", *observed.shape)
    bits = _bits(rng, *observed.shape)
    return np.where(observed & (kind != "any"), bits, anything)


def completions(student, rng):
    """Completions of images of all sizes and masks; in one call of four no pixel is a bit."""
    sizes = [(3, 2), *_sizes(rng, student.domain.sizes("h")[1]), *_sizes(rng, 3)[:4]]
    networks = _networks(student, rng, len(sizes))
    cases, kinds = [], ["some", *rng.permutation(np.resize(MASKS, len(sizes) - 1))]
    batches = _batches(student, rng, len(sizes))
    for (h, w), network, b, mask in zip(sizes, networks, batches, kinds, strict=True):
        observed = _mask(rng, mask, b, h, w)
        x = _partly_known(student, rng, observed, rng.choice(["any", "bits", "bits", "bits"]))
        cases.append((network, x, observed, student.domain.draw(rng, "u", b, 1, h, w)))
    pair = []
    for mask in ("some", "few"):
        observed = _mask(rng, mask, 9, 3, 4)
        x = _partly_known(student, rng, observed, "bits")
        pair.append((_network(rng, 1.0), x, observed, rng.random(x.shape)))
    found = []
    for place, (network, x, observed, u) in enumerate([*cases, *_one_by_one(*pair)]):
        decided = _decided(rng, network, x, observed, u, 0.5 if place < len(cases) else 0.0)
        found.append(student.complete(network.given(student), x, observed, decided))
    return _images(found)


def passes(student, rng):
    """Images of a network that may be asked as often as is needed, and not once more.

    Where draws are one's own, the network is so sure that they are as good as given.
    """
    found = []
    sizes = [(2, 2), (1, 1), (5, 5), *_sizes(rng, 5)[:5]]
    batches = [3, *rng.permutation([1, *rng.integers(2, 9, len(sizes) - 2)]).tolist()]
    for (h, w), kind, b in zip(sizes, MASKS, batches, strict=True):
        network, nothing = _network(rng, 1.0), np.zeros((b, 1, h, w), dtype=bool)
        u = _decided(rng, network, np.zeros(nothing.shape), nothing, rng.random(nothing.shape))
        found.append(student.sample(network.given(student, h * w), u))
        observed = _mask(rng, kind, b, h, w)
        x = _partly_known(student, rng, observed, "bits")
        u = _decided(rng, network, x, observed, rng.random(x.shape))
        budget = int((~observed).any(axis=0).sum())
        found.append(student.complete(network.given(student, budget), x, observed, u))
        x = _partly_known(student, rng, observed, "any")
        sure = _sure(rng).given(student, budget)
        found.append(student.draw(sure, x, observed, student.generator()))
    return _images(found)


def conditionals(student, rng):
    """log p of completions under all masks; logits of moderate size, near 22, and in the hundreds.

    The scale is twice what the logits of an image can sum to: of the image, and of all completions.
    """
    sizes = [(2, 2), *_sizes(rng, 3), *_sizes(rng, 3), *_sizes(rng, 3)[:5]]
    networks = _networks(student, rng, len(sizes))
    for place in rng.permutation(len(sizes) - 1)[:5] + 1:
        networks[place] = _network(rng, 0.2, rng.uniform(21.0, 23.0))
    kinds = ["some", *rng.permutation(np.resize(MASKS, len(sizes) - 1))]
    cases = []
    for (s, t), network, mask in zip(sizes, networks, kinds, strict=True):
        b = int(rng.integers(1, 7))
        cases.append((network, _bits(rng, b, 1, s, t), _mask(rng, mask, b, s, t)))
    for b, size in ((1000, (1, 2)), (2 * int(rng.integers(150, 500)) + 1, (2, 1)), (1, (3, 3))):
        cases.append((_network(rng, 1.0), _bits(rng, b, 1, *size), _mask(rng, "some", b, *size)))
    pair = [(_network(rng, 1.0), _bits(rng, 6, 1, 2, 3), _mask(rng, "some", 6, 2, 3)) for _ in "ab"]
    found, scales = [], []
    for network, x, observed in [*cases, *_one_by_one(*pair)]:
        found.append(student.log_conditional(network.given(student), x, observed))
        spread = 2 * (1 + network.spread(*x.shape[2:])).sum()
        scales.append(np.full(len(x), spread))
    return {"log_p": np.concatenate(found), "log_p__scale": np.concatenate(scales)}


def decoded(student, rng):
    """Bits of decoders of all sizes in one pass, half of the uniforms close to what they decide."""
    draw, most = student.domain.draw, student.domain.sizes("k")[1]
    sizes = [(2, 3), *_sizes(rng, student.domain.sizes("h")[1])]
    gains = np.resize([1.0, 0.1, 0.3], len(sizes))
    cases, batches = [], _batches(student, rng, len(sizes))
    for place, ((h, w), gain, b) in enumerate(zip(sizes, gains, batches, strict=True)):
        k = 1 + place % most
        weight, bias = draw(rng, "weight", k, h, w), draw(rng, "bias", h, w)
        weight, bias = (gain * weight, bias) if gain == 1 else (gain * weight, gain * bias / 100)
        cases.append((weight, bias, draw(rng, "z", b, k), draw(rng, "u", b, 1, h, w)))
    pair = [(*rng.normal(size=(2, 1, 3, 4)), rng.normal(size=(9, 1))) for _ in range(2)]
    pair = [(weight, bias[0], z, rng.random((9, 1, 3, 4))) for weight, bias, z in pair]
    found = []
    for place, (weight, bias, z, u) in enumerate([*cases, *_one_by_one(*pair)]):
        p = _sigmoid(bias + np.einsum("bk,khw->bhw", z, weight))[:, None]
        decided = _close(rng, u, p, 0.5 if place < len(cases) else 0.0)
        model = student.given("decoder", weight, bias, np.array(1))
        found.append(student.sample_vae(model, z, decided))
    return _images(found)


def _law(network, x, observed):
    """The completions of one image in the order of their numbers, and their probabilities: [64]."""
    digits = np.arange(2**BITS)[:, None] >> np.arange(BITS) & 1
    height, width = x.shape
    matrix, offsets = network.matrix(height, width), network.offsets(height, width)
    filled = np.tile(x.ravel(), (2**BITS, 1))
    missing = np.flatnonzero(~observed)
    filled[:, missing] = digits
    p = _sigmoid(offsets + filled @ matrix)[:, missing]
    return np.where(digits == 1, p, 1 - p).prod(axis=1)


def _drawn(student, network, x, observed, calls):
    """Images of so many calls, [calls b pixels]; small batches may well come out alike."""
    args = network.given(student), x, observed
    if x[0].size > BITS + 3:
        images = student.independent("draw", *args, replicates=calls)
    else:
        images = [student.draw(*args, student.generator()) for _ in range(calls)]
    return np.stack(images).reshape(calls, len(x), -1)


def _free_bits(student, rng, shape, calls):
    """Bits of a network whose pixels are independent, [calls b pixels]; the law of any six of them.

    Each is turned round where 0 is the likelier one, so that all have one probability.
    """
    size = rng.uniform(0.2, 0.9)
    sign = rng.choice([-1.0, 1.0], (TAPS, TAPS))
    network = Network(np.zeros((TAPS, TAPS)), size * sign)
    x = student.domain.draw(rng, "x", *shape)
    bits = _drawn(student, network, x, np.zeros(x.shape, dtype=bool), calls)
    turned = sign[: shape[2], : shape[3]].ravel() < 0
    ones = (np.arange(2**BITS)[:, None] >> np.arange(BITS) & 1).sum(axis=1)
    p = _sigmoid(size)
    return np.where(turned, 1 - bits, bits), p**ones * (1 - p) ** (BITS - ones)


def _whole_images(student, rng, n):
    """(bits [n 6], law) of images of 2 x 3 pixels, in calls of few."""
    network, rows = _network(rng, 0.6), int(rng.integers(60, 120))
    x = student.domain.draw(rng, "x", rows, 1, 2, 3)
    nothing = np.zeros(x.shape, dtype=bool)
    bits = _drawn(student, network, x, nothing, -(-n // rows)).reshape(-1, BITS)
    return [(bits[:n], _law(network, x[0, 0], nothing[0, 0]))]


def _two_masks(student, rng, n):
    """(bits [n 6], law) of completions of two images of 3 x 3 in turn, three pixels known."""
    network, rows = _network(rng, 0.6), student.domain.sizes("b")[1]
    observed = np.stack([rng.permutation(9) < 3, rng.permutation(9) < 3]).reshape(2, 1, 3, 3)
    x, times = _bits(rng, 2, 1, 3, 3), (rows // 2, 1, 1, 1)
    both = np.tile(x, times), np.tile(observed, times)
    pairs = _drawn(student, network, *both, -(-2 * n // rows)).reshape(-1, 2, 9)
    return [
        (pairs[:n, i, ~observed[i].ravel()], _law(network, x[i, 0], observed[i, 0])) for i in (0, 1)
    ]


def _among_images(student, rng, n):
    """(bits [n 6], law) of six images of one pixel, in five ways.

    They are neighbours, sixths of a batch, quarters of it (of two neighbours), as far from its
    beginning as from its end, or of six calls: wherever noise may be used twice or turned round.
    """
    rows = 24 * int(rng.integers(25, student.domain.sizes("b")[1] // 24 + 1))
    calls = BITS * -(-8 * n // (BITS * rows))
    bits, law = _free_bits(student, rng, (rows, 1, 1, 1), calls)
    bits = bits[:, :, 0]
    sixths = bits.reshape(calls, BITS, -1).transpose(0, 2, 1)
    quarters = bits.reshape(calls, 4, -1, 2).transpose(0, 2, 3, 1).reshape(calls, -1, 8)
    mirrored = np.stack([bits[:, : rows // 2], bits[:, : rows // 2 - 1 : -1]], axis=2)
    of_calls = bits.reshape(-1, BITS, rows).transpose(0, 2, 1)
    groups = bits, sixths, quarters[:, :, :BITS], mirrored, of_calls
    return [(part.reshape(-1, BITS)[:n], law) for part in groups]


def _among_pixels(student, rng, n):
    """(bits [n 6], law) of six pixels of an image of 3 x 4, and of one pixel of six neighbours."""
    rows = student.domain.sizes("b")[1]
    bits, law = _free_bits(student, rng, (rows, 1, 3, 4), -(-n // rows))
    places = rng.permutation(12)
    within = bits.reshape(-1, 12)[:n, places[:BITS]]
    whole = bits[:, : rows - rows % BITS, places[: BITS + 1]]
    between = whole.transpose(2, 0, 1).reshape(-1, BITS)
    return [(within, law), (between[:n], law)]


def own(student, rng, n):
    """Categories of six bits of own draws, [n 10]: of images, completions, and bits far apart."""
    parts = (_whole_images, _two_masks, _among_images, _among_pixels)
    columns = [column for part in parts for column in part(student, rng, n)]
    with np.errstate(all="ignore"):
        category = np.stack([bits @ 2.0 ** np.arange(BITS) for bits, _ in columns], axis=1)
    return {"category": category, "category__probabilities": np.stack([law for _, law in columns])}
