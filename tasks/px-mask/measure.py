"""What is measured of px-mask: tables of taps, layers and stacks with weights of ours, influence.

The entries behind the masks are drawn as large as the others or larger, so that whatever is not
masked shows. Weights are put in by the state, so that a stack begins where we want it to.
"""

import itertools

import numpy as np

HEAVY, TALL = (4, 1, 1, 1), (2, 1, 1, 8)
STACKS = ((3, 2, 1, 2), (2, 1, 2, 1), (1, 0, 0, 0), (4, 3, 3, 1), (1, 1, 1, 8), (2, 3, 0, 3))
SINGLE_STEP = 5.0  # what the steps may make of a rounding
SAME = 1e-12
LEAST_RATE, MOST_RATE = 1e-4, 0.1  # the ends of the domain
HEAVIEST = 20.0  # what the statement allows a weight or bias


def _kept(radius, sees_itself):
    """Whether the tap at a row and column of the kernel is seen: [k k]."""
    place = np.arange((2 * radius + 1) ** 2).reshape(2 * radius + 1, -1)
    centre = place.size // 2
    return place <= centre if sees_itself else place < centre


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


def _filled(student, module, weights):
    """Puts named arrays into the state of a module, which has to have them; the rest stays."""
    state = module.state()
    for name, array in weights.items():
        if name not in state or state[name].shape != array.shape:
            seen = state[name].shape if name in state else "no entry"
            student.refuse(f"state: {name} is {seen}; expected an entry of shape {array.shape}")
        state[name] = array
    module.load(state)


def _shaped(student, found, *shape):
    """A result whose size the contract does not know, because it depends on the constructor."""
    if found.shape != shape:
        student.refuse(f"a result of shape {found.shape}; expected {shape}")
    return found.ravel()


def _kinds(config):
    """(c_out, c_in, radius, sees_itself) of every layer of a stack."""
    width, first_radius, radius, depth = config
    middle = [(width, width, radius, True)] * depth
    return [(width, 1, first_radius, False), *middle, (1, width, 0, True)]


def _weights(rng, config, gain=1.0):
    """Named weights of a stack, of size `gain` by the root of the taps that are seen.

    A layer that sees nothing has positive biases, so that its units are on.
    """
    weights = {}
    for place, (c_out, c_in, radius, sees_itself) in enumerate(_kinds(config)):
        taps = c_in * _kept(radius, sees_itself).sum()
        shape = (c_out, c_in, 2 * radius + 1, 2 * radius + 1)
        weights[f"layers.{place}.weight"] = rng.normal(0.0, gain / np.sqrt(max(1, taps)), shape)
        bias = rng.normal(0.0, 0.3, c_out)
        weights[f"layers.{place}.bias"] = bias if taps else 0.1 + np.abs(bias)
    return weights


def _positive(rng, config):
    """Named weights of which the seen ones are positive and sum to about 1, so that all ReLUs pass.

    Those behind the mask are of either sign, and not small.
    """
    weights = {}
    for place, (c_out, c_in, radius, sees_itself) in enumerate(_kinds(config)):
        kept = _kept(radius, sees_itself)
        shape = (c_out, c_in, *kept.shape)
        seen = rng.uniform(0.5, 1.5, shape) / max(1, c_in * kept.sum())
        weights[f"layers.{place}.weight"] = np.where(kept, seen, rng.normal(0.0, 1.0, shape))
        weights[f"layers.{place}.bias"] = rng.uniform(0.1, 0.2, c_out)
    return weights


def _lively(rng, config, gain=1.0):
    """Named weights, positive in a deep stack, whose units would be off at some layer otherwise."""
    return _positive(rng, config) if config[3] > 3 else _weights(rng, config, gain)


def _heavy(rng, config):
    """Named weights from all that the statement allows, both ends among those of every kernel.

    Not among the biases: where 20 - 20 is 0, ReLUs are free to have any slope. All of these are
    positive, so that some units are on.
    """
    weights = _weights(rng, config)
    for name, array in weights.items():
        kernel = array.ndim > 1
        drawn = rng.uniform(-HEAVIEST if kernel else 5.0, HEAVIEST, array.size)
        if kernel:
            drawn[rng.permutation(array.size)[:2]] = rng.permutation([HEAVIEST, -HEAVIEST])
        weights[name] = drawn.reshape(array.shape)
    return weights


def _tall(rng, config):
    """Named weights up to 20, positive where seen, so that features grow at each layer."""
    weights = _positive(rng, config)
    for name, array in weights.items():
        weights[name] = array * (HEAVIEST / np.abs(array).max())
    return weights


def _spread(x, weights, config):
    """The sum of the absolute terms of every logit, [b 1 h w]."""
    size = np.abs(x)
    for place, (_, _, radius, sees_itself) in enumerate(_kinds(config)):
        weight = np.abs(weights[f"layers.{place}.weight"]) * _kept(radius, sees_itself)
        size = _convolved(size, weight, np.abs(weights[f"layers.{place}.bias"]))
    return size


def _stack(student, config, weights):
    stack = student.new("PixelStack", *config)
    _filled(student, stack, weights)
    return stack


def _bits(rng, *shape):
    return rng.integers(0, 2, shape).astype(np.float64)


def _alike_images(student, rng, first):
    """Images between others that begin as they do along every axis and others that end so."""
    other = (student.domain.draw(rng, "forward.x", *first.shape),)
    begun, ended = (
        alike((first,), other)[0]
        for alike in (student.domain.begun_alike, student.domain.last_alike)
    )
    return begun, first, ended


def _rearranged(rng, x):
    """Images with the same entries in other places, but for the very first."""
    flat = x.ravel()
    return np.concatenate([flat[:1], rng.permutation(flat[1:])]).reshape(x.shape)


def example(student, rng):
    return {"agrees": student.example()}


def masks(student, rng):
    """Every table there is, in an order of its own, and each of them twice."""
    least, most = student.domain.sizes("radius")
    every = list(itertools.product(range(least, most + 1), (False, True)))
    found = {}
    for index in [*rng.permutation(len(every)), *rng.permutation(len(every))]:
        radius, sees_itself = every[index]
        table = student.causal_mask(radius, sees_itself)
        side = 2 * radius + 1
        found.setdefault(index, []).append(_shaped(student, table, side, side))
    table = np.concatenate([part for index in sorted(found) for part in found[index]])
    return {"mask": table, "mask__scale": np.ones_like(table)}


def layer(student, rng):
    """Outputs of single layers: both types, every radius, images larger and smaller than a kernel.

    Each kind has two layers, of other channels. One is asked twice, about other images in between
    and whole numbers in other places after it, the other one about images that begin or end alike.
    One of a single tap is asked about the most images of the most rows and columns, too.
    """
    found, scales = [], []
    shapes = [(2, 5, 4), (1, 1, 1), (3, 4, 7), (2, 1, 6), (2, 6, 1), (226, 3, 2), (2, 15, 15)]
    channels = [(1, 1), (1, 3), (3, 1), (2, 2), (4, 3), (3, 4), (4, 4)]
    least, most = student.domain.sizes("radius")
    kinds = itertools.product(range(least, most + 1), (False, True), (0, 4))
    for place, (radius, sees_itself, other) in enumerate(kinds):
        c_in, c_out = channels[(place // 2 + other) % len(channels)]
        conv = student.new("MaskedConv2d", c_in, c_out, radius, sees_itself)
        side = 2 * radius + 1
        weight = rng.normal(size=(c_out, c_in, side, side))
        weight *= 1 + 9 * (rng.random(weight.shape) < 0.2)
        weight = weight.clip(-HEAVIEST, HEAVIEST)
        bias = rng.uniform(-HEAVIEST, HEAVIEST, c_out)
        _filled(student, conv, {"weight": weight, "bias": bias})
        kept = np.abs(weight) * _kept(radius, sees_itself)
        images = [
            student.domain.draw(rng, "forward.x", b, c_in, h, w)
            for b, h, w in (shapes[place % len(shapes)], shapes[(place + 2) % len(shapes)])
        ]
        first = images[0]
        whole = np.rint(images[1])
        moved = _rearranged(rng, whole)
        calls = _alike_images(student, rng, first) if other else (first, whole, first, moved)
        if radius == 0 and sees_itself and other:
            calls = (*calls, student.domain.draw(rng, "forward.x", 226, c_in, 15, 15))
        for x in calls:
            out = conv.forward(x)
            found.append(_shaped(student, out, len(x), c_out, *x.shape[2:]))
            scales.append(_convolved(np.abs(x), kept, np.abs(bias)).ravel())
    return {"out": np.concatenate(found), "out__scale": np.concatenate(scales)}


def stack(student, rng):
    """Logits of stacks of all sizes, of images with other entries than 0 and 1 as well.

    The last two have weights, and the very last one features, as large as may be.
    """
    found, scales = [], []
    shapes = ((3, 5, 6), (1, 1, 1), (226, 4, 3), (1, 7, 2), (4, 1, 5), (2, 6, 1), (2, 5, 3))
    shapes += ((2, 3, 4),)
    stacks = [(config, _lively(rng, config, 1.5)) for config in STACKS]
    stacks.append((HEAVY, _heavy(rng, HEAVY)))
    stacks.append((TALL, _tall(rng, TALL)))
    for place, ((config, weights), shape) in enumerate(zip(stacks, shapes, strict=True)):
        net = _stack(student, config, weights)
        b, h, w = shape
        first = student.domain.draw(rng, "forward.x", b, 1, h, w)
        whole = np.rint(first)
        others = (first, _bits(rng, 1, 1, w, h), first, whole, _rearranged(rng, whole))
        for x in others if place % 2 else _alike_images(student, rng, first):
            found.append(_shaped(student, net.forward(x), *x.shape))
            scales.append(_spread(x, weights, config).ravel())
    return {"logits": np.concatenate(found), "logits__scale": np.concatenate(scales)}


def _reach(config, height, width):
    """Whether pixel j can reach logit i through all layers, inside of the image: [j, i]."""
    places = np.array(list(itertools.product(range(height), range(width))))
    down, right = np.moveaxis(places[:, None] - places[None, :], 2, 0)
    earlier, distance = (down < 0) | ((down == 0) & (right < 0)), np.maximum(abs(down), abs(right))
    reach = np.eye(len(places))  # of floating-point numbers, whose products are much faster
    for _, _, radius, sees_itself in _kinds(config):
        seen = (distance <= radius) & (earlier | (sees_itself & (distance == 0)))
        reach = np.minimum(reach @ seen.astype(np.float64), 1.0)
    return reach > 0


def _influences(student, rng, stacks):
    """Influence of every pixel on every logit of the same image: [j, i] of all stacks, blockwise.

    In each image of a batch one pixel is moved, upwards; the images stand in an order of their own.
    """
    found, allowed, required, scales = [], [], [], []
    for net, config, weights, (h, w) in stacks:
        pixels = h * w
        x = np.repeat(rng.uniform(0.0, 1.0, (1, pixels)), pixels + 1, axis=0)
        x[np.arange(pixels), np.arange(pixels)] += rng.uniform(2.0, 8.0, pixels)
        order, logits = rng.permutation(pixels + 1), np.empty_like(x)
        moved = x[order].reshape(-1, 1, h, w)
        logits[order] = _shaped(student, net.forward(moved), *moved.shape).reshape(x.shape)
        with np.errstate(all="ignore"):
            found.append(np.abs(logits[:-1] - logits[-1]).ravel())
        allowed.append(np.triu(np.ones((pixels, pixels), dtype=bool), 1).ravel())
        required.append(_reach(config, h, w).ravel())
        scales.append(_spread(moved.max(axis=0, keepdims=True), weights, config).max())
    return {
        "influence": np.concatenate(found),
        "influence__allowed": np.concatenate(allowed),
        "influence__required": np.concatenate(required),
        "influence__scale": np.array(scales),
    }


CAUSAL = (
    ((1, 1, 1, 8), (15, 15)),
    ((2, 3, 1, 2), (7, 6)),
    ((3, 1, 2, 1), (1, 9)),
    ((4, 2, 0, 1), (6, 1)),
    ((2, 1, 1, 0), (4, 5)),
    ((1, 2, 3, 1), (3, 8)),
)


def influence(student, rng):
    """Stacks as they are filled, the deep one with its blind spot among them."""
    stacks = []
    for config, shape in CAUSAL:
        weights = _positive(rng, config)
        stacks.append((_stack(student, config, weights), config, weights, shape))
    return _influences(student, rng, stacks)


def influence_after(student, rng):
    """The same after steps of gradient descent, which must not bring a masked entry back."""
    stacks = []
    for config, (h, w) in CAUSAL[1:]:
        weights = _positive(rng, config)
        net = _stack(student, config, weights)
        for _ in range(3):
            net.step(_bits(rng, 4, 1, h, w), LEAST_RATE)
        stacks.append((net, config, weights, (h, w)))
    return _influences(student, rng, stacks)


def _trained(rng):
    """(config, weights, rates of three steps) of the stacks that make steps.

    Two have logits where a sigmoid is 1 but for the last digits, one has logits in the thousands,
    and all those of one are exactly 0 at first.
    """
    stacks = []
    for place, config in enumerate(STACKS):
        weights = _lively(rng, config)
        if place in (2, 3):
            weights[f"layers.{config[3] + 1}.bias"] += rng.uniform(21.0, 26.0) * (5 - 2 * place)
        if place == 1:
            for name in ("weight", "bias"):
                weights[f"layers.{config[3] + 1}.{name}"] *= 0.0
        rate = rng.uniform(0.005, 0.02)
        stacks.append((config, weights, (rate, LEAST_RATE, rate / 2)))
    stacks.append((HEAVY, _heavy(rng, HEAVY), (LEAST_RATE, 3 * LEAST_RATE, LEAST_RATE)))
    small = (1, 1, 1, 0)
    stacks.append((small, _weights(rng, small), (LEAST_RATE, MOST_RATE, LEAST_RATE)))
    return stacks


def steps(student, rng):
    """Losses of three steps, and logits after them; two stacks in turn.

    The learning rate, the number of images and their size change from step to step. Where a first
    batch has more than two images, one is there twice; where it has more than three, one is full
    of ones and one has none.
    """
    found, scales = [], []
    batches = ((3, 4, 5), (1, 1, 1), (2, 3, 4), (1, 5, 2), (5, 1, 4), (4, 3, 1), (6, 4, 3))
    for (config, weights, rates), (b, h, w) in zip(
        _trained(rng), (*batches, (226, 15, 15)), strict=True
    ):
        nets = [_stack(student, config, weights), _stack(student, config, weights)]
        probe = student.domain.draw(rng, "forward.x", 2, 1, h, w)
        shapes = ((b, h, w), (1 + b // 2, w, 1 + h % 5), (1 + b % 3, h, 1 + w % 5))
        for count, (images, height, width) in enumerate(shapes):
            x = _bits(rng, images, 1, height, width)
            if count == 0 and images > 2:
                x[-1] = x[0]
            if count == 0 and images > 3:
                x[1], x[2] = 1.0, 0.0
            size = _spread(x, weights, config).sum() / images + 1
            for net, rate in zip(nets, (rates[count], rates[count - 1]), strict=True):
                if count == 2 and net is nets[1]:
                    continue
                found.append([net.step(x, rate)])
                scales.append([SINGLE_STEP * size])
        for net in nets:
            found.append(_shaped(student, net.forward(probe), *probe.shape))
            scales.append(SINGLE_STEP * (1 + _spread(probe, weights, config).ravel()))
    return {"after": np.concatenate(found), "after__scale": np.concatenate(scales)}


def _alike(one, other):
    with np.errstate(all="ignore"):
        return np.atleast_1d(np.abs(one - other) <= SAME * (1 + np.abs(other))).ravel()


def round_trip(student, rng):
    """What an object that was used answers with the state of another, before and after a step.

    The states are those of new objects, of such with numbers in the masked places, and of used
    ones; and of such that differ in one entry alone from the object into which they are loaded.
    """
    alike = []
    for c_in, c_out, radius, sees_itself in ((1, 1, 0, True), (2, 3, 1, False), (3, 2, 2, True)):
        x = rng.normal(size=(3, c_in, 4, 5))
        one, other = (
            student.new("MaskedConv2d", c_in, c_out, radius, sees_itself) for _ in range(2)
        )
        if not sees_itself:
            _filled(student, one, {"weight": rng.normal(size=(c_out, c_in, 3, 3))})
        other.forward(x)
        other.load(one.state())
        alike.append(_alike(other.forward(x), one.forward(x)))
    for place, config in enumerate(STACKS[:3]):
        x = _bits(rng, 2, 1, 3, 4)
        one, other = (student.new("PixelStack", *config) for _ in range(2))
        if place > 0:
            _filled(student, one, _weights(rng, config))
        other.step(x, 0.02)
        for _ in range(2):
            other.load(one.state())
            alike.append(_alike(other.forward(x), one.forward(x)))
            one.step(x, 0.01)
        other.load(one.state())
        alike.append(_alike(other.step(x, 0.01), one.step(x, 0.01)))
        alike.append(_alike(other.forward(x), one.forward(x)))
    weights, x = _positive(rng, STACKS[0]), _bits(rng, 2, 1, 3, 4)
    changed = _positive(rng, STACKS[0])
    one, other = _stack(student, STACKS[0], weights), _stack(student, STACKS[0], weights)
    other.forward(x)
    for name in weights:
        weights = weights | {name: changed[name]}
        one = _stack(student, STACKS[0], weights)
        other.load(one.state())
        alike.append(_alike(other.forward(x), one.forward(x)))
    return {"alike": np.concatenate(alike)}
