"""What is measured of dqn-target-loss: a table of transitions, losses, gradients, a learner's run.

The 64 transitions go through every combination of the two flags, the sign of the reward, values of
the next state that are all negative or not, and a maximum that is shared or not. They are sent four
at a time with four actions, so that a confusion of the two axes gives a number and no exception.
"""

import numpy as np

ROWS, ACTIONS, FEATURES = 64, 4, 5


def _table(rng):
    """(rewards, q_next, terminated, truncated), 64 shuffled transitions; see above."""
    number = np.arange(ROWS)
    terminated, truncated, positive, below, tied = ((number >> bit & 1) == 1 for bit in range(5))
    rewards = np.where(positive, 1.0, -1.0) * rng.uniform(0.5, 4.0, ROWS)
    q_next = rng.normal(0.0, 3.0, (ROWS, ACTIONS))
    q_next[below] = -rng.uniform(0.5, 6.0, (below.sum(), ACTIONS))
    q_next[~below, 0] = rng.uniform(1.0, 6.0, (~below).sum())
    last = q_next[tied].argmax(1)
    q_next[np.flatnonzero(tied), (last + 1) % ACTIONS] = q_next[tied].max(1)
    order = rng.permutation(ROWS)
    return rewards[order], q_next[order], terminated[order], truncated[order]


def _batch(rng, rows=ROWS, actions=ACTIONS):
    """(q, actions, targets): errors of either sign; some rows of q have a shared maximum."""
    q = rng.normal(0.0, 2.0, (rows, actions))
    q[: rows // 4, 0] = q[: rows // 4, 1] = 3.0
    taken = rng.permutation(np.arange(rows) % actions)
    targets = q[np.arange(rows), taken] + rng.normal(0.0, 3.0, rows)
    return q, taken, targets


def _at_taken(values, taken, actions):
    """[b a]: a value per row at the taken action, the mean of them everywhere else."""
    table = np.full((len(taken), actions), np.abs(values).mean())
    table[np.arange(len(taken)), taken] = values
    return table


def _size(q, taken, targets):
    return np.abs(targets) + np.abs(q[np.arange(len(taken)), taken])


def transitions(student, rng):
    """Targets of the table, by what happened to the episode; terminated wins over truncated."""
    rewards, q_next, terminated, truncated = _table(rng)
    gamma = float(rng.uniform(0.6, 0.95))
    columns = (rewards, q_next, terminated, truncated)
    batches = zip(*(np.split(column, ROWS // 4) for column in columns), strict=True)
    y = np.concatenate([student.dqn_targets(*batch, gamma) for batch in batches])
    scale = np.abs(rewards) + gamma * np.abs(q_next).max(1)
    rows = {
        "going": ~terminated & ~truncated,
        "terminated": terminated,
        "truncated": truncated & ~terminated,
    }
    return {name: y[chosen] for name, chosen in rows.items()} | {
        f"{name}__scale": scale[chosen] for name, chosen in rows.items()
    }


def loss(student, rng):
    """Value and gradient by q on several sizes of batch."""
    values, sizes, grads, grad_sizes = [], [], [], []
    for rows, actions in ((2, 3), (5, 5), (1, 3), (ROWS, ACTIONS)):
        q, taken, targets = _batch(rng, rows, actions)
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
    for rows, actions in ((2, 3), (ROWS, ACTIONS), (ROWS, ACTIONS)):
        q, taken, targets = _batch(rng, rows, actions)
        delta = float(rng.uniform(1.5, 4.0))
        size = _size(q, taken, targets)
        values.append([student.huber_loss(q, taken, targets, delta)])
        scales.append([(size * (size + delta)).mean()])
        cotangent = np.asarray(rng.uniform(0.5, 2.0))
        (grad,) = student.vjp("huber_loss", (q, taken, targets, delta), (0,), cotangent)
        values.append(grad.ravel())
        scales.append(_at_taken(cotangent * size / rows, taken, actions).ravel())
    return {"value": np.concatenate(values), "value__scale": np.concatenate(scales)}


def direction(student, rng):
    """The step in q that the slide's bracket stands for."""
    values, scales = [], []
    for rows, actions in ((2, 3), (5, 5), (ROWS, ACTIONS)):
        q, taken, targets = _batch(rng, rows, actions)
        values.append(student.update_direction(q, taken, targets).ravel())
        size = _size(q, taken, targets) / rows
        scales.append(_at_taken(size, taken, actions).ravel())
    return {"value": np.concatenate(values), "value__scale": np.concatenate(scales)}


def _played(rng, rows):
    """(phi, actions, rewards, phi_next, discounts) of a batch; a third has no future."""
    phi, phi_next = rng.normal(0.0, 1.0, (2, rows, FEATURES))
    discounts = rng.uniform(0.7, 0.95) * (rng.permutation(rows) % 3 > 0)
    return phi, rng.integers(0, ACTIONS, rows), rng.normal(0.0, 2.0, rows), phi_next, discounts


def _error_size(weights, target_weights, played):
    """Per transition the sum of absolute terms of y - Q(s, a), whichever actions are best."""
    phi, taken, rewards, phi_next, discounts = played
    next_size = discounts * (np.abs(phi_next) @ target_weights).max(1)
    return np.abs(rewards) + next_size + (np.abs(phi) @ weights)[np.arange(len(taken)), taken]


def shared_weights(student, rng):
    """One matrix of weights for values and targets; its gradient is not that of the residual."""
    values, sizes, grads, grad_sizes = [], [], [], []
    for rows in (ROWS, 7):
        weights, played = rng.normal(0.0, 1.0, (FEATURES, ACTIONS)), _played(rng, rows)
        values.append(student.td_loss_linear(weights, *played))
        size = _error_size(np.abs(weights), np.abs(weights), played)
        sizes.append((size**2).mean())
        cotangent = np.asarray(rng.uniform(0.5, 2.0))
        (grad,) = student.vjp("td_loss_linear", (weights, *played), (0,), cotangent)
        grads.append(grad)
        per_feature = (2 * cotangent * size[:, None] * np.abs(played[0])).mean(0)
        grad_sizes.append(np.broadcast_to(per_feature[:, None], weights.shape))
    return {
        "value": np.array(values),
        "value__scale": np.array(sizes),
        "grad": np.stack(grads),
        "grad__scale": np.stack(grad_sizes),
    }


def _values(student, values):
    """Flat, if there is one an action: the contract of a method does not know the weights."""
    if values.shape[1] != ACTIONS:
        student.refuse(f"values of {values.shape[1]} actions; the weights have {ACTIONS} columns")
    return values.ravel()


def learner(student, rng):
    """Two learners at once, with other periods: both networks' values before and after each step.

    The scale follows the absolute values through the same updates.
    """
    probe = rng.normal(0.0, 1.0, (6, FEATURES))
    rate, periods = float(rng.uniform(0.03, 0.06)), (3, 2)
    weights = rng.normal(0.0, 1.0, (2, FEATURES, ACTIONS))
    learners = [student.new("Learner", weights[i], rate, periods[i]) for i in range(2)]
    sizes = {"online": np.abs(weights), "target": np.abs(weights)}
    found: dict[str, list] = {"online": [], "target": [], "online__scale": [], "target__scale": []}
    for count in range(8):
        for i, one in enumerate(learners):
            if count:
                played = _played(rng, 16)
                size = _error_size(sizes["online"][i], sizes["target"][i], played)
                found["online"].append([one.step(*played)])
                found["online__scale"].append([(size**2).mean()])
                sizes["online"][i] += 2 * rate * (size @ np.abs(played[0]) / len(size))[:, None]
                if count % periods[i] == 0:
                    sizes["target"][i] = sizes["online"][i]
            found["target"].append(_values(student, one.target_values(probe)))
            found["online"].append(_values(student, one.online_values(probe)))
            for name, size in sizes.items():
                found[f"{name}__scale"].append((np.abs(probe) @ size[i]).ravel())
    return {name: np.concatenate(arrays) for name, arrays in found.items()}
