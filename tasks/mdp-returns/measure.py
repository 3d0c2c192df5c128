"""What is measured of mdp-returns: returns step by step, and logarithms of probabilities.

Every function is called with the smallest sizes and the largest, with γ = 0, γ = 1 and γ between,
with every length of an episode, with ordinary numbers and with numbers from all of the domain, and
with each argument changed alone. A scale is the sum of the absolute terms of the episode.
"""

import numpy as np

TINY = 1e-290  # the scale where every term is 0


def _joined(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def example(student, rng):
    return {"agrees": student.example()}


def _gammas(rng):
    """0 and 1, .9, numbers between, and numbers very near both ends."""
    near = 10 ** rng.uniform(-10.0, -8.0, 2)
    between = rng.uniform(0.05, 0.99, 6)
    return [float(g) for g in (between[0], *between, 0.9, near[0], 1 - near[1], 0.0, 1.0)]


def _rewards(student, rng, place, *shape):
    """From all of the domain, small, whole numbers, or of very different sizes."""
    kind = place % 4
    if kind == 0:
        return rng.normal(size=shape)
    if kind == 1:
        return student.domain.draw(rng, "rewards", *shape)
    if kind == 2:
        return rng.integers(-3, 4, shape).astype(float)
    return rng.normal(size=shape) * 10.0 ** rng.integers(-8, 3, shape)


def _near_one(rng):
    return float(1 - 10 ** rng.uniform(-10.0, -8.0))


def _moved(rng, array):
    """The entries of every row, or of a vector, in other places, but for the first and the last."""
    array = array.copy()
    array[..., 1:-1] = rng.permuted(array[..., 1:-1], axis=-1)
    return array


def _returns_scale(rewards, episode, gamma):
    """Σ γ^max(t' - t, 0) |r_t'| over the episode of step t: earlier rewards count whole."""
    t = np.arange(len(rewards))
    ahead = np.maximum(t[None, :] - t[:, None], 0)
    same = episode[:, None] == episode[None, :]
    return (gamma**ahead * same) @ np.abs(rewards) + TINY


def _streams(student, rng):
    """(rewards, ends, γ): many episodes, one of the whole stream, none that ends."""
    least, most = student.domain.sizes("t")
    cases, place = [], 0
    for gamma in _gammas(rng):
        fixed = (9, 9) if place == 0 else ()
        sizes = (*fixed, int(rng.integers(5, most)), most, 2, least)
        for t in sizes:
            ends = rng.random(t) < rng.choice([0.15, 0.3, 0.6])
            if place > 2 and rng.random() < 0.3:
                ends = np.full(t, rng.random() < 0.3)
            if place > 2:
                ends[-1] = rng.random() < 0.5
            if place < 2:
                ends = np.roll(np.arange(t) % 4 == 1 + place, place)
            cases.append((_rewards(student, rng, place, t), ends, gamma))
            place += 1
    for t in (least, most):
        for end in (False, True):
            gamma = float(rng.uniform(0.2, 0.45))  # weights of the longest sums next to 0
            cases.append((student.domain.draw(rng, "rewards", t), np.full(t, end), gamma))
    one = np.zeros(most, bool)
    one[-1] = True
    cases.append((student.domain.draw(rng, "rewards", most), one, cases[0][2]))
    first = np.zeros(most, bool)
    first[0] = True
    cases.append((student.domain.draw(rng, "rewards", most), first, 1.0))
    # the same episodes beside others: huge rewards before and after tiny ones
    loud = np.where(np.arange(most) % 10 < 5, 1e3, 1e-9) * rng.uniform(0.5, 1, most)
    for gamma in (1.0, float(rng.uniform(0.5, 0.99))):
        cases.append((loud, np.arange(most) % 5 == 4, gamma))
    gamma = float(rng.uniform(0.3, 0.7))
    # one reward for every step; whole numbers and ends, and both in other places
    cases.append((np.full(most, rng.normal()), np.arange(most) % 9 == 6, _near_one(rng)))
    numbers, ends = rng.integers(-9, 10, most).astype(float), np.arange(most) % 7 == 5
    for rewards, places in ((numbers, ends), (_moved(rng, numbers), ends), (numbers, ends[::-1])):
        cases.append((rewards, places, gamma))
    alike = np.concatenate([cases[1][0][:-1], cases[0][0][-1:]])  # ends as the first one
    other = (alike, cases[1][1], gamma)
    return student.domain.replaced(cases[0], other, *cases[2:])


def stream(student, rng):
    cases = _streams(student, rng)
    found = [student.stream_returns(*case) for case in cases]
    scales = [_returns_scale(r, np.cumsum(e) - e, gamma) for r, e, gamma in cases]
    return {"returns": _joined(found), "returns__scale": _joined(scales)}


def _batches(student, rng):
    """(rewards, mask, γ): every length of an episode, padding that is not 0.

    The rows of some batches are of one length, with padding or without. Those of one have the same
    reward at every step; whole numbers, and lengths of rows, come again in other places.
    """
    (b_least, b_most), (t_least, t_most) = map(student.domain.sizes, "bt")
    cases, place = [], 0
    for turn, gamma in enumerate(_gammas(rng)):
        fixed = ((4, 6), (4, 6)) if place == 0 else ()
        middle = int(rng.integers(2, b_most)), int(rng.integers(3, t_most))
        square = (int(rng.integers(2, min(b_most, t_most))),) * 2
        for b, t in (*fixed, middle, square, (b_least, t_most), (3, 1), (b_least, t_least)):
            lengths = rng.integers(1, t + 1, (b, 1))
            if (b, t) == middle and turn % 3 < 2:
                lengths = np.full((b, 1), (rng.integers(1, t), t)[turn % 3])
            if b == b_least and turn % 2 == 0:
                lengths = np.full((b, 1), t)
            cases.append((_rewards(student, rng, place, b, t), np.arange(t) < lengths, gamma))
            place += 1
        every = rng.permutation(np.arange(b_most) % t_most)[:, None] + 1
        rewards = student.domain.draw(rng, "rewards", b_most, t_most)
        cases.append((rewards, np.arange(t_most) < every, gamma))
    rewards = np.repeat(rng.normal(size=(3, 1)), t_most, axis=1)
    cases.append((rewards, np.arange(t_most) < np.array([[t_most], [9], [2]]), _near_one(rng)))
    rewards = rng.integers(-9, 10, (4, 8)).astype(float)
    full, lengths = np.full((4, 8), True), np.array([[5], [7], [2], [5]])
    cases += [(each, full, 0.75) for each in (rewards, _moved(rng, rewards))]
    cases += [(rewards, np.arange(8) < each, 0.75) for each in (lengths, lengths[[0, 2, 1, 3]])]
    steps = cases[0][1].sum(axis=1)
    steps = np.where(steps < 5, steps + 2, steps - 3)  # others, and never one alone
    other = (cases[1][0], np.arange(6) < steps[:, None], float(rng.uniform(0.3, 0.7)))
    return student.domain.replaced(cases[0], other, *cases[2:])


def padded(student, rng):
    cases = _batches(student, rng)
    found = [student.padded_returns(*case) for case in cases]
    scales = []
    for rewards, mask, gamma in cases:
        rows = zip(rewards * mask, mask, strict=True)
        scales += [_returns_scale(row, ~kept, gamma) for row, kept in rows]
    return {"returns": _joined(found), "returns__scale": _joined(scales)}


def whole(student, rng):
    cases = _batches(student, rng)
    found = [student.trajectory_return(*case) for case in cases]
    scales = [np.abs(r * m) @ gamma ** np.arange(r.shape[1]) + TINY for r, m, gamma in cases]
    return {"total": _joined(found), "total__scale": _joined(scales)}


def _positive(rng, *shape):
    """Probabilities along the last axis, none of them 0."""
    return 0.1 / shape[-1] + 0.9 * rng.dirichlet(np.ones(shape[-1]), shape[:-1])


def _walk(rng, mask, start, policy, transitions):
    """States, actions and last states of trajectories that occur; anything in the padding."""
    s, a = policy.shape
    b, t = mask.shape
    states, actions = rng.integers(s, size=(b, t)), rng.integers(a, size=(b, t))
    last = np.empty(b, dtype=np.int64)
    for i, length in enumerate(mask.sum(axis=1)):
        state = rng.choice(s, p=start)
        for step in range(length):
            states[i, step] = state
            actions[i, step] = rng.choice(a, p=policy[state])
            state = rng.choice(s, p=transitions[state, actions[i, step]])
        last[i] = state
    return states, actions, last


def _ruled_out(rng, table):
    """A trajectory that a single 0 rules out: of `start` (0), `policy` (1) or `transitions` (2)."""
    b, t, s, a = (int(rng.integers(2, most)) for most in (6, 9, 6, 5))
    tables = [_positive(rng, *n) for n in ((s,), (s, a), (s, a, s))]
    mask = np.arange(t) < rng.integers(1, t + 1, (b, 1))
    states, actions, last = _walk(rng, mask, *tables)
    step = int(rng.integers(mask[0].sum()))
    after = last[0] if step == mask[0].sum() - 1 else states[0, step + 1]
    used = ((states[0, 0],), (states[0, step], actions[0, step]))
    tables[table][(*used, (*used[1], after))[table]] = 0.0
    tables[table] /= tables[table].sum(axis=-1, keepdims=True)
    return states, actions, last, mask, *tables


def _rare(rng, b, t, least, most):
    """Trajectories whose every step is so rare that no float64 holds the whole probability.

    A factor is 10^least to 10^most.
    """
    rare = 10.0 ** rng.uniform(least, most, 7)
    start, policy, transitions = np.array([rare[0], 1 - rare[0]]), np.empty((2, 2)), rare[3:]
    policy[:, 1], policy[:, 0] = rare[1:3], 1 - rare[1:3]
    transitions = np.stack([transitions, 1 - transitions], axis=1).reshape(2, 2, 2)
    mask = np.ones((b, t), bool)
    states, last = np.zeros((b, t), np.int64), np.zeros(b, np.int64)
    return states, np.ones((b, t), np.int64), last, mask, start, policy, transitions


def _certain(rng, table):
    """Trajectories of which one table is of zeros and ones: the first two occur, others may not."""
    b, t, s, a = 6, 4, 3, 3
    tables = [_positive(rng, *n) for n in ((s,), (s, a), (s, a, s))]
    tables[table] = np.eye(tables[table].shape[-1])[tables[table].argmax(axis=-1)]
    mask = np.arange(t) < rng.integers(1, t + 1, (b, 1))
    walk = _walk(rng, mask, *tables)
    for each, most in zip(walk, (s, a, s), strict=True):
        each[2:] = rng.integers(most, size=each[2:].shape)
    return *walk, mask, *tables


def _paths(student, rng):
    """Arguments of log_prob: of trajectories that occur, and of some that cannot."""
    names = ("b", "t", "s", "a")
    (b, b_most), (t, t_most), (s, s_most), (a, a_most) = map(student.domain.sizes, names)
    sizes = [(4, 3, 4, 2), (4, 3, 4, 2), (b, t, s, a), (b, t_most, s_most, a_most), (3, t, 3, 2)]
    sizes += [(b_most, t_most, 2, a_most), (4, 3, 3, 3), (3, 3, 3, 3), (2, 4, s, 3), (5, 6, 3, a)]
    for _ in range(8):
        sizes.append(tuple(student.domain.size(rng, name) for name in names))
    cases = []
    for place, (b, t, s, a) in enumerate(sizes):
        start, policy, transitions = (_positive(rng, *n) for n in ((s,), (s, a), (s, a, s)))
        if place > 1 and place % 2 == 0:
            start = student.domain.draw(rng, "start", s)
            policy = student.domain.draw(rng, "policy", s, a)
            transitions = student.domain.draw(rng, "transitions", s, a, s)
        mask = np.arange(t) < rng.integers(1, t + 1, (b, 1))
        if place > 1 and place % 4 == 3:
            mask = np.ones((b, t), bool)
        if place in (9, 13, 17):
            mask[:] = mask[0]
        if place > 1 and place % 3 == 2:
            walk = tuple(rng.integers(n, size=z) for n, z in ((s, (b, t)), (a, (b, t)), (s, b)))
        else:
            walk = _walk(rng, mask, start, policy, transitions)
        cases.append((*walk, mask, start, policy, transitions))
    cases += [_ruled_out(rng, table) for table in (0, 1, 2) for _ in range(3)]
    cases.append(_rare(rng, int(rng.integers(2, 9)), t_most, -12.0, -8.0))
    cases.append(_rare(rng, int(rng.integers(2, 9)), int(rng.integers(5, 9)), -290.0, -170.0))
    cases.append(_rare(rng, 2, 2, -307.5, -301.0))
    cases += [_certain(rng, table) for table in (0, 1, 2)]
    full = cases[5]  # the most steps; each argument again with its entries in other places
    for place, array in enumerate(full):
        moved = np.roll(array, 1, axis=-1)
        if place == 3:
            moved = np.concatenate([array[:1], array[:0:-1]])
        elif place < 3:
            moved = _moved(rng, array)
        cases.append((*full[:place], moved, *full[place + 1 :]))
    first, second, *others = cases
    return student.domain.replaced(first, second, *others)


def _log_terms(states, actions, last, mask, start, policy, transitions):
    """1 and the sum of the absolute terms of ln p(τ), [b]; terms that are infinite need none."""
    following = np.concatenate([states[:, 1:], last[:, None]], axis=1)
    final = np.arange(mask.shape[1]) == mask.sum(axis=1, keepdims=True) - 1
    following = np.where(final, last[:, None], following)
    factors = np.stack([policy[states, actions], transitions[states, actions, following]])
    factors = np.where(mask, factors, 1.0)
    factors = np.concatenate([factors.transpose(1, 0, 2).reshape(len(states), -1),
                              start[states[:, :1]]], axis=1)
    return 1 + np.abs(np.log(np.where(factors > 0, factors, 1.0))).sum(axis=1)


def probability(student, rng):
    cases = _paths(student, rng)
    found = [student.log_prob(*case) for case in cases]
    return {"log_p": _joined(found), "log_p__scale": _joined(_log_terms(*case) for case in cases)}


def _episodes(start, transitions, actions, terminal, steps):
    """All (states, actions) of episodes that end in a terminal state, or after `steps` steps."""
    open_, done = [((s,), ()) for s in range(len(start))], []
    for _ in range(steps):
        longer = [
            ((*states, after), (*taken, a))
            for states, taken in open_
            for a in range(actions)
            for after in np.flatnonzero(transitions[states[-1], a])
        ]
        done += [path for path in longer if terminal[path[0][-1]]]
        open_ = [path for path in longer if not terminal[path[0][-1]]]
    return done + open_


def enumerated(student, rng):
    """ln p(τ) of all episodes of two MDPs, some shorter than others: [2, outcomes], filled up."""
    rows = []
    for s, a, steps, zeros in ((3, 2, 4, False), (3, 3, 3, True)):
        start, policy, transitions = (_positive(rng, *n) for n in ((s,), (s, a), (s, a, s)))
        terminal = np.arange(s) == int(rng.integers(s))
        start = np.where(terminal, 0.0, start)
        start = start / start.sum()
        if zeros:
            transitions[:, :, int(rng.integers(s))] = 0.0
            transitions = transitions / transitions.sum(axis=2, keepdims=True)
        begun = [p for p in _episodes(start, transitions, a, terminal, steps) if start[p[0][0]] > 0]
        states = rng.integers(s, size=(len(begun), steps))
        actions = rng.integers(a, size=(len(begun), steps))
        mask = np.zeros((len(begun), steps), bool)
        for i, (path, taken) in enumerate(begun):
            states[i, : len(taken)], actions[i, : len(taken)] = path[:-1], taken
            mask[i, : len(taken)] = True
        last = np.array([path[-1] for path, _ in begun])
        pieces = []
        most = student.domain.sizes("b")[1]
        for at in range(0, len(begun), most):
            part = slice(at, at + most)
            case = states[part], actions[part], last[part], mask[part]
            pieces.append(student.log_prob(*case, start, policy, transitions))
        rows.append(_joined(pieces))
    width = max(map(len, rows))
    return {
        "log_p": np.stack([np.pad(r, (0, width - len(r)), constant_values=-np.inf) for r in rows])
    }
