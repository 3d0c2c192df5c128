"""What is measured of px-rgb-order: tables of taps, logits, influence, likelihoods.

The entries behind the masks are drawn as large as the others or larger, so that whatever is not
masked shows. Weights are put in by the state, so that a stack begins where we want it to.
"""

import itertools

import numpy as np

COLOURS = 3
SOURCE_SHAPE = (2, 3)
IMAGES = 256


def _kept(n_in, n_out, radius, sees_itself):
    """Whether a tap is seen: [3 n_out, 3 n_in, k, k]."""
    side = 2 * radius + 1
    pixel = np.arange(side**2).reshape(side, side) - side**2 // 2
    into = np.repeat(np.arange(COLOURS), n_out)[:, None, None, None]
    out_of = np.repeat(np.arange(COLOURS), n_in)[None, :, None, None]
    same = (out_of <= into) if sees_itself else (out_of < into)
    return (pixel < 0) | ((pixel == 0) & same)


def _layers(config):
    """(n_in, n_out, radius, sees_itself) of every layer of a stack."""
    features, radius, depth = config
    middle = [(features, features, radius, True)] * depth
    return [(1, features, radius, False), *middle, (features, 1, 0, True)]


def _weights(rng, config, gain):
    """Named weights of a stack, of size `gain` by the root of the taps that are seen."""
    weights = {}
    for place, layer in enumerate(_layers(config)):
        kept = _kept(*layer)
        size = gain / np.sqrt(max(1.0, kept.sum() / len(kept)))
        weights[f"layers.{place}.weight"] = rng.normal(0.0, size, kept.shape)
        weights[f"layers.{place}.bias"] = rng.normal(0.0, 0.3, len(kept))
    return weights


def _positive(rng, config):
    """Named weights of which the seen ones are positive and sum to about 1, so that all ReLUs pass.

    Those behind the mask are of either sign, and not small.
    """
    weights = {}
    for place, layer in enumerate(_layers(config)):
        kept = _kept(*layer)
        seen = rng.uniform(0.5, 1.5, kept.shape) / max(1.0, kept.sum() / len(kept))
        weights[f"layers.{place}.weight"] = np.where(kept, seen, rng.normal(0.0, 1.0, kept.shape))
        weights[f"layers.{place}.bias"] = rng.uniform(0.1, 0.2, len(kept))
    return weights


def _sure(rng, config):
    """Named weights with which every logit of bits is beyond 1,000, of either sign."""
    weights = {}
    *hidden, last = _layers(config)
    for place, layer in enumerate(hidden):
        kept = _kept(*layer)
        weights[f"layers.{place}.weight"] = rng.uniform(0.0, 1.5, kept.shape)
        weights[f"layers.{place}.bias"] = rng.uniform(30.0, 40.0, len(kept))
    kept = _kept(*last)
    sign = rng.permutation([1.0, -1.0, rng.choice([1.0, -1.0])])
    name = f"layers.{len(hidden)}"
    weights[f"{name}.weight"] = sign[:, None, None, None] * rng.uniform(34.0, 40.0, kept.shape)
    weights[f"{name}.bias"] = sign * rng.uniform(0.0, 40.0, COLOURS)
    return weights


def _confident(rng, config):
    """Named weights with which the logits of bits lie between 21 and 27, of either sign."""
    weights = _weights(rng, config, 0.1)
    last = len(_layers(config)) - 1
    top = _spread(np.ones((1, COLOURS, 5, 5)), weights, config).max()
    weights[f"layers.{last}.weight"] /= max(1.0, top)
    sign = rng.permutation([1.0, -1.0, 1.0])
    weights[f"layers.{last}.bias"] = sign * rng.uniform(23.0, 25.0, COLOURS)
    return weights


def _undecided(rng, config):
    """Named weights with which every logit is exactly 0."""
    weights = _weights(rng, config, 1.0)
    last = f"layers.{len(_layers(config)) - 1}"
    return weights | {name: 0.0 * weights[name] for name in (f"{last}.weight", f"{last}.bias")}


def _convolved(x, weight, bias):
    """Cross-correlation of [b i h w] with [o i k k], zeros outside of the image."""
    height, width = x.shape[2:]
    radius = weight.shape[-1] // 2
    padded = np.pad(x, ((0, 0), (0, 0), (radius, radius), (radius, radius)))
    total = np.zeros((len(x), len(weight), height, width)) + bias[:, None, None]
    for row, column in np.argwhere(np.any(weight != 0, axis=(0, 1))):
        window = padded[:, :, row : row + height, column : column + width]
        total += np.einsum("bihw,oi->bohw", window, weight[:, :, row, column])
    return total


def _spread(x, weights, config):
    """The sum of the absolute terms of every logit, [b 3 h w]."""
    size = np.abs(x)
    for place, layer in enumerate(_layers(config)):
        weight = np.abs(weights[f"layers.{place}.weight"]) * _kept(*layer)
        size = _convolved(size, weight, np.abs(weights[f"layers.{place}.bias"]))
    return size


def _stack(student, config, weights):
    """A stack with these weights in its state, which has to have entries for them."""
    stack = student.new("RGBStack", *config)
    state = stack.state()
    for name, array in weights.items():
        if name not in state or state[name].shape != array.shape:
            seen = state[name].shape if name in state else "no entry"
            student.refuse(f"state: {name} is {seen}; expected an entry of shape {array.shape}")
        state[name] = array
    stack.load(state)
    return stack


def _bits(rng, *shape):
    return rng.integers(0, 2, shape).astype(np.float64)


def _in_order(x):
    """Values [b 3 h w] in the order of the chain rule: [b, 3 h w]."""
    return x.transpose(0, 2, 3, 1).reshape(len(x), -1)


def _as_images(flat, height, width):
    """The inverse of _in_order."""
    return flat.reshape(len(flat), height, width, COLOURS).transpose(0, 3, 1, 2).copy()


def _place(index, width):
    """Row, column and colour of a value in the order of the chain rule."""
    pixel, colour = divmod(index, COLOURS)
    row, column = divmod(pixel, width)
    return row, column, colour


def example(student, rng):
    return {"agrees": student.example()}


def masks(student, rng):
    """Every table there is, in an order of its own; some of them twice."""
    axes = [
        range(low, high + 1)
        for low, high in map(student.domain.sizes, ("n_in", "n_out", "radius"))
    ]
    every = list(itertools.product(*axes, (False, True)))
    order = rng.permutation(len(every))
    found = {}
    for index in [*order, *order[:12]]:
        n_in, n_out, radius, sees_itself = every[index]
        table = student.rgb_mask(n_in, n_out, radius, sees_itself)
        wanted = (COLOURS * n_out, COLOURS * n_in, 2 * radius + 1, 2 * radius + 1)
        if table.shape != wanted:
            student.refuse(f"rgb_mask gave a mask of shape {table.shape}; expected {wanted}")
        found.setdefault(index, []).append(table.ravel())
    table = np.concatenate([part for index in sorted(found) for part in found[index]])
    return {"mask": table, "mask__scale": np.ones_like(table)}


def _configs(rng):
    """Every (features, radius, depth) of the domain, in an order of its own."""
    every = list(itertools.product((1, 2, 3), (0, 1, 2), (0, 1, 2, 3)))
    return [every[place] for place in rng.permutation(len(every))]


def _nets(rng):
    """(config, weights, b, h, w) of every stack that is asked.

    All configurations with weights from small to large, images of all sizes; those that see far
    among the rows have images of all rows. Then stacks that are sure, large batches (the largest,
    and one that no chunk divides), and images whose axes are equal.
    """
    sizes = rng.permutation(np.tile(np.arange(1, 7), 12)).reshape(36, 2).tolist()
    gains = rng.permutation(np.tile([0.5, 1.0, 1.5, 3.0], 9)).tolist()
    for config, (h, w), gain in zip(_configs(rng), sizes, gains, strict=True):
        far = config[1] == 2 and config[2] > 1
        b = int(rng.integers(1, 12))
        yield config, _weights(rng, config, gain), b, 6 if far else h, w
    for config in _configs(rng)[:4]:
        yield config, _sure(rng, config), 5, 2, 3
        yield config, _confident(rng, config), 5, 2, 3
    yield (1, 1, 1), _weights(rng, (1, 1, 1), 1.0), 4096, 1, 1
    odd = int(2 * rng.integers(550, 2000) + 1)
    yield (2, 1, 0), _weights(rng, (2, 1, 0), 1.0), odd, 1, 2
    yield (3, 1, 1), _weights(rng, (3, 1, 1), 1.0), COLOURS, COLOURS, COLOURS
    yield (2, 1, 1), _undecided(rng, (2, 1, 1)), 2, 2, 3


def _between(student, first, other):
    """An array between others that begin as it does along every axis, and such that end so."""
    begun, ended = (
        alike((first,), (other,))[0]
        for alike in (student.domain.begun_alike, student.domain.last_alike)
    )
    return begun, first, ended


def _images(student, rng, b, h, w, alike):
    """Three batches for `forward`, and as many of bits for `log_prob`.

    They are alike, or the second of another size, whose bits are grey, and the third for `forward`
    the first again, for `log_prob` the first with its bits in other places.
    """
    first = student.domain.draw(rng, "x", b, COLOURS, h, w)
    bits = _bits(rng, *first.shape)
    if alike:
        other = student.domain.draw(rng, "x", *first.shape)
        return _between(student, first, other), _between(student, bits, _bits(rng, *bits.shape))
    turned = _bits(rng, 2, COLOURS, w, h)
    grey = np.repeat(_bits(rng, 2, 1, w, h), COLOURS, axis=1)
    flat = bits.ravel()
    moved = np.concatenate([flat[:1], rng.permutation(flat[1:-1]), flat[-1:]]).reshape(bits.shape)
    return (first, turned, first), (bits, grey, moved)


def _conditionals(student, rng, shapes, alike):
    """Calls (x, row, column, colour) of `next_value`, two for each of the shapes.

    Those that are alike differ from the first in one argument each.
    """
    pair = []
    for shape in shapes[:1] if alike else shapes:
        pair += [
            (student.domain.draw(rng, "x", *shape), *_place(index, shape[3]))
            for index in _asked(rng, *shape[2:])
        ]
    if not alike:
        return pair
    first, second = pair
    ended = student.domain.last_alike(first, second)[:1] + first[1:]
    return [ended, *student.domain.replaced(first, second, alike="axes")]


def stack(student, rng):
    """Logits, log-probabilities and conditionals of every stack, asked in turn.

    Images are of two sizes, or begin or end alike, and have entries other than 0 and 1 where that
    is allowed; some are blank or full; the same question comes again; what is not known of an image
    holds any number.
    """
    logits, log_probs, p = [], [], []
    logit_scales, log_prob_scales, p_scales = [], [], []
    for place, (config, weights, *sizes) in enumerate(_nets(rng)):
        net = _stack(student, config, weights)
        images, every_bits = _images(student, rng, *sizes, alike=place % 2 == 0)
        shapes = [x.shape for x in images]
        blank = (0 * images[0], 0 * images[0] + 1) if place < 4 else ()
        for x in (*images, *blank):
            logits.append(net.forward(x).ravel())
            logit_scales.append(_spread(x, weights, config).ravel())
        for bits in (*every_bits, *blank):
            log_probs.append(net.log_prob(bits))
            log_prob_scales.append((1 + _spread(bits, weights, config)).sum(axis=(1, 2, 3)))
        for values, *asked in _conditionals(student, rng, shapes, alike=place % 2 == 0):
            p.append(net.next_value(values, *asked))
            height, width = values.shape[2:]
            row, column, colour = asked
            index = COLOURS * (width * row + column) + colour
            known = np.arange(values[0].size) < index
            seen = _as_images(np.where(known, _in_order(values), 0.0), height, width)
            size = _in_order(_spread(seen, weights, config))[:, index]
            sure = np.nan_to_num(p[-1]).clip(0.0, 1.0)
            p_scales.append(1 + size * sure * (1 - sure))  # p changes by p (1 - p) times the logit
    return {
        "logits": np.concatenate(logits),
        "logits__scale": np.concatenate(logit_scales),
        "log_prob": np.concatenate(log_probs),
        "log_prob__scale": np.concatenate(log_prob_scales),
        "p": np.concatenate(p),
        "p__scale": np.concatenate(p_scales),
    }


def _asked(rng, height, width):
    """Places in the order of the chain rule: one in the middle, and one of the last pixel's."""
    pixels = height * width
    return int(rng.integers(0, COLOURS * pixels)), COLOURS * pixels - 1 - int(rng.integers(0, 3))


def _reach(config, height, width):
    """Whether value j can reach logit i through all layers, inside of the image: [j, i]."""
    places = np.array([_place(n, width) for n in range(COLOURS * height * width)])
    down, right, colour = np.moveaxis(places[:, None] - places[None, :], -1, 0)
    reach = np.eye(len(places), dtype=bool)
    for _, _, radius, sees_itself in _layers(config):
        inside = (np.abs(down) <= radius) & (np.abs(right) <= radius)
        before = (down < 0) | ((down == 0) & (right < 0))
        here = (down == 0) & (right == 0) & (colour < (1 if sees_itself else 0))
        reach = reach @ (inside & (before | here))
    return reach


CAUSAL = (
    ((3, 2, 1), (5, 6)),
    ((1, 1, 3), (6, 4)),
    ((2, 0, 2), (3, 2)),
    ((2, 1, 0), (4, 5)),
    ((3, 1, 1), (1, 6)),
    ((1, 2, 0), (6, 1)),
)


def influence(student, rng):
    """Influence of every value on every logit of the same image: [j, i] of all stacks, in a row.

    In each image of a batch one value is moved, upwards; the images stand in an order of their own.
    """
    found, allowed, required, scales = [], [], [], []
    for config, (h, w) in CAUSAL:
        weights = _positive(rng, config)
        net = _stack(student, config, weights)
        values = COLOURS * h * w
        flat = np.repeat(rng.uniform(0.0, 1.0, (1, values)), values + 1, axis=0)
        flat[np.arange(values), np.arange(values)] += rng.uniform(2.0, 8.0, values)
        order, logits = rng.permutation(values + 1), np.empty_like(flat)
        moved = _as_images(flat[order], h, w)
        logits[order] = _in_order(net.forward(moved))
        with np.errstate(all="ignore"):
            found.append(np.abs(logits[:-1] - logits[-1]).ravel())
        allowed.append(np.triu(np.ones((values, values), dtype=bool), 1).ravel())
        required.append(_reach(config, h, w).ravel())
        scales.append(_spread(moved, weights, config).max())
    return {
        "influence": np.concatenate(found),
        "influence__allowed": np.concatenate(allowed),
        "influence__required": np.concatenate(required),
        "influence__scale": np.array(scales),
    }


def every_image(student, rng):
    """All images of 2 x 2 pixels of three bits each, under stacks from tame to wild."""
    digits = np.arange(2**12)[:, None] >> np.arange(12) & 1
    every = _as_images(digits.astype(np.float64), 2, 2)
    nets = [
        _stack(student, config, _weights(rng, config, gain))
        for config, gain in (((1, 1, 0), 1.0), ((2, 1, 1), 1.5), ((3, 2, 1), 2.0))
    ]
    return {"log_prob": np.stack([net.log_prob(every) for net in nets])}


def _source(rng, green, blue):
    """Images whose pixels are independent: R is a coin, G is R and B is R ⊕ G but for errors.

    Returns [b 3 h w], and log p of every image.
    """
    h, w = SOURCE_SHAPE
    u = rng.random((COLOURS, IMAGES, h, w))
    red = u[0] < 0.5
    same, odd = u[1] < green, u[2] < blue
    x = np.stack([red, red == same, (red ^ (red == same)) == odd], axis=1)
    log_p = np.log(np.where(same, green, 1 - green)) + np.log(np.where(odd, blue, 1 - blue))
    return x.astype(np.float64), (log_p + np.log(0.5)).sum(axis=(1, 2))


def _rough_model(rng, config, green, blue):
    """A stack near the source: green sees red, and blue sees whether they differ.

    The other entries are small noise, except that those behind the masks are large.
    """
    weights = {}
    for place, layer in enumerate(_layers(config)):
        kept = _kept(*layer)
        weight = rng.normal(0.0, np.where(kept, 0.03, 1.0))
        weights[f"layers.{place}.weight"] = weight
        weights[f"layers.{place}.bias"] = rng.normal(0.0, 0.03, len(kept))
    features, r, depth = config
    g, b = features, 2 * features  # the first channel of either block
    first = weights["layers.0.weight"][:, :, r, r]
    first[g, 0] = first[b, 0] = first[b, 1] = first[b + 1, 0] = first[b + 1, 1] = 1.0
    weights["layers.0.bias"][b + 1] = -1.0
    for place in range(1, depth + 1):
        for channel in (g, b, b + 1):
            weights[f"layers.{place}.weight"][channel, channel, r, r] = 1.0
    last = weights[f"layers.{depth + 1}.weight"][:, :, 0, 0]
    odds = np.log([green / (1 - green), blue / (1 - blue)])
    last[1, g], last[2, b], last[2, b + 1] = 2 * odds[0], 2 * odds[1], -4 * odds[1]
    weights[f"layers.{depth + 1}.bias"][1:] = -odds
    return weights


def committed(student, rng):
    """Conditionals of values that are not revealed yet; images in a new order at every step."""
    green, blue = rng.uniform(0.8, 0.95, 2)
    x, log_p = _source(rng, green, blue)
    config = (3, 1, 1)
    weights = _rough_model(rng, config, green, blue)
    net = _stack(student, config, weights)
    flat = _in_order(x)
    nll = np.zeros(IMAGES)
    for index in range(flat.shape[1]):
        order = rng.permutation(IMAGES)
        prefix = np.where(np.arange(flat.shape[1]) < index, flat, 0.0)[order]
        p = np.empty(IMAGES)
        shown = _as_images(prefix, *SOURCE_SHAPE)
        p[order] = net.next_value(shown, *_place(index, SOURCE_SHAPE[1]))
        given = np.where(flat[:, index] == 1, p, 1 - p)
        legal = (p >= 0) & (p <= 1)
        logs = np.log(np.clip(given, np.finfo(np.float64).tiny, 1.0))
        nll -= np.where(legal, logs, -np.inf)
    spread = _spread(x, weights, config)
    scale = (spread + np.exp(spread)).sum(axis=(1, 2, 3))
    return {"nll": nll, "nll__floor": -log_p, "nll__scale": scale}
