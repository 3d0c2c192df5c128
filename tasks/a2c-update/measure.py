"""What is measured of a2c-update: returns, losses and their gradients, entry by entry, and updates.

Sizes are all that there are, squares among them, on which a confusion of two axes gives a number
and no exception; values are from all of their ranges. Every function is also called again with one
argument changed alone. Scales are sums of absolute terms; a probability is as exact as its logit.
"""

import numpy as np

FLAGS = (0.15, 0.5, 0.0, 0.3, 1.0, 0.1)  # how often an episode ends at a step, call by call
TIED = FLAGS[1]  # where actions tie
CHAINED = FLAGS[3]  # where next features are the features of the next step
PLAIN, LEAST, SQUARE = (4, 5, 3, 3), (1, 1, 1, 1), (4, 4, 4, 4)
FEW = (1, 3, 4, 5)  # steps, each of which takes another action


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}


def _shapes(student, rng):
    """(n, t, d, a): an ordinary size first, few, the smallest, a square, all sizes, the largest."""
    largest = [student.domain.sizes(axis)[1] for axis in "ntda"]
    yield from (PLAIN, FEW, LEAST, SQUARE)
    rounds = max(largest)
    sizes = [rng.permutation(rounds) % most + 1 for most in largest]
    yield from zip(*(size.tolist() for size in sizes), strict=True)
    yield tuple(largest)


def _windows(student, rng, count):
    """(γ, n_steps) of `count` calls: every number of steps, discounts from 0 to 1, near both."""
    most = student.domain.sizes("n_steps")[1]
    gammas = student.domain.draw(rng, "gamma", count)
    near = 10 ** rng.uniform(-7.0, -3.0, 2)
    gammas[:9] = 0.9, 1.0, 0.8, 0.0, 0.5, *near, *(1 - near)
    steps = rng.permutation(np.arange(count) % most) + 1
    steps[:3] = 3, 1, 2
    steps[-1] = most
    return list(zip(gammas.tolist(), steps.tolist(), strict=True))


def _flags(rng, share, *shape):
    """(terminated, truncated) where as many of the steps end an episode; some have both flags."""
    ends, kind = rng.random(shape) < share, rng.integers(0, 5, shape)
    return ends & (kind != 0) & (kind != 1), ends & (kind != 2) & (kind != 3)


def _flat(pairs):
    """Pairs of a result and its scale as two flat arrays."""
    columns = zip(*pairs, strict=True)
    return [np.concatenate([np.ravel(each) for each in column]) for column in columns]


def _arrays(found):
    """Metrics and their scales from pairs by name."""
    arrays = {}
    for name, pairs in found.items():
        arrays[name], arrays[f"{name}__scale"] = _flat(pairs)
    return arrays


def _moved(rng, args, *places):
    """Calls in each of which one argument has its entries elsewhere, but for the first and last."""
    for place in places:
        flat = args[place].ravel()
        flat = np.concatenate([flat[:1], rng.permutation(flat[1:-1]), flat[1:][-1:]])
        yield *args[:place], flat.reshape(args[place].shape), *args[place + 1 :]


def _largest(logits):
    """1 + the largest logit of every row: what the roundings of its probabilities grow with."""
    return 1 + np.abs(logits).max(axis=-1)


# ----------------------------------------------------------------------------------------- returns


def _ending(terminated, truncated, n_steps):
    """What the sum of every step ends with, [n t].

    0: n steps, 1: the end of the rollout before them, 2: a terminal state, 3: another cut.
    """
    rows, steps = terminated.shape
    found = np.zeros((rows, steps), dtype=int)
    for row, first in np.ndindex(rows, steps):
        window = slice(first, first + n_steps)
        ends = np.flatnonzero((terminated | truncated)[row, window])
        if len(ends):
            found[row, first] = 2 if terminated[row, first + ends[0]] else 3
        else:
            found[row, first] = int(first + n_steps > steps)
    return found


def _return_size(rewards, next_values):
    """A bound on the sum of the absolute terms: all later rewards, and the row's largest value."""
    later = np.abs(rewards)[:, ::-1].cumsum(axis=1)[:, ::-1]
    return later + np.abs(next_values).max(axis=1, keepdims=True)


def _rewarded(student, rng, n, t, share):
    draw = student.domain.draw
    return draw(rng, "rewards", n, t), draw(rng, "next_values", n, t), *_flags(rng, share, n, t)


def returns(student, rng):
    """Returns, by what their sum ends with.

    Some rollouts hold small whole numbers, also in other places, some long ones hardly end while
    n_steps goes past their length; in one the rewards fade, and one of its rows has none.
    """
    shapes = list(_shapes(student, rng))
    calls = [
        (*_rewarded(student, rng, n, t, FLAGS[i % len(FLAGS)]), *window)
        for i, ((n, t, *_), window) in enumerate(
            zip(shapes, _windows(student, rng, len(shapes)), strict=True)
        )
    ]
    whole = rng.integers(-3, 4, (2, 5, 7)).astype(np.float64)
    calls.append((*whole, *_flags(rng, 0.2, 5, 7), 1.0, 4))
    calls.extend(_moved(rng, calls[-1], 0, 1, 2))
    calls.append((*_rewarded(student, rng, 6, 9, 0.2), 0.0, 3))
    longest = student.domain.sizes("t")[1]
    fading = 10.0 ** -np.arange(longest) * _rewarded(student, rng, 3, longest, 0.0)[:2]
    fading[0, 1], fading[1, [0, 2]] = 0.0, fading[1, [0, 2]] * 1e-12
    calls.append((*fading, *_flags(rng, 0.0, 3, longest), 0.9, 3))
    for n_steps in range(longest - 4, longest + 2):
        calls.append((*_rewarded(student, rng, 5, longest, 0.04), 0.95, n_steps))
    pair = [(*_rewarded(student, rng, 6, 9, 0.2), *window) for window in ((0.9, 3), (0.7, 5))]
    names = ("whole", "shortened", "terminated", "truncated")
    found = {name: [] for name in names}
    sides = student.domain.one_sided(pair[0])
    for *rollout, gamma, n_steps in student.domain.replaced(*pair, *calls, pair[0], *sides):
        result = student.n_step_returns(*rollout, gamma, n_steps)
        kind, size = _ending(*rollout[2:], n_steps), _return_size(*rollout[:2])
        for number, name in enumerate(names):
            found[name].append((result[kind == number], size[kind == number]))
    return _arrays(found)


# ------------------------------------------------------------------- functions of a batch of steps


def _batch_sizes(student, rng):
    """(b, a): ordinary first, the smallest, a square, a wide one, all of `a`, the largest."""
    b, a = (student.domain.sizes(axis)[1] for axis in "ba")
    yield from ((5, 3), (1, 1), (4, 4), (3, 5), (1, a), (b, 1))
    for actions in (rng.permutation(a) + 1).tolist():
        yield int(rng.integers(1, b)), actions
    yield b, a


def _logits(student, rng, b, a, wide):
    """Logits from all of their range, where probabilities are 0 and 1, or such as leave choices.

    Of the first, two of the first row are as far apart as can be, where there are two; of the
    second, the first and the last action tie in every second row.
    """
    if wide:
        logits = student.domain.draw(rng, "logits", b, a)
        logits[0, :2] = rng.permutation(student.domain.draw(rng, "logits", 2))[:a]
    else:
        logits = rng.normal(0.0, 1.5, (b, a))
        logits[1::2, -1] = logits[1::2, 0]
    return logits


def _batches(student, rng, drawn):
    """Calls made by `drawn(b, a, wide)`: every size twice, one argument changed alone, one sign.

    In some, an argument of whole numbers has them in other places.
    """
    pair = [drawn(6, 4, False) for _ in range(2)]
    others = [drawn(b, a, wide) for b, a in _batch_sizes(student, rng) for wide in (False, True)]
    whole = tuple(np.rint(each).astype(each.dtype) for each in drawn(5, 3, False))
    others.extend([whole, *_moved(rng, whole, *range(len(whole)))])
    return student.domain.replaced(*pair, *others, pair[0], *student.domain.one_sided(pair[0]))


def _softmax(logits):
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def advantages(student, rng):
    """Advantages of all actions, and their mean under the policy."""

    def drawn(b, a, wide):
        return student.domain.draw(rng, "q", b, a), _logits(student, rng, b, a, wide)

    found, means = [], []
    for q, logits in _batches(student, rng, drawn):
        result, pi = student.advantage(q, logits), _softmax(logits)
        value = (pi * np.abs(q)).sum(axis=1) * _largest(logits)
        found.append((result, np.abs(q) + value[:, None]))
        with np.errstate(all="ignore"):
            means.append(((pi * result).sum(axis=1), 2 * value))
    return _arrays({"advantage": found, "mean": means})


def actor(student, rng):
    """Loss of the actor, some advantages being 0; its gradients by logits and by advantages."""

    def drawn(b, a, wide):
        weights = student.domain.draw(rng, "advantages", b)
        if not wide:
            weights[: b // 3] = 0.0
        logits, actions = _logits(student, rng, b, a, wide), rng.integers(0, a, b)
        if wide:
            actions[0] = logits[0].argmin()
        return logits, actions, weights

    values, grads = [], []
    for logits, actions, weights in _batches(student, rng, drawn):
        b, a = logits.shape
        log_size, cotangent = 2 * _largest(logits) + np.log(a), rng.uniform(0.5, 2.0)
        args = (logits, actions, weights)
        values.append((student.actor_loss(*args), np.abs(weights) @ log_size / b))
        by_logits, by_weights = student.vjp("actor_loss", args, (0, 2), np.asarray(cotangent))
        size = cotangent * np.abs(weights) * _largest(logits) / b
        grads.append((by_logits, np.repeat(size, a)))
        grads.append((by_weights, cotangent * log_size / b))
    return _arrays({"value": values, "grad": grads})


def critic(student, rng):
    """Loss of the critic, some values close to the returns; its gradients by both."""

    def drawn(b, a, wide):
        values, returns = (student.domain.draw(rng, name, b) for name in ("values", "returns"))
        if not wide:
            values *= 0.9
            returns = values + 10 ** rng.uniform(-7.0, -1.0) * returns
            values[-1], returns[-1] = values[0], returns[0]
        return values, returns

    found = []
    for args in _batches(student, rng, drawn):
        size, cotangent = np.abs(args[1] - args[0]), rng.uniform(0.5, 2.0)
        size = np.where(size > 0, size, 1.0)
        found.append((student.critic_loss(*args), (size**2).mean()))
        for grad in student.vjp("critic_loss", args, (0, 1), np.asarray(cotangent)):
            found.append((grad, 2 * cotangent * size / len(size)))
    return _arrays({"value": found})


def entropies(student, rng):
    """Entropies row by row, of probabilities that are 0 or tiny as well, and their gradients."""

    def drawn(b, a, wide):
        return (_logits(student, rng, b, a, wide),)

    found = []
    tiny = [(rng.normal(0.0, 12.0, (30, a)),) for a in (3, 8)]
    for (logits,) in [*_batches(student, rng, drawn), *tiny]:
        b, a = logits.shape
        size, cotangent = _largest(logits) * (1 + np.log(a)), rng.normal(size=b)
        found.append((student.entropy(logits), size))
        (grad,) = student.vjp("entropy", (logits,), (0,), cotangent)
        found.append((grad, np.repeat(np.abs(cotangent) * size, a)))
    return _arrays({"value": found})


# -------------------------------------------------------------------------- linear actor and critic


def _rollout(student, rng, shape, share):
    """theta, phi, features, next features, actions, rewards and flags.

    In one of three the policy leaves choices, and rewards and values are so small that the
    entropy is the largest term of the loss. Where every second step ends an episode, the first and
    the last action tie. Where CHAINED do, most next features are the features of the next step, and
    every row ends with the state and the action with which it began.
    """
    n, t, d, a = shape
    draw = student.domain.draw
    theta, phi = draw(rng, "theta", d, a), draw(rng, "phi", d)
    x, next_x = rng.normal(size=(2, n, t, d))
    actions, rewards = rng.integers(0, a, (n, t)), draw(rng, "rewards", n, t)
    if rng.random() < 1 / 3:
        theta, phi, rewards = theta / 10, phi / 1e6, rewards / 1e6
    if shape == FEW:
        actions = rng.permutation(a)[: n * t].reshape(n, t)
    if share == TIED:
        theta[:, -1] = theta[:, 0]
    if share == CHAINED:
        x[:, -1], actions[:, -1] = x[:, 0], actions[:, 0]
        next_x[:, :-1] = x[:, 1:]
    return theta, phi, x, next_x, actions, rewards, *_flags(rng, share, n, t)


def _far(student, rng):
    """A rollout of the largest size without an end; returns and logits are as large as can be."""
    theta, phi, x, next_x, actions, rewards, *flags = _rollout(
        student, rng, [student.domain.sizes(axis)[1] for axis in "ntda"], 0.0
    )
    sign = rng.choice([-1.0, 1.0])
    far = np.full_like(rewards, sign * student.domain.draw(rng, "rewards", 2).max())
    far_phi = np.full_like(phi, student.domain.draw(rng, "phi", 2).max())
    far_theta = np.sign(theta) * np.abs(student.domain.draw(rng, "theta", 2)).max()
    return far_theta, far_phi, x, next_x, actions, far, *flags


def _sizes(rollout):
    """What errors and logits of every step are sums of, [n t]."""
    theta, phi, x, next_x, _, rewards, *_ = map(np.abs, rollout)
    error = x @ phi + _return_size(rewards, next_x @ phi)
    return error, 1 + (x @ theta).max(axis=-1)


def _linear_calls(student, rng, weights):
    """Arguments for all shapes, far off, with one argument changed alone, and of one sign.

    `weights(count)` gives the two last arguments of so many calls.
    """
    shapes = list(_shapes(student, rng))
    windows = _windows(student, rng, len(shapes))
    last = weights(len(shapes))
    calls = [
        (*_rollout(student, rng, shape, FLAGS[i % len(FLAGS)]), *window, *two)
        for i, (shape, window, two) in enumerate(zip(shapes, windows, last, strict=True))
    ]
    for call, place in ((5, 0), (11, 1)):  # an actor, a critic whose weights are all 0
        args = calls[call]
        calls[call] = (*args[:place], 0.0 * args[place], *args[place + 1 :])
    calls.append((*_far(student, rng), 1.0, windows[-1][1], 1.0, 0.1))
    pair = [
        (*_rollout(student, rng, (5, 6, 4, 3), CHAINED), gamma, n_steps, *two)
        for gamma, n_steps, two in zip((0.9, 0.6), (3, 5), ((0.5, 0.1), (0.8, 0.03)), strict=True)
    ]
    last = [*_moved(rng, pair[0], 2, 4, 5), *student.domain.one_sided(pair[0])]
    return student.domain.replaced(*pair, *calls, pair[0], *last)


def losses(student, rng):
    """The whole loss, and its gradients by the weights of actor and critic.

    Either weight in the loss is also 0: what is left of a gradient then comes from where it should.
    """

    def weights(count):
        names = ("value_weight", "entropy_weight")
        columns = [student.domain.draw(rng, name, count) for name in names]
        columns[0][:4], columns[1][:4] = (1.0, 0.5, 0.0, 2.0), (0.1, 0.2, 1.0, 0.0)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    found = {name: [] for name in ("value", "by_theta", "by_phi")}
    for args in _linear_calls(student, rng, weights):
        *rollout, _, _, value_weight, entropy_weight = args
        x, a = np.abs(rollout[2]), rollout[0].shape[1]
        (error, logit), cotangent = _sizes(rollout[:8]), rng.uniform(0.5, 2.0)
        bonus = entropy_weight * (1 + np.log(a)) * logit
        terms = error * (2 * logit + np.log(a)) + value_weight * error**2 + bonus
        found["value"].append((student.a2c_loss(*args), terms.mean()))
        by_theta, by_phi = student.vjp("a2c_loss", args, (0, 1), np.asarray(cotangent))
        row = cotangent * ((error * logit + bonus)[..., None] * x).mean(axis=(0, 1))
        found["by_theta"].append((by_theta, np.repeat(row, a)))
        factor = 2 * cotangent * (value_weight or 1.0)
        found["by_phi"].append((by_phi, factor * (error[..., None] * x).mean(axis=(0, 1))))
    return _arrays(found)


def updates(student, rng):
    """New weights of actor and critic after one update."""

    def weights(count):
        columns = [student.domain.draw(rng, name, count) for name in ("alpha", "beta")]
        return list(zip(*(column.tolist() for column in columns), strict=True))

    found = []
    for args in _linear_calls(student, rng, weights):
        *rollout, _, _, alpha, beta = args
        theta, phi, x = (np.abs(each) for each in rollout[:3])
        error, logit = _sizes(rollout[:8])
        new_theta, new_phi = student.a2c_update(*args)
        step = alpha * ((error * logit)[..., None] * x).sum(axis=(0, 1))
        found.append((new_theta, theta + step[:, None]))
        found.append((new_phi, phi + 2 * beta * (error[..., None] * x).sum(axis=(0, 1))))
    return _arrays({"weights": found})
