"""What is measured of px-chain-nll: enumerations, committed conditionals, black-box influence.

The masked entries of the kernels are drawn as large as the others, so that whatever is not masked
shows. `_spread` bounds what rounding can do to a logit: the network with absolute values, unmasked.
Every function also sees calls where one argument alone has changed.
"""

import itertools

import numpy as np

IMAGES, SIDE = 256, 4


def _network(rng, channels, gain):
    """w1, b1, w2, b2, w3, b3 with every entry of the kernels drawn, masked or not."""
    return (
        rng.normal(0.0, gain, (channels, 1, 3, 3)),
        rng.normal(0.0, 0.5, channels),
        rng.normal(0.0, gain / np.sqrt(channels), (channels, channels, 3, 3)),
        rng.normal(0.0, 0.5, channels),
        rng.normal(0.0, gain / np.sqrt(channels), (1, channels, 1, 1)),
        rng.normal(0.0, 0.5, 1),
    )


def _convolve(x, kernel, bias):
    """Cross-correlation [b i h w] with [o i 3 3], zeros outside the image."""
    height, width = x.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    total = np.zeros((len(x), len(kernel), height, width)) + bias[:, None, None]
    for row, column in np.ndindex(3, 3):
        window = padded[:, :, row : row + height, column : column + width]
        total += np.einsum("bihw,oi->bohw", window, kernel[:, :, row, column])
    return total


def _spread(x, network):
    """The sum of the absolute terms of every logit, [b h w]."""
    w1, b1, w2, b2, w3, b3 = (np.abs(part) for part in network)
    hidden = _convolve(_convolve(np.abs(x), w1, b1), w2, b2)
    return np.einsum("bchw,c->bhw", hidden, w3[0, :, 0, 0]) + b3[0]


def _bits(rng, *shape):
    return rng.integers(0, 2, shape).astype(np.float64)


def _every_image(side):
    """All binary images, [2^(side²) 1 side side], the first pixel being the leading digit."""
    pixels = side * side
    digits = np.arange(2**pixels)[:, None] >> np.arange(pixels)[::-1] & 1
    return digits.reshape(-1, 1, side, side).astype(np.float64)


def _unmasked(network):
    """The network with nothing behind its masks, nor where slips of the masks differ from them."""
    w1, b1, w2, b2, w3, b3 = network
    kept = np.zeros((3, 3))
    kept[0, :2] = kept[1, 0] = 1
    return w1 * kept, b1, w2 * kept, b2, w3, b3


def _tame(network, x):
    """The network with its last layer scaled: no logit of images like x exceeds 3.

    The logarithm of a rounded 1 - p is then good to exp(3) roundings.
    """
    *layers, w3, b3 = network
    top = _spread(np.ones_like(x[:1]), network).max()
    return *layers, 3 * w3 / top, 3 * b3 / top


def _awake(network):
    """The network with biases so large that no unit is off in images of zeros and ones.

    Pixels with fewer neighbours have other logits then, also where the images are narrow.
    """
    w1, b1, w2, b2, *last = network
    w1, w2 = w1 / 8, w2 / 8
    b1 = np.abs(b1) + np.abs(w1).sum((1, 2, 3))
    b2 = np.abs(b2) + 2 * np.abs(w2).sum((2, 3)) @ b1
    return w1, b1, w2, b2, *last


def _pair(rng):
    """Two calls, (x, w1 ... b3), of one size: every entry of either matters to the logits."""
    x = _bits(rng, 2, 9, 1, 3, 4)
    return [(each, *_tame(_awake(_unmasked(_network(rng, 3, 1.0))), each)) for each in x]


def _steep(student, rng, channels):
    """A network whose last layer has weights from all of their range and whose units are small."""
    *layers, _, b3 = (part / 8 for part in _network(rng, channels, 1.0))
    return *layers, student.domain.draw(rng, "w3", 1, channels, 1, 1), b3


def _anything(student, rng, offset):
    """A network of the most channels with entries from all of their ranges; its last bias given.

    The ends are at taps that no mask hides, and in many units, since some are never on.
    """
    most = student.domain.sizes("c")[1]
    shapes = {"w1": (most, 1, 3, 3), "b1": (most,), "w2": (most, most, 3, 3), "b2": (most,)}
    shapes["w3"] = (1, most, 1, 1)
    drawn = [student.domain.draw(rng, name, *shape) for name, shape in shapes.items()]
    w1, b1, w2, b2, _ = drawn
    end = np.where(np.arange(most) % 2, 1.0, -1.0)
    w1[:, 0, 0, 0], w2[:, 0, 0, 0] = 100.0 * end, 20.0 * end
    w1[::2, 0, 0, 1] = 100.0
    b1[:], b2[2::4], b2[3::4] = np.tile([20.0, 20.0, -20.0, -20.0], most // 4), -20.0, 20.0
    return (*drawn, np.array([offset]))


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}


def plain(student, rng):
    """Logits and log p where masks don't matter: what all that follows is about, masks apart.

    The logits are also those of images with other entries than 0 and 1, and of large weights. One
    batch is large, but not the largest: what goes in pieces may have a last one of another size.
    """
    logits, log_probs, sizes, scales = [], [], [], []
    some = int(rng.integers(1025, student.domain.sizes("b")[1]))
    shapes = ((3, 12, 3, 3), (2, some, 2, 2), (8, 11, 4, 5), (1, 8192, 1, 2), (1, 1, 1, 1))
    for channels, batch, height, width in shapes:
        x = _bits(rng, batch, 1, height, width)
        network = _tame(_unmasked(_network(rng, channels, 1.0)), x)
        logits.append(student.logits(x, *network).ravel())
        log_probs.append(student.log_prob(x, *network))
        spread = _spread(x, network)
        sizes.append(spread.ravel())
        scales.append((spread + np.exp(spread)).sum(axis=(1, 2)))
    for batch, height, width, offset in ((3, 6, 1, -500.0), (1, 5, 7, 500.0)):
        x = student.domain.draw(rng, "logits.x", batch, 1, height, width)
        network = _unmasked(_anything(student, rng, offset))
        logits.append(student.logits(x, *network).ravel())
        sizes.append(_spread(x, network).ravel())
    for x, *network in student.domain.replaced(*_pair(rng)):
        logits.append(student.logits(x, *network).ravel())
        sizes.append(_spread(x, network).ravel())
    return {
        "logits": np.concatenate(logits),
        "logits__scale": np.concatenate(sizes),
        "log_prob": np.concatenate(log_probs),
        "log_prob__scale": np.concatenate(scales),
    }


def all_of_nine(student, rng):
    """All 512 images of 3 x 3 under four networks, from tame to wild."""
    images = _every_image(3)
    networks = [_network(rng, 3, gain) for gain in (0.5, 1.0, 1.5, 2.0)]
    return {"log_prob": np.stack([student.log_prob(images, *net) for net in networks])}


def all_of_sixteen(student, rng):
    """All 65,536 images of 4 x 4 under one network, in batches of different sizes.

    Its biases are at least 1, so that hidden units are on for many images and what they see shows.
    """
    images, (w1, b1, w2, b2, *last) = _every_image(SIDE), _network(rng, 2, 1.0)
    network = w1, 1 + np.abs(b1), w2, 1 + np.abs(b2), *last
    cuts = len(images) * np.arange(1, 9) // 9 + rng.integers(-400, 401, 8)
    batches = np.split(images, cuts)
    return {"log_prob": np.concatenate([student.log_prob(batch, *network) for batch in batches])}


def images(student, rng):
    """Images of all shapes, under networks whose logits pass 60 on either side, or go very far.

    The last two have logits between 21 and 27, where 1 - p is a few roundings and counts still.
    """
    networks = (
        (40, 4, 5, _network(rng, 4, 3.0), 0.0),
        (40, 6, 3, _network(rng, 2, 3.0), 60.0),
        (40, 1, 7, _network(rng, 8, 3.0), -60.0),
        (7, 6, 1, _network(rng, 3, 3.0), -60.0),
        (1, 1, 1, _network(rng, 1, 1.0), 0.5),
        (1, 5, 2, _network(rng, 1, 1.0), 0.0),
        (3, 6, 7, _anything(student, rng, 0.0), 500.0),
        (1, 2, 6, _anything(student, rng, 0.0), -500.0),
        (6, 2, 3, _tame(_network(rng, 2, 1.0), np.ones((1, 1, 2, 3))), 24.0),
        (6, 3, 2, _tame(_network(rng, 2, 1.0), np.ones((1, 1, 3, 2))), -24.0),
    )
    calls = [
        (_bits(rng, batch, 1, height, width), *layers, b3 + offset)
        for batch, height, width, (*layers, b3), offset in networks
    ]
    found, scales = [], []
    for x, *network in [*calls, *student.domain.replaced(*_pair(rng))]:
        found.append(student.log_prob(x, *network))
        scales.append(_spread(x, network).sum(axis=(1, 2)))
    return {"log_prob": np.concatenate(found), "log_prob__scale": np.concatenate(scales)}


def _unknown(rng, *shape):
    """What may stand in pixels that are not known: every other number is of a size up to 1e100."""
    size = np.where(np.arange(shape[-1]) % 2, 50.0, 10 ** rng.uniform(2.0, 100.0, shape))
    return size * rng.uniform(-1.0, 1.0, shape)


def conditionals(student, rng):
    """Single conditionals of images of all shapes; what is not known is anything up to 1e100.

    Weights from all of their ranges make probabilities of 0 and 1. So the last but one of the
    networks has such weights in its first two layers alone: what they give shows in every digit.
    """
    some = int(rng.integers(1025, student.domain.sizes("b")[1]))
    networks = (
        (8192, 1, 1, _network(rng, 1, 1.0), 0.0),
        (1, 1, 1, _network(rng, 1, 1.0), 0.5),
        (some, 1, 1, _network(rng, 2, 1.0), 0.0),
        (9, 6, 3, _network(rng, 2, 1.0), 0.0),
        (8, 2, 7, _network(rng, 4, 1.0), 0.0),
        (9, 6, 1, _tame(_awake(_network(rng, 3, 1.0)), np.ones((1, 1, 6, 1))), 0.0),
        (9, 1, 7, _tame(_awake(_network(rng, 3, 1.0)), np.ones((1, 1, 1, 7))), 0.0),
        (9, 5, 4, _steep(student, rng, 2), 0.0),
        (5, 3, 2, _network(rng, 3, 1.0), -40.0),
        (6, 2, 3, _network(rng, 3, 1.0), 40.0),
        (2, 6, 7, _anything(student, rng, 0.0), 500.0),
        (1, 6, 7, _anything(student, rng, 0.0), -500.0),
        (9, 4, 6, _tame(_anything(student, rng, 0.0), np.ones((1, 1, 4, 6))), 0.0),
        (7, 6, 7, _tame(_awake(_network(rng, 3, 1.0)), np.ones((1, 1, 6, 7))), 0.0),
    )
    calls = []
    for batch, height, width, (*layers, b3), offset in networks:
        pixels, network = height * width, (*layers, b3 + offset)
        x = _bits(rng, batch, 1, height, width)
        for index in {pixels - 1, pixels // 2, int(rng.integers(0, max(pixels - 1, 1)))}:
            known = (np.arange(pixels) < index).reshape(height, width)
            filled = np.where(known, x, _unknown(rng, *x.shape))
            calls.append((filled, index, *network))
    indices = 5 + rng.permutation(7)[:2]
    pair = [(x, int(i), *network) for i, (x, *network) in zip(indices, _pair(rng), strict=True)]
    found, scales = [], []
    for x, index, *network in [*calls, *student.domain.replaced(*pair)]:
        found.append(student.next_pixel(x, index, *network))
        known = (np.arange(x[0].size) < index).reshape(x.shape[2:])
        spread = _spread(np.where(known, x, 0.0), _masked(network))
        scales.append(1 + spread.reshape(len(x), -1)[:, index] / 4)
    return {"p": np.concatenate(found), "p__scale": np.concatenate(scales)}


def chain(student, rng):
    """log p against the sum of its conditionals; and conditionals with noise in later pixels."""
    x = _bits(rng, 48, 1, 3, SIDE)
    network = _tame(_network(rng, 4, 1.0), x)
    flat, noise = x.reshape(48, -1), _unknown(rng, 48, x[0].size)
    total, changed = np.zeros(48), []
    spread = _spread(np.ones_like(x), network).reshape(48, -1)
    for index in range(flat.shape[1]):
        known = np.arange(flat.shape[1]) < index
        prefix = np.where(known, flat, 0.0).reshape(x.shape)
        noisy = np.where(known, flat, noise).reshape(x.shape)
        p = student.next_pixel(prefix, index, *network)
        with np.errstate(all="ignore"):
            changed.append(student.next_pixel(noisy, index, *network) - p)
            total += np.log(np.where(flat[:, index] == 1, p, 1 - p))
    with np.errstate(all="ignore"):
        residual = np.stack([student.log_prob(x, *network) - total, *changed])
    scale = np.stack([(spread + np.exp(spread)).sum(axis=1), *(1 + spread.T)])
    return {"residual": residual, "residual__scale": scale}


def _ising(coupling, field):
    """log p of every 4 x 4 image under p ∝ exp(J Σ s s' + h Σ s), s = 2x - 1, free borders."""
    spins = 2 * _every_image(SIDE)[:, 0] - 1
    down = (spins[:, 1:] * spins[:, :-1]).sum((1, 2))
    right = (spins[:, :, 1:] * spins[:, :, :-1]).sum((1, 2))
    energy = coupling * (down + right) + field * spins.sum((1, 2))
    top = energy.max()
    return energy - (top + np.log(np.exp(energy - top).sum()))


def _rough_model(rng, coupling, field, channels=6):
    """A network near p(x_i | left, above): two channels carry the neighbours.

    The other entries are small noise, except that those behind the masks are large.
    """
    tap = np.arange(9).reshape(3, 3)
    w1 = rng.normal(0.0, np.where(tap < 4, 0.03, 1.0), (channels, 1, 3, 3))
    w2 = rng.normal(0.0, np.where(tap <= 4, 0.03, 1.0), (channels, channels, 3, 3))
    w3 = rng.normal(0.0, 0.03, (1, channels, 1, 1))
    w1[0, 0, 1, 0] = w1[1, 0, 0, 1] = w2[0, 0, 1, 1] = w2[1, 1, 1, 1] = 1.0
    w3[0, :2] = 4 * coupling
    b3 = np.array([2 * field - 4 * coupling])
    b1, b2 = rng.normal(0.0, 0.03, (2, channels))
    return w1, b1, w2, b2, w3, b3


def _masked(network):
    """The network as it is computed: kernels times their masks A and B."""
    w1, b1, w2, b2, w3, b3 = network
    tap = np.arange(9).reshape(3, 3)
    return w1 * (tap < 4), b1, w2 * (tap <= 4), b2, w3, b3


def committed(student, rng):
    """Conditionals of pixels that are not revealed yet; rows in a new order at every step."""
    coupling, field = rng.uniform(0.2, 0.45), rng.uniform(-0.2, 0.1)
    log_p = _ising(coupling, field)
    network = _rough_model(rng, coupling, field)
    drawn = np.searchsorted(np.exp(log_p).cumsum(), rng.random(IMAGES))
    drawn = np.minimum(drawn, len(log_p) - 1)
    flat = _every_image(SIDE).reshape(len(log_p), -1)[drawn]
    nll = np.zeros(IMAGES)
    for index in range(flat.shape[1]):
        order = rng.permutation(IMAGES)
        prefix = np.where(np.arange(flat.shape[1]) < index, flat, 0.0)[order]
        p = np.empty(IMAGES)
        p[order] = student.next_pixel(prefix.reshape(-1, 1, SIDE, SIDE), index, *network)
        given = np.where(flat[:, index] == 1, p, 1 - p)
        legal = (p >= 0) & (p <= 1)
        logs = np.log(np.clip(given, np.finfo(np.float64).tiny, 1.0))
        nll -= np.where(legal, logs, -np.inf)
    images = flat.reshape(-1, 1, SIDE, SIDE)
    spread = _spread(images, _masked(network))
    scale = (spread + np.exp(spread)).sum(axis=(1, 2))
    return {"nll": nll, "nll__floor": -log_p[drawn], "nll__scale": scale}


def _reach(height, width):
    """Whether pixel j can reach logit i through both masked layers inside the image: [j, i]."""
    places = list(itertools.product(range(height), range(width)))
    before = [(-1, -1), (-1, 0), (-1, 1), (0, -1)]

    def layer(offsets):
        seen = [[(a - r, b - c) in offsets for r, c in places] for a, b in places]
        return np.array(seen, dtype=int)

    return layer(before) @ layer([*before, (0, 0)]) > 0


def influence(student, rng):
    """The largest change of every logit under large changes of one pixel, in calls of their own."""
    height, width = 4, 5
    x, network = _bits(rng, 16, 1, height, width), _network(rng, 8, 1.0)
    pixels = height * width
    plain = student.logits(x, *network).reshape(16, -1)
    change = np.empty((pixels, pixels))
    largest = np.abs(x)
    for pixel in range(pixels):
        moved = x.reshape(16, -1).copy()
        moved[:, pixel] += rng.uniform(5.0, 49.0, 16) * np.tile([1.0, -1.0], 8)
        moved = moved.reshape(x.shape)
        largest = np.maximum(largest, np.abs(moved))
        with np.errstate(all="ignore"):
            gap = np.abs(student.logits(moved, *network).reshape(16, -1) - plain)
        change[pixel] = gap.max(axis=0)
    return {
        "influence": change,
        "influence__allowed": np.triu(np.ones((pixels, pixels), dtype=bool), 1),
        "influence__required": _reach(height, width),
        "influence__scale": _spread(largest, network),
    }


def units(student, rng):
    """Images of one to four channels, square or not.

    The factor is compared on sums of their size.
    """
    calls = []
    shapes = ((1, 4, 4), (1, 28, 20), (3, 32, 32), (3, 5, 7), (2, 1, 64), (4, 64, 1), (1, 1, 1))
    for batch, (channels, height, width) in zip((20, 20, 20, 1, 3, 8192, 2), shapes, strict=True):
        nll_nats = rng.uniform(0.5, 5.0, batch) * height * width
        if batch == 8192:
            nll_nats = student.domain.draw(rng, "nll_nats", batch)
        elif batch == 20:
            nll_nats[-1] = nll_nats[0]
        calls.append((nll_nats, channels, height, width))
    pair = ((rng.uniform(5.0, 50.0, 4), *shape) for shape in ((3, 5, 7), (2, 4, 6)))
    found, scales = [], []
    for nll_nats, channels, height, width in [*calls, *student.domain.replaced(*pair)]:
        found.append(student.bits_per_dim(nll_nats, channels, height, width))
        scales.append(nll_nats / (height * width))
    return {"bits": np.concatenate(found), "bits__scale": np.concatenate(scales)}
