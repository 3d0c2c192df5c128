"""What is measured of dqn-target-loss: a table of transitions, losses, gradients, a learner's run.

The 64 transitions go through every combination of the two flags, the sign of the reward, values of
the next state that are all negative or not, and a maximum that is shared or not. They are sent four
at a time with four actions, so that a confusion of the two axes gives a number and no exception.
Every function also sees one row, one action, numbers from all of their ranges, and calls where one
argument alone has changed.
"""

import itertools

import numpy as np

ROWS, ACTIONS = 64, 4


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}


def table_of(rng, rows=ROWS, actions=ACTIONS):
    """(rewards, q_next, terminated, truncated), shuffled transitions; see above."""
    number = np.arange(rows)
    terminated, truncated, positive, below, tied = ((number >> bit & 1) == 1 for bit in range(5))
    rewards = np.where(positive, 1.0, -1.0) * rng.uniform(0.5, 4.0, rows)
    q_next = rng.normal(0.0, 3.0, (rows, actions))
    q_next[below] = -rng.uniform(0.5, 6.0, (below.sum(), actions))
    q_next[~below, 0] = rng.uniform(1.0, 6.0, (~below).sum())
    last = q_next[tied].argmax(1)
    q_next[np.flatnonzero(tied), (last + 1) % actions] = q_next[tied].max(1)
    order = rng.permutation(rows)
    return rewards[order], q_next[order], terminated[order], truncated[order]


def _batch(rng, rows=ROWS, actions=ACTIONS):
    """(q, actions, targets): errors of either sign and a zero; some rows share a maximum.

    The last two rows of the values are equal.
    """
    q = rng.normal(0.0, 2.0, (rows, actions))
    q[: rows // 4, 0] = q[: rows // 4, -1] = 3.0
    if rows > 2:
        q[-1] = q[-2]
    taken = rng.permutation(np.arange(rows) % actions)
    targets = q[np.arange(rows), taken] + rng.normal(0.0, 3.0, rows)
    if rows > 4:
        targets[0] = q[0, taken[0]]
    return q, taken, targets


def _wide(student, rng):
    """A batch of the largest size, with values from all of their ranges."""
    rows, actions = student.domain.sizes("b")[1], student.domain.sizes("a")[1]
    q = student.domain.draw(rng, "q", rows, actions)
    return q, rng.integers(0, actions, rows), student.domain.draw(rng, "targets", rows)


def _batches(student, rng, *sizes):
    """Batches of the sizes, one from all of the ranges, and a batch changed entry by entry."""
    found = [_batch(rng, rows, actions) for rows, actions in sizes]
    alone = student.domain.replaced(*(_batch(rng, 12, 5) for _ in range(2)))
    return [*found, _wide(student, rng), *alone]


def _at_taken(values, taken, actions):
    """[b a]: a value per row at the taken action, the mean of them everywhere else."""
    table = np.full((len(taken), actions), np.abs(values).mean())
    table[np.arange(len(taken)), taken] = values
    return table


def _size(q, taken, targets):
    return np.abs(targets) + np.abs(q[np.arange(len(taken)), taken])


def transitions(student, rng):
    """Targets of the table, by what happened to the episode; terminated wins over truncated."""
    table = table_of(rng)
    y, scale = _targets(student, table, float(rng.uniform(0.6, 0.95)), 4)
    terminated, truncated = table[2:]
    rows = {
        "going": ~terminated & ~truncated,
        "terminated": terminated,
        "truncated": truncated & ~terminated,
    }
    return {name: y[chosen] for name, chosen in rows.items()} | {
        f"{name}__scale": scale[chosen] for name, chosen in rows.items()
    }


def _targets(student, table, gamma, batch):
    """Targets of a table that is sent some rows at a time, and their scale."""
    batches = zip(*(np.split(each, len(table[0]) // batch) for each in table), strict=True)
    y = np.concatenate([student.dqn_targets(*each, gamma) for each in batches])
    return y, np.abs(table[0]) + gamma * np.abs(table[1]).max(1)


def other_sizes(student, rng):
    """Targets of single rows, of single actions, and of values from all of their ranges.

    A third of the wide rows has values that are far below 0 throughout; two have the largest target
    that there may be, and the smallest. Last, some rows are equal, or have numbers that are 0.
    """
    _, _, *flags = table_of(rng, ROWS, 8)
    q_next = student.domain.draw(rng, "q_next", ROWS, 8) * 10 ** rng.uniform(-4.0, 0.0, (ROWS, 1))
    q_next[rng.integers(ROWS)] = student.domain.draw(rng, "q_next", 8)
    deep = np.arange(ROWS) % 3 == 0
    depth = 1e4 * rng.uniform(0.1, 1.0, (deep.sum(), 1))
    q_next[deep] = -depth * rng.uniform(0.9, 1.0, (deep.sum(), 8))
    rewards = student.domain.draw(rng, "rewards", ROWS)
    for sign, row in zip((-1, 1), rng.permutation(np.flatnonzero(~flags[0]))[:2], strict=True):
        rewards[row], q_next[row] = sign * np.abs(rewards).max(), sign * 1e4
    wide = (rewards, q_next, *flags)
    gamma = float(rng.uniform(0.6, 0.95))
    found = [
        _targets(student, table_of(rng, 8, 5), gamma, 1),
        _targets(student, table_of(rng, 8, 1), 0.01, 4),
        _targets(student, wide, 0.999, ROWS),
    ]
    pair = [(*table_of(rng, 8, 3), float(rng.uniform(*ends))) for ends in ((0.5, 0.7), (0.8, 0.9))]
    alone = student.domain.replaced(*pair)
    found += [_targets(student, table, gamma, 8) for *table, gamma in alone]
    found.append(_targets(student, _repeated_rows(table_of(rng, 16, 3)), gamma, 16))
    values, scales = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return {"y": values, "y__scale": scales}


def _repeated_rows(table):
    """A table of 16 rows, four and four of which are equal: in all columns, or in all but the flags
    or the rewards. In others the values, their maximum or the rewards are 0.
    """
    rewards, q_next, terminated, truncated = table
    q_next[1:4] = q_next[0]
    rewards[1:3], terminated[1], truncated[1] = rewards[0], terminated[0], truncated[0]
    q_next[5:8], terminated[5:8], truncated[5:8] = q_next[4], terminated[4], truncated[4]
    q_next[8:10], q_next[10:12] = 0.0, np.arange(0.0, -q_next.shape[1], -1.0)
    rewards[12:], q_next[14] = 0.0, q_next[14, 0]
    return rewards, q_next, terminated, truncated


def loss(student, rng):
    """Value and gradient by q on several sizes of batch, and with one argument changed."""
    values, sizes, grads, grad_sizes = [], [], [], []
    shapes = ((2, 3), (5, 5), (1, 3), (3, 1), (ROWS, ACTIONS))
    for q, taken, targets in _batches(student, rng, *shapes):
        rows, actions = q.shape
        values.append(student.dqn_loss(q, taken, targets))
        size = _size(q, taken, targets)
        sizes.append((size**2).mean())
        cotangent = np.asarray(rng.uniform(0.5, 2.0))
        (grad,) = student.vjp("dqn_loss", (q, taken, targets), (0,), cotangent)
        grads.append(grad.ravel())
        grad_sizes.append(_at_taken(2 * cotangent * size / rows, taken, actions).ravel())
    return {
        "value": np.array(values),
        "value__scale": np.array(sizes),
        "grad": np.concatenate(grads),
        "grad__scale": np.concatenate(grad_sizes),
    }


def untaken(student, rng):
    """The change of the loss when values of actions that were not taken are replaced."""
    q, taken, targets = _batch(rng)
    size = (_size(q, taken, targets) ** 2).mean()
    found = student.dqn_loss(q, taken, targets)
    residual = []
    for spread in (1.0, 10.0, 100.0):
        other = rng.normal(0.0, spread, q.shape)
        other[np.arange(ROWS), taken] = q[np.arange(ROWS), taken]
        with np.errstate(all="ignore"):
            residual.append(student.dqn_loss(other, taken, targets) - found)
    return {"residual": np.array(residual), "residual__scale": np.full(3, 2 * size)}


def huber(student, rng):
    """Value and gradient by q where some errors are below delta, some above, and two equal to it.

    Sixty-fourths keep those two exact.
    """
    values, scales = [], []
    shapes = ((2, 3), (1, 1), (ROWS, ACTIONS), (ROWS, ACTIONS))
    batches = [*(_batch(rng, *shape) for shape in shapes), *(_wide(student, rng) for _ in range(2))]
    usual = np.round(64 * rng.uniform(1.5, 4.0, 3)) / 64
    q, taken, targets = batches[2]
    for row, sign in enumerate((1, -1), 1):
        q[row, taken[row]] = np.round(64 * q[row, taken[row]]) / 64
        targets[row] = q[row, taken[row]] + sign * usual[2]
    batches.append(_batch(rng, 3, 3))
    deltas = (*usual, 1e-3, 1e3, *(10 ** rng.uniform(-2.0, 0.0, 2)))
    calls = [(*batch, delta) for batch, delta in zip(batches, deltas, strict=True)]
    pair = [(*_batch(rng, 12, 5), rng.uniform(*ends)) for ends in ((0.5, 1.0), (1.5, 2.0))]
    for q, taken, targets, delta in [*calls, *student.domain.replaced(*pair)]:
        rows, actions = q.shape
        size = _size(q, taken, targets)
        slope = np.minimum(size, delta)
        values.append([student.huber_loss(q, taken, targets, float(delta))])
        scales.append([(2 * size * slope).mean()])
        cotangent = np.asarray(rng.uniform(0.5, 2.0))
        (grad,) = student.vjp("huber_loss", (q, taken, targets, float(delta)), (0,), cotangent)
        values.append(grad.ravel())
        scales.append(_at_taken(cotangent * size / rows, taken, actions).ravel())
    return {"value": np.concatenate(values), "value__scale": np.concatenate(scales)}


def direction(student, rng):
    """The step in q that the slide's bracket stands for."""
    values, scales = [], []
    shapes = ((2, 3), (5, 5), (1, 1), (1, 4), (ROWS, ACTIONS))
    for q, taken, targets in _batches(student, rng, *shapes):
        values.append(student.update_direction(q, taken, targets).ravel())
        size = _size(q, taken, targets) / len(q)
        scales.append(_at_taken(size, taken, q.shape[1]).ravel())
    return {"value": np.concatenate(values), "value__scale": np.concatenate(scales)}


def _tied(phi):
    """The features: of five rows or more one is 0, two are equal, and numbers of one are."""
    if len(phi) > 4:
        phi[1], phi[2], phi[4] = 0.0, phi[2, 0], phi[3]
    return phi


def _played(rng, rows, features, actions):
    """(phi, actions, rewards, phi_next, discounts) of a batch; a third has no future.

    Two transitions of five or more are between the same states, two of seven or more are the same,
    and so are the rewards of two, or their next states.
    """
    phi, phi_next = map(_tied, rng.normal(0.0, 1.0, (2, rows, features)))
    discounts = rng.uniform(0.05, 1.0, rows) * (rng.permutation(rows) % 3 > 0)
    if rows == 1:
        discounts = rng.uniform(0.3, 0.9, 1)
    played = phi, rng.integers(0, actions, rows), rng.normal(0.0, 2.0, rows), phi_next, discounts
    if rows > 6:
        for each in played:
            each[6] = each[5]
    return played


def _far_played(student, rng, rows, features, actions):
    """The same with rewards and discounts from all of their ranges."""
    phi, taken, _, phi_next, _ = _played(rng, rows, features, actions)
    rewards = student.domain.draw(rng, "rewards", rows)
    return phi, taken, rewards, phi_next, student.domain.draw(rng, "discounts", rows)


def _largest_played(student, rng, features, actions):
    """One transition with the largest reward, of either sign, and no feature below one."""
    phi, taken, _, phi_next, discounts = _played(rng, 1, features, actions)
    most = np.abs(student.domain.draw(rng, "rewards", 2)).max()
    phi = np.copysign(1.0 + np.abs(phi), phi)
    return phi, taken, rng.choice([-1.0, 1.0], 1) * most, phi_next, discounts


def _error_size(weights, target_weights, played):
    """Per transition the sum of absolute terms of y - Q(s, a), whichever actions are best."""
    phi, taken, rewards, phi_next, discounts = played
    next_size = discounts * (np.abs(phi_next) @ target_weights).max(1)
    return np.abs(rewards) + next_size + (np.abs(phi) @ weights)[np.arange(len(taken)), taken]


def shared_weights(student, rng):
    """One matrix of weights for values and targets; its gradient is not that of the residual.

    Of those of which one argument alone is changed, rows are 0 or equal, or the numbers of a row.
    """
    calls = []
    for rows, features, actions in ((ROWS, 5, 4), (1, 3, 2), (2, 1, 1), (12, 5, 4), (12, 5, 4)):
        weights = rng.normal(0.0, 1.0, (features, actions))
        calls.append((weights, *_played(rng, rows, features, actions)))
    for weights, *_ in calls[-2:]:
        weights[1], weights[2], weights[3] = weights[0], 0.0, weights[3, 0]
    calls[-2:] = student.domain.replaced(*calls[-2:])
    for actions in (8, 1):
        weights = student.domain.draw(rng, "weights", 8, actions)
        calls.append((weights, *_far_played(student, rng, ROWS, 8, actions)))
    values, sizes, grads, grad_sizes = [], [], [], []
    for weights, *played in calls:
        values.append(student.td_loss_linear(weights, *played))
        size = _error_size(np.abs(weights), np.abs(weights), played)
        sizes.append((size**2).mean())
        cotangent = np.asarray(rng.uniform(0.5, 2.0))
        (grad,) = student.vjp("td_loss_linear", (weights, *played), (0,), cotangent)
        grads.append(grad.ravel())
        per_feature = (2 * cotangent * size[:, None] * np.abs(played[0])).mean(0)
        grad_sizes.append(np.broadcast_to(per_feature[:, None], weights.shape).ravel())
    return {
        "value": np.array(values),
        "value__scale": np.array(sizes),
        "grad": np.concatenate(grads),
        "grad__scale": np.concatenate(grad_sizes),
    }


class _Run:
    """A learner, and the absolute values of its weights through the same updates: its scale."""

    def __init__(self, student, weights, rate, period):
        self.rate, self.period = rate, period
        self.learner = student.new("Learner", weights, rate, period)
        self.sizes = {"online": np.abs(weights), "target": np.abs(weights)}
        self.count = 0

    def step(self, played, found):
        """One update; its loss belongs to the online network."""
        size = _error_size(self.sizes["online"], self.sizes["target"], played)
        found["online"].append([self.learner.step(*played)])
        found["online__scale"].append([(size**2).mean()])
        uphill = 2 * self.rate * (size @ np.abs(played[0]) / len(size))[:, None]
        self.sizes["online"] = self.sizes["online"] + uphill
        self.count += 1
        if self.count % self.period == 0:
            self.sizes["target"] = self.sizes["online"]

    def look(self, found, probes):
        """Both networks' values at every one of the probes."""
        for probe, (name, size) in itertools.product(probes, self.sizes.items()):
            ask = self.learner.target_values if name == "target" else self.learner.online_values
            found[name].append(ask(probe).ravel())
            terms = (np.abs(probe) @ size).ravel()
            found[f"{name}__scale"].append(terms + (terms == 0))


def _probes(student, rng, rows, features):
    """Two batches of features, the second of which begins as the first one."""
    first, second = rng.normal(size=(2, rows, features))
    return _tied(first), *student.domain.begun_alike((first,), (second,))


def _others(student, rng, found):
    """Learners with one argument changed, then one whose steps have one argument changed.

    The learners of the first kind learn side by side, so that what they share shows. Each is looked
    at with a probe of its own; the last step is the first one again. In one step no transition has
    a future: it is an update like any other.
    """
    plays = [_played(rng, 12, 4, 3) for _ in range(2)]
    pair = [(rng.normal(size=(4, 3)), rng.uniform(*ends)) for ends in ((0.05, 0.1), (0.15, 0.2))]
    calls = student.domain.replaced((*pair[0], 1), (*pair[1], 2))
    runs = [_Run(student, weights, float(rate), period) for weights, rate, period in calls]
    for played in plays:
        for run in runs:
            run.step(played, found)
        for run in runs:
            run.look(found, rng.normal(size=(1, 5, 4)))
    run = _Run(student, rng.normal(size=(4, 3)), 0.05, 3)
    over = (*plays[0][:4], np.zeros_like(plays[0][4]))
    for played in [over, *student.domain.replaced(*plays), plays[0]]:
        run.step(played, found)
        run.look(found, rng.normal(size=(1, 5, 4)))


def learner(student, rng):
    """Three learners in turn, with other sizes and periods: both networks before and after steps.

    The last of them waits ten updates for each of its two copies, and is looked at around the first
    update and those. Sizes of batches differ from step to step, one of them is that of the
    features, and every look has two probes of its own, one of them as many rows as features and
    actions. A batch of one row with the largest
    reward has the largest gradient.
    """
    rate = float(rng.uniform(0.1, 0.2))
    runs = (
        _Run(student, rng.normal(size=(5, 4)), rate, 3),
        _Run(student, rng.uniform(-100, 100, (1, 1)), 1.0, 1),
        _Run(student, student.domain.draw(rng, "weights", 8, 8), 0.01, 10),
    )
    names = ("online", "target", "online__scale", "target__scale")
    found: dict[str, list] = {name: [] for name in names}
    rows = 1 + rng.permutation(ROWS - 1)[:26]
    for count in range(22):
        if count < 6:
            if count:
                runs[0].step(_played(rng, 5 if count == 2 else rows[count], 5, 4), found)
            runs[0].look(found, _probes(student, rng, 6, 5))
        if count < 3:
            if count:
                runs[1].step(_far_played(student, rng, (ROWS, rows[0])[count - 1], 1, 1), found)
            runs[1].look(found, _probes(student, rng, ROWS, 1))
        if count == 1:
            runs[2].step(_largest_played(student, rng, 8, 8), found)
        elif count:
            runs[2].step(_played(rng, rows[count + 4], 8, 8), found)
        if count in (0, 1, 9, 10, 11, 20):
            runs[2].look(found, _probes(student, rng, 8 if count == 9 else 1, 8))
    _others(student, rng, found)
    return {name: np.concatenate(arrays) for name, arrays in found.items()}
