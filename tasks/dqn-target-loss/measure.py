"""What is measured of dqn-target-loss: a table of transitions, losses, gradients, a learner's run.

The 64 transitions go through every combination of the two flags, the sign of the reward, values of
the next state that are all negative or not, and a maximum that is shared or not. They are sent four
at a time with four actions, so that a confusion of the two axes gives a number and no exception.
Every function also sees one row, one action, and numbers from all of their ranges.
"""

import numpy as np

ROWS, ACTIONS = 64, 4


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}


def _table(rng, rows=ROWS, actions=ACTIONS):
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
    """(q, actions, targets): errors of either sign and a zero; some rows share a maximum."""
    q = rng.normal(0.0, 2.0, (rows, actions))
    q[: rows // 4, 0] = q[: rows // 4, -1] = 3.0
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
    return [*(_batch(rng, rows, actions) for rows, actions in sizes), _wide(student, rng)]


def _at_taken(values, taken, actions):
    """[b a]: a value per row at the taken action, the mean of them everywhere else."""
    table = np.full((len(taken), actions), np.abs(values).mean())
    table[np.arange(len(taken)), taken] = values
    return table


def _size(q, taken, targets):
    return np.abs(targets) + np.abs(q[np.arange(len(taken)), taken])


def transitions(student, rng):
    """Targets of the table, by what happened to the episode; terminated wins over truncated."""
    table = _table(rng)
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
    """Targets of single rows, of single actions, and of values from all of their ranges."""
    _, _, *flags = _table(rng, ROWS, 8)
    q_next = student.domain.draw(rng, "q_next", ROWS, 8) * 10 ** rng.uniform(-4.0, 0.0, (ROWS, 1))
    q_next[rng.integers(ROWS)] = student.domain.draw(rng, "q_next", 8)
    wide = (student.domain.draw(rng, "rewards", ROWS), q_next, *flags)
    gamma = float(rng.uniform(0.6, 0.95))
    found = [
        _targets(student, _table(rng, 8, 5), gamma, 1),
        _targets(student, _table(rng, 8, 1), 0.01, 4),
        _targets(student, wide, 0.999, ROWS),
    ]
    values, scales = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return {"y": values, "y__scale": scales}


def loss(student, rng):
    """Value and gradient by q on several sizes of batch, one of them twice."""
    values, sizes, grads, grad_sizes = [], [], [], []
    shapes = ((2, 3), (5, 5), (5, 5), (1, 3), (3, 1), (ROWS, ACTIONS))
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
    """Value and gradient by q where some errors are below delta and some above."""
    values, scales = [], []
    shapes = ((2, 3), (1, 1), (ROWS, ACTIONS), (ROWS, ACTIONS))
    batches = [*_batches(student, rng, *shapes), _wide(student, rng)]
    deltas = (*rng.uniform(1.5, 4.0, 3), 1e-3, 1e3, float(10 ** rng.uniform(-2.0, 0.0)))
    for (q, taken, targets), delta in zip(batches, deltas, strict=True):
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
    shapes = ((2, 3), (5, 5), (5, 5), (1, 1), (1, 4), (ROWS, ACTIONS))
    for q, taken, targets in _batches(student, rng, *shapes):
        values.append(student.update_direction(q, taken, targets).ravel())
        size = _size(q, taken, targets) / len(q)
        scales.append(_at_taken(size, taken, q.shape[1]).ravel())
    return {"value": np.concatenate(values), "value__scale": np.concatenate(scales)}


def _played(rng, rows, features, actions):
    """(phi, actions, rewards, phi_next, discounts) of a batch; a third has no future."""
    phi, phi_next = rng.normal(0.0, 1.0, (2, rows, features))
    discounts = rng.uniform(0.05, 1.0, rows) * (rng.permutation(rows) % 3 > 0)
    if rows == 1:
        discounts = rng.uniform(0.3, 0.9, 1)
    return phi, rng.integers(0, actions, rows), rng.normal(0.0, 2.0, rows), phi_next, discounts


def _far_played(student, rng, rows, features, actions):
    """The same with rewards and discounts from all of their ranges."""
    phi, taken, _, phi_next, _ = _played(rng, rows, features, actions)
    rewards = student.domain.draw(rng, "rewards", rows)
    return phi, taken, rewards, phi_next, student.domain.draw(rng, "discounts", rows)


def _error_size(weights, target_weights, played):
    """Per transition the sum of absolute terms of y - Q(s, a), whichever actions are best."""
    phi, taken, rewards, phi_next, discounts = played
    next_size = discounts * (np.abs(phi_next) @ target_weights).max(1)
    return np.abs(rewards) + next_size + (np.abs(phi) @ weights)[np.arange(len(taken)), taken]


def shared_weights(student, rng):
    """One matrix of weights for values and targets; its gradient is not that of the residual."""
    values, sizes, grads, grad_sizes = [], [], [], []
    for rows, features, actions in ((ROWS, 5, 4), (7, 5, 4), (1, 3, 2), (2, 1, 1), (ROWS, 8, 8)):
        weights = rng.normal(0.0, 1.0, (features, actions))
        played = _played(rng, rows, features, actions)
        if features == 8:
            weights = student.domain.draw(rng, "weights", 8, 8)
            played = _far_played(student, rng, rows, 8, 8)
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

    def __init__(self, student, weights, rate, period, probe):
        self.student, self.rate, self.period, self.probe = student, rate, period, probe
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

    def look(self, found):
        """Both networks' values at the probe."""
        for name, size in self.sizes.items():
            ask = self.learner.target_values if name == "target" else self.learner.online_values
            found[name].append(_values(self.student, ask(self.probe), size.shape[1]))
            found[f"{name}__scale"].append((np.abs(self.probe) @ size).ravel())


def _values(student, values, actions):
    """Flat, if there is one an action: the contract of a method does not know the weights."""
    if values.shape[1] != actions:
        student.refuse(f"values of {values.shape[1]} actions; the weights have {actions} columns")
    return values.ravel()


def learner(student, rng):
    """Three learners in turn, with other sizes and periods: both networks before and after steps.

    The last of them waits ten updates for its copy, and is looked at around the first and that one.
    """
    rate = float(rng.uniform(0.1, 0.2))
    runs = (
        _Run(student, rng.normal(size=(5, 4)), rate, 3, rng.normal(size=(6, 5))),
        _Run(student, rng.uniform(-100, 100, (1, 1)), 1.0, 1, rng.normal(size=(ROWS, 1))),
        _Run(student, student.domain.draw(rng, "weights", 8, 8), 0.01, 10, rng.normal(size=(1, 8))),
    )
    names = ("online", "target", "online__scale", "target__scale")
    found: dict[str, list] = {name: [] for name in names}
    for count in range(12):
        if count < 6:
            if count:
                runs[0].step(_played(rng, 32, 5, 4), found)
            runs[0].look(found)
        if count < 3:
            if count:
                runs[1].step(_far_played(student, rng, ROWS, 1, 1), found)
            runs[1].look(found)
        if count:
            runs[2].step(_played(rng, 1, 8, 8), found)
        if count in (0, 1, 9, 10, 11):
            runs[2].look(found)
    return {name: np.concatenate(arrays) for name, arrays in found.items()}
