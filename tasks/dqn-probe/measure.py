"""What is measured of dqn-probe: a record as a replay memory stores it, and values against Q*.

What trains does so on instances of small MDPs, drawn for the seed, whose Q* the environments know.
A seed comes to one number, the largest error of all values in units of the largest of |Q*|.
"""

import numpy as np

EPISODES = 32  # side by side
#: By probe: calls of env.step, the discounts it is drawn from, and after how many steps an episode
#: is cut off, all from a least to a most.
SETTINGS = {
    "time-limit": (300, (0.8, 0.9), (5, 10)),
    "auto-reset": (200, (0.6, 0.9), (100, 100)),
    "two-step": (150, (0.3, 0.7), (100, 100)),
    "chance": (200, (0.8, 0.95), (100, 100)),
    "action-reward": (100, (0.5, 0.9), (100, 100)),
    "four-states": (300, (0.8, 0.95), (100, 100)),
}


def example(student, rng):
    """The worked example of the statement."""
    del rng
    return {"agrees": student.example()}


def _record(student, rng, t, n, o, share=0.4):
    """The arguments of one call: (first, actions, rewards, arrived, terminated, truncated).

    An episode that ends has terminated, was cut off, or both; the step after its end never ends
    one, and pays 0 as one transition in five does.
    """
    ended = rng.random((t, n)) < share
    for row in range(1, t):
        ended[row] &= ~ended[row - 1]
    how = rng.integers(3, size=(t, n))
    draw = student.domain.draw
    unpaid = rng.random((t, n)) < 0.2
    unpaid[1:] |= ended[:-1]
    return (
        draw(rng, "first", n, o),
        rng.permutation(np.resize([0, 17, *rng.integers(0, 18, t * n)], t * n)).reshape(t, n),
        np.where(unpaid, 0.0, draw(rng, "rewards", t, n)),
        draw(rng, "arrived", t, n, o),
        ended & (how != 1),
        ended & (how != 0),
    )


def _swapped(student, first, second):
    """Calls in each of which one argument more is new; a flag alone is one that is never set.

    Flags of the other record come both at once, so that resets stay apart. Where one record resets,
    both pay 0, so that rewards need not change with the flags.
    """
    for record in (first, second):
        ended = record[4] | record[5]
        for rewards in (first[2], second[2]):
            rewards[1:][ended[:-1]] = 0.0
    rest = student.domain.replaced(first[:4], second[:4], alike="axes")
    calls = [second, *((*each, *first[4:]) for each in rest)]
    *rest, terminated, truncated = calls[-1]
    calls += [(*rest, terminated & False, truncated), (*rest, terminated, truncated & False)]
    return [*calls, (*rest, *second[4:]), first]


def _few(student, rng):
    """Records of few states, actions and rewards, so that one transition comes more than once.

    They differ in their flags alone: as many in other episodes, and all episodes ending together.
    """
    first, actions, rewards, arrived, *flags = _record(student, rng, 30, 4, 1, 0.2)
    first, arrived = (np.where(part > 0, 1.0, 0.0) for part in (first, arrived))
    moved = [np.roll(flag, 1, axis=1) for flag in flags]
    ends, falls = np.arange(30)[:, None] % 4 == 0, rng.random((30, 4)) < 0.5
    ways = flags, moved, [ends & falls, ends & ~falls]
    for terminated, truncated in ways:
        rewards[1:][(terminated | truncated)[:-1]] = 0.0
    return [(first, actions % 2, np.sign(rewards), arrived, *way) for way in ways]


def _filled(rows, size):
    """The first rows of an array of so many, zeros after them."""
    whole = np.zeros((size, *rows.shape[1:]))
    whole[: len(rows)] = rows
    return whole.ravel()


def record(student, rng):
    """Records of many sizes: without an end, full of ends, one step, one episode, one component."""
    (n, t, o), (n_most, t_most, o_most) = zip(*map(student.domain.sizes, "nto"), strict=True)
    sizes = (
        (2, 3, 2, 0.5),
        (t, n_most, o, 0.5),
        (t, n, o, 1.0),
        (t, n, o_most, 0.0),
        (t_most, n, 3, 0.4),
        (t_most, n_most, o_most, 0.15),
        (9, 4, 2, 1.0),
        (6, 5, 3, 0.0),
        (4, 4, 4, 0.7),
    )
    calls = [_record(student, rng, *size) for size in sizes]
    calls += _swapped(student, *(_record(student, rng, 7, 3, 2) for _ in range(2)))
    begun, *rest = (np.rint(part / 50) if part.dtype == float else part for part in calls[8])
    calls += [(begun, *rest), (np.concatenate([begun[:1], begun[:0:-1]]), *rest)]
    calls += _few(student, rng)
    stored, terminal = [], []
    for call in calls:
        *kept, done = student.transitions(*call)
        steps = call[1].size
        if len(done) > steps:
            student.refuse(f"transitions returned {len(done)} rows of a record of {steps} steps")
        stored += [np.array([len(done)]), *(_filled(part, steps) for part in kept)]
        terminal += [np.array([len(done)]), _filled(done, steps)]
    return {
        "stored": np.concatenate(stored, dtype=np.float64),
        "stored__scale": np.ones(1),
        "terminal": np.concatenate(terminal, dtype=np.float64),
        "terminal__scale": np.ones(1),
    }


def _values(student, learner, seen, actions):
    """The values of some observations, [rows actions]."""
    found = learner.q(seen)
    if found.shape[1] != actions:
        student.refuse(f"q returned values of {found.shape[1]} actions; there are {actions}")
    return found


def _asked(ask, seen, order, size):
    """The values of all rows, asked for in some order and in parts of a size: [rows a]."""
    parts = [order[first : first + size] for first in range(0, len(order), size)]
    return np.concatenate([ask(seen[part]) for part in parts])[np.argsort(order)]


def agent(student, rng):
    """Whether values of untrained agents depend on their row alone, whenever they are asked for.

    Values of one row may differ by rounding of float32.
    """
    ranges = map(student.domain.sizes, ("b", "o", "actions"))
    (_, o, a), (b_most, o_most, a_most) = zip(*ranges, strict=True)
    found, asked = [], []

    def ask(seen, actions):
        learner = student.new("Agent", seen.shape[1], actions, student.generator())
        asked.append((learner, seen, actions, _values(student, learner, seen, actions)))
        found.extend(_steady(student, rng, learner, seen, actions))

    for rows, width, actions in ((b_most, o, a), (16, o_most, a_most), (7, 2, 3), (40, 5, 2)):
        seen = student.domain.draw(rng, "q.observations", rows, width)
        seen[2], seen[3], seen[4] = seen[1], 0.0, 1.0  # equal rows; zeros and equal numbers in one
        ask(seen, actions)
    for _ in range(2):  # states of a table, whose sums are alike; two agents of the same sizes
        ask(np.eye(9), 3)
    # each again, after the others
    found += [np.array_equal(_values(student, *each), values) for *each, values in asked]
    return {"alike": np.array(found)}


def _steady(student, rng, learner, seen, actions):
    """Whether rows have the same values again, alone, in other orders and in other company."""

    def ask(part):
        return _values(student, learner, part, actions)

    rows, least = len(seen), student.domain.sizes("b")[0]
    single = _asked(ask, seen, np.arange(rows), least)
    first = ask(seen)
    allowed = 1e-5 * (1 + np.abs(first).max())
    sizes = (least, rows, *rng.integers(1, rows + 1, 3))
    asked = [_asked(ask, seen, rng.permutation(rows), int(size)) for size in sizes]
    within = np.concatenate([[0], rng.permutation(np.arange(1, rows - 1)), [rows - 1]])
    asked.append(_asked(ask, seen, within, rows))  # first and last row where they were
    same = [(np.abs(again - first) <= allowed).all() for again in (single, *asked)]
    return [np.array_equal(ask(seen), first), *same]


def _error(student, rng, name):
    """The error after one seed of learning: max |q - Q*| / max |Q*| over what can be met.

    Values are asked for all at once, and row by row.
    """
    steps, gammas, lengths = SETTINGS[name]
    gamma, length = float(rng.uniform(*gammas)), int(rng.integers(lengths[0], lengths[1] + 1))
    probe = student.environment(name, rng)
    env = probe.vector(rng, EPISODES, length)
    served = student.serve(env, probe.observation_shape, probe.actions, EPISODES * steps)
    learner = student.new("Agent", *probe.observation_shape, probe.actions, student.generator())
    learner.learn(served, steps, gamma, student.generator())
    right = probe.values(gamma)
    rows = [probe.observations, *probe.observations[:, None]]
    found = np.concatenate([_values(student, learner, part, probe.actions) for part in rows])
    return np.abs(found - np.concatenate([right, right])).max() / np.abs(right).max()


def time_limit(student, rng):
    """A constant reward c: c / (1 - γ), where truncation as termination reads about half of it."""
    return {"time_limit": np.asarray(_error(student, rng, "time-limit"))}


def auto_reset(student, rng):
    """Episodes that end in an ordinary state, which a reset leaves."""
    return {"auto_reset": np.asarray(_error(student, rng, "auto-reset"))}


def short_episodes(student, rng):
    """Episodes of one and of two steps; the largest error of three agents."""
    found = [_error(student, rng, name) for name in ("action-reward", "two-step", "chance")]
    return {"short_episodes": np.max(found)}


def four_states(student, rng):
    """CS234's environment, with its numbers drawn anew."""
    return {"four_states": np.asarray(_error(student, rng, "four-states"))}
