"""What is measured of q-learning-tabular: updates, probabilities, records, and who learns.

A world is a vector of copies of one drawn MDP, behind Gymnasium's interface, that writes down what
is played. So `learn` can be held to the program's own `q_replay` of the record, which another check
compares with the reference. The scale S is the sum of the absolute terms, or a bound on it.
"""

import numpy as np

# the smallest and the largest of each axis, others, and one size twice
TABLES = ((1, 1, 1), (40, 16, 6), (1, 16, 6), (40, 1, 6), (40, 16, 1), (5, 5, 5), (7, 3, 2))
COPIES, STEPS, LIMIT, SIDE = 32, 1000, 3, 4  # where it learns
EPSILON, OMEGA = 0.8, 0.9
MOVES = ((0, 1), (0, -1), (-1, 0), (1, 0))


def _joined(name, found, scales):
    """All values and all scales in one row each."""
    return {
        name: np.concatenate([np.ravel(part) for part in found]),
        f"{name}__scale": np.concatenate([np.ravel(part) for part in scales]),
    }


def example(student, rng):
    """The worked example of the statement."""
    del rng
    return {"agrees": student.example()}


def _rows_alike(first, second):
    """The first row of a call in all rows, but with one argument of the second call in each."""
    rows = [np.repeat(part[:1], len(first) + 1, axis=0) for part in first]
    for place, part in enumerate(second):
        rows[place][place + 1] = part[0]
    return tuple(rows)


def _near_ends(rng, count):
    """Numbers close to 0 in even places, close to 1 in odd ones."""
    near = 10 ** rng.uniform(-9.0, -7.0, count)
    return np.where(np.arange(count) % 2 == 0, near, 1 - near)


# --- one transition, and the behaviour ---------------------------------------------------------


def _transitions(student, rng, b, s, a, *, wide=False):
    """Tables and a transition of each; `wide` ones are from all of the domain.

    A third of the next states has negative values alone, far below 0 in wide tables; a third is the
    state itself.
    """
    if wide:
        table, reward = (student.domain.draw(rng, *of) for of in (("Q", b, s, a), ("reward", b)))
    else:
        table, reward = rng.normal(0.0, 3.0, (b, s, a)), rng.normal(0.0, 3.0, b)
    state, action, following = rng.integers(0, s, b), rng.integers(0, a, b), rng.integers(0, s, b)
    following = np.where(np.arange(b) % 3 == 1, state, following)
    below = np.flatnonzero(np.arange(b) % 3 == 2)
    table[below, following[below]] = -np.abs(table[below, following[below]])
    if wide:
        table[below, following[below]] = -1e3 * rng.uniform(0.9, 1.0, (len(below), a))
    terminated = rng.permutation(np.arange(b) % 2 == int(rng.integers(2)))
    alpha, gamma = rng.uniform(0.02, 1.0, (2, b))
    if b > 4:
        alpha[rng.permutation(b)[:2]], gamma[rng.permutation(b)[:2]] = (0.0, 1.0), (0.0, 1.0)
    return table, state, action, reward, following, terminated, alpha, gamma


def _whole(student, rng):
    """Transitions of small whole numbers, most of which meet others that are equal.

    In row 0 the best action leads to its own state, in row 1 an end pays nothing.
    """
    call = _transitions(student, rng, 12, 4, 3)
    table, state, action, reward, following, terminated, *rates = call
    table[:], reward[:] = np.rint(table), rng.integers(-1, 2, 12)
    table[0, state[0], action[0]] = np.abs(table[0]).max() + 1.0
    table[1] += 20.0
    following[0], reward[:2], terminated[:2] = state[0], 0.0, (False, True)
    for rate in rates:
        rate[:2] = 0.5
    return call


def _beginning(student, rng):
    """Few learners at different places, then the same with tables of zeros, and without reward."""
    call = _transitions(student, rng, 3, 8, 5)
    apart = rng.permutation(8)[:3], rng.permutation(5)[:3]
    call = (call[0], *apart, call[3], rng.permutation(8)[:3], *call[5:])
    zeros = 0 * call[0], *call[1:]
    return [call, zeros, (*zeros[:3], 0 * call[3], *call[4:]), (*call[:3], 0 * call[3], *call[4:])]


def update(student, rng):
    """Tables after a transition: all sizes, the whole domain, and each argument changed alone.

    So it is from call to call, and from row to row of one call. Some tables are of one sign, or 0.
    """
    calls = [_transitions(student, rng, *size) for size in TABLES] + _beginning(student, rng)
    for size in (int(rng.integers(2, 40)) for _ in range(3)):
        s, a = int(rng.integers(2, 17)), int(rng.integers(2, 7))
        calls.append(_transitions(student, rng, size, s, a))
    calls += [_transitions(student, rng, 1, 4, 3) for _ in range(4)]
    b, s, a = int(rng.integers(4, 9)), int(rng.integers(3, 9)), int(rng.integers(3, 7))
    first, second = (_transitions(student, rng, b, s, a) for _ in range(2))
    first[5][0] = False
    moved = (first[1] + 1) % s, (first[2] + 1) % a  # in every row
    second = (second[0], *moved, second[3], (first[4] + 1) % s, ~first[5], *second[6:])
    calls += [*student.domain.replaced(first, second, alike="axes"), _rows_alike(first, second)]
    calls += student.domain.one_sided(first)
    calls += [_transitions(student, rng, *size, wide=True) for size in ((40, 16, 6), (9, 4, 3))]
    calls.append(_whole(student, rng))
    rates = _near_ends(rng, 16), rng.permutation(_near_ends(rng, 16))
    calls.append((*_transitions(student, rng, 16, 4, 3)[:6], *rates))
    found, scales = [], []
    for call in calls:
        table, state, action, reward, following, _, alpha, gamma = call
        found.append(student.q_update(*call))
        row = np.arange(len(table))
        size = np.abs(table)
        step = np.abs(reward) + gamma * size[row, following].max(1) + size[row, state, action]
        size[row, state, action] += alpha * step
        scales.append(size)
    return _joined("table", found, scales)


def _tied(rng, b, s, a):
    """Tables in whose rows any number of actions shares the maximum, by no hair's breadth more.

    Others lie below it by any share of its size, some by the last digit alone.
    """
    count = rng.permutation(np.arange(b * s) % a) + 1
    best = rng.permuted(np.arange(a) < count[:, None], axis=1)
    top = 10 ** rng.uniform(-3.0, 2.6, (b * s, 1)) * rng.choice([-1.0, 1.0], (b * s, 1))
    top[rng.random(b * s) < 0.15] = 0.0
    below = 10 ** rng.uniform(-11.0, 0.0, best.shape) * np.maximum(np.abs(top), 1e-3)
    hair = rng.random(best.shape) < 0.25
    others = np.where(hair, np.nextafter(top, -np.inf), top - below)
    return np.where(best, top, np.minimum(others, np.nextafter(top, -np.inf))).reshape(b, s, a)


def behaviour(student, rng):
    """Probabilities of every action; below the maximum there is nothing but a share of ε."""
    calls = []
    for i, (b, s, a) in enumerate((*TABLES, (40, 3, 5), (40, 16, 6), (13, 4, 3))):
        epsilon = student.domain.draw(rng, "epsilon_greedy.epsilon", b)
        if b == 1:
            epsilon = np.array([(rng.uniform(0.1, 0.9), 0.0, 1.0)[i % 3]])
        calls.append((_tied(rng, b, s, a), rng.integers(0, s, b), epsilon))
    calls += [
        (_tied(rng, 1, 3, 4), rng.integers(0, 3, 1), np.array([epsilon]))
        for epsilon in (0.0, 1.0, rng.uniform(0.1, 0.9))
    ]
    b, s, a = int(rng.integers(4, 9)), int(rng.integers(3, 9)), int(rng.integers(3, 7))
    first, second = ((_tied(rng, b, s, a), rng.uniform(0.05, 0.95, b)) for _ in "ab")
    state = rng.integers(0, s, b)
    pair = (first[0], state, first[1]), (second[0], (state + 1) % s, second[1])
    calls += [*student.domain.replaced(*pair, alike="axes"), _rows_alike(*pair)]
    wide = student.domain.draw(rng, "Q", 9, 4, 6)
    calls.append((wide, rng.integers(0, 4, 9), _near_ends(rng, 9)))
    apart, epsilon = rng.permutation(8)[:3], rng.uniform(0.05, 0.95, 3)  # every learner elsewhere
    calls += [(_tied(rng, 3, 8, 5), apart, epsilon), (np.zeros((3, 8, 5)), apart, epsilon)]
    found, scales = [], []
    for table, state, epsilon in calls:
        found.append(student.epsilon_greedy(table, state, epsilon))
        values = table[np.arange(len(table)), state]
        best = values == values.max(1, keepdims=True)
        scales.append(np.where(best, 1.0, epsilon[:, None] / values.shape[1]))
    return _joined("probability", found, scales)


# --- records -----------------------------------------------------------------------------------


def _record(student, rng, t, n, s, a, *, ends=0.3, wide=False, even=False, whole=False):
    """(Q, N, states, …, truncated, ω, γ): what follows an end is of another episode, and no end.

    With `whole`, values and rewards are small whole numbers.

    With `even`, episodes end in even steps only, so that flags of two records can be mixed.
    """
    flags = np.zeros((2, t, n), dtype=bool)
    for step in range(t):
        running = ~flags[:, step - 1].any(0) if step else np.ones(n, dtype=bool)
        flags[:, step] = (rng.random((2, n)) < ends) & running & (step % 2 == 0 or not even)
    if wide:
        table, reward = (student.domain.draw(rng, *of) for of in (("Q", s, a), ("rewards", t, n)))
        count = np.rint(student.domain.draw(rng, "N", s, a)).astype(np.int64)
        table[1::3] = -1e3 * rng.uniform(0.9, 1.0, table[1::3].shape)
        table[0, :2] = rng.permutation([-1e3, 1e3])
    else:
        table, reward = rng.normal(0.0, 3.0, (s, a)), rng.normal(0.0, 3.0, (t, n))
        count = rng.integers(0, rng.integers(1, 30), (s, a))
    if whole:
        table, reward = np.rint(table), rng.integers(-1, 2, (t, n)).astype(float)
    states = rng.integers(0, s, (t + 1, n))
    actions = rng.integers(0, a, (t, n))
    omega, gamma = (float(rng.uniform(0.1, 0.95)) for _ in range(2))
    return table, count, states[:-1], actions, reward, states[1:], *flags, omega, gamma


def _records(student, rng):
    """Records of all sizes; ω and γ at both ends; each argument changed alone."""
    edges = ((1, 1, 1, 1), (40, 32, 16, 6), (1, 32, 4, 3), (40, 1, 4, 3))
    twice = (4, 4, 4, 4), (2, 1, 3, 2)
    for size in (*edges, *twice, *twice, (12, 5, 2, 1), (12, 5, 1, 3)):
        yield _record(student, rng, *size)
    for _ in range(3):
        t, n, s, a = (int(rng.integers(2, most)) for most in (40, 9, 16, 6))
        yield _record(student, rng, t, n, s, a)
    for omega, gamma in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)):
        yield *_record(student, rng, 15, 3, 3, 2, whole=omega != gamma)[:-2], omega, gamma
    for rates in (_near_ends(rng, 2), _near_ends(rng, 2)[::-1]):
        yield *_record(student, rng, 15, 3, 3, 2)[:-2], *(float(rate) for rate in rates)
    for ends in (0.0, 1.0):
        yield _record(student, rng, 20, 4, 6, 3, ends=ends, whole=True)
    for n, a in ((8, 6), (11, 2)):
        yield _record(student, rng, 40, n, 16, a, wide=True)
    t, n, s, a = (int(rng.integers(*ends)) for ends in ((6, 12), (3, 6), (3, 8), (3, 6)))
    pair = [_record(student, rng, t, n, s, a, even=True) for _ in range(2)]
    yield from student.domain.replaced(*pair, alike="axes")


def replay(student, rng):
    """Tables and numbers of updates after records."""
    found, scales = [], []
    for call in _records(student, rng):
        found += student.q_replay(*call)
        table, reward = call[0], call[4]
        scales += [np.full(table.shape, np.abs(table).max() + np.abs(reward).sum())]
        scales.append(call[1] + 1.0)
    return _joined("table", found, scales)


# --- worlds ------------------------------------------------------------------------------------


class States:
    """The space of observations: numbers of states."""

    dtype = np.dtype(np.int64)


class World:
    """Copies of one MDP, and the record of what is played in them.

    A step from s by a leads to t with the probability chance[s, a, t], pays reward[s, a, t] and
    ends the episode where ends[s, a, t]; after `limit` steps it is cut off. The step after either
    ignores its action, pays 0 and leads to a first state.
    """

    single_observation_space = States

    def __init__(self, seed, copies, mdp, limit, starts):
        self._rng = np.random.default_rng(seed)
        self.chance, self.reward, self.ends = mdp
        self._below = self.chance.cumsum(2)[:, :, :-1]
        self.num_envs, self._limit, self._starts = copies, limit, np.asarray(starts)
        self.resets, self._steps = 0, []

    def reset(self, *, seed=None):
        del seed
        self.resets += 1
        self._state, self._age = self._first(), np.zeros(self.num_envs, dtype=int)
        self._over = np.zeros(self.num_envs, dtype=bool)
        return self._state.copy(), {}

    def step(self, actions):
        s, restarts = self._state, self._over
        u = self._rng.random((self.num_envs, 1))
        t = np.where(restarts, self._first(), (u > self._below[s, actions]).sum(1))
        reward = np.where(restarts, 0.0, self.reward[s, actions, t])
        self._age = np.where(restarts, 0, self._age + 1)
        terminated = self.ends[s, actions, t] & ~restarts
        truncated = (self._age >= self._limit) & ~restarts
        self._steps.append((s, actions.copy(), reward, t, terminated, truncated))
        self._state, self._over = t, terminated | truncated
        return t.copy(), reward, terminated, truncated, {}

    def record(self):
        """(states, actions, rewards, next states, terminated, truncated), each [t n]."""
        return tuple(np.stack(part) for part in zip(*self._steps, strict=True))

    def _first(self):
        return self._rng.choice(self._starts, self.num_envs)


class Still(World):
    """Every copy stays where it is, in the state of its number; nothing is to be learnt."""

    def __init__(self, copies, table):
        s, a = table.shape
        stay = np.tile(np.eye(s)[:, None], (1, a, 1))
        nowhere = np.zeros((s, a, s), dtype=bool)
        mdp = stay, np.tile(table[:, :, None], (1, 1, s)), nowhere
        super().__init__(0, copies, mdp, np.inf, range(s))

    def _first(self):
        return np.arange(self.num_envs) % len(self._starts)


def _mdp(rng, s, a):
    """Each step has up to three next states, and some of them end the episode."""
    chance = np.zeros((s, a, s))
    for row in chance.reshape(s * a, s):
        some = rng.permutation(s)[:3]
        row[some] = rng.dirichlet(np.ones(len(some)))
    return chance, rng.normal(0.0, 2.0, (s, a, s)), rng.random((s, a, s)) < 0.15


def _let_learn(student, world, table, steps, epsilon, omega, gamma, generator):
    """What `learn` returns in this world."""
    budget = world.num_envs * steps
    env = student.serve(world, (), table.shape[1], max_steps=budget)
    return student.learn(env, table, steps, epsilon, omega, gamma, generator)


class _Game:
    """A world with the arguments of a call of `learn`, made anew from the same seed each time."""

    def __init__(self, rng, s, a, n, steps, limit, *, epsilon=None, omega=None, gamma=None):
        self.seed, self.copies, self.mdp = int(rng.integers(2**31)), n, _mdp(rng, s, a)
        self.limit, self.steps, self.table = limit, steps, rng.normal(0.0, 3.0, (s, a))
        drawn = rng.uniform((0.2, 0.5, 0.3), (0.8, 0.9, 0.95))
        given = (epsilon, omega, gamma)
        self.rates = [float(d if g is None else g) for d, g in zip(drawn, given, strict=True)]

    def play(self, student, generator, *, table=None, steps=None, rates=None):
        """(world, arguments, results) of a call of `learn`."""
        table, steps = self.table if table is None else table, steps or self.steps
        rates = rates or self.rates
        world = World(self.seed, self.copies, self.mdp, self.limit, range(len(table)))
        results = _let_learn(student, world, table, steps, *rates, generator)
        return world, (table, steps, *rates), results


def _games(student, rng):
    """Plays of all sizes, with ends of ε, ω and γ, and with one argument changed at a time."""
    small = (1, 1, 1, 1, 1), (1, 2, 32, 40, 6)  # the second updates an entry many hundred times
    for size in (*small, (16, 6, 8, 40, 5), (2, 2, 8, 12, 1), (9, 4, 32, 12, 3)):
        yield _Game(rng, *size).play(student, student.generator())
    for rates in ({"omega": 0.0, "gamma": 1.0}, {"omega": 1.0, "gamma": 0.0}, {"epsilon": 1.0}):
        yield _Game(rng, 5, 3, 4, 25, 3, **rates).play(student, student.generator())
    wide = _Game(rng, 16, 6, 5, 20, 4)
    table = student.domain.draw(rng, "Q", 16, 6)
    yield wide.play(student, student.generator(), table=table)
    game, generator = _Game(rng, 4, 3, 3, 20, 4), student.generator()
    yield game.play(student, generator)
    for i in range(3):
        rates = list(game.rates)
        rates[i] *= 0.8
        yield game.play(student, generator, rates=rates)
    yield game.play(student, generator, table=-game.table)
    yield game.play(student, generator, steps=13)
    yield game.play(student, student.generator())
    yield game.play(student, generator)
    for size in ((6, 4, 3, 12, 5), (3, 3, 1, 12, 4)):
        yield _Game(rng, *size, epsilon=0.0).play(student, student.generator())


GREEDY = 2  # as many plays, the last ones, explore never


def _greedy(student, world, arguments, scale):
    """Whether every action attains the maximum of the table so far, up to rounding: bool [t n]."""
    table, _, _, *rates = arguments
    record = world.record()
    states, actions, *_, terminated, truncated = record
    found = []
    for t in range(len(states)):
        if t:
            none = np.zeros(table.shape, dtype=np.int64)
            now, _ = student.q_replay(table, none, *(part[:t] for part in record), *rates)
            restarts = terminated[t - 1] | truncated[t - 1]
        else:
            now, restarts = table, np.zeros(world.num_envs, dtype=bool)
        values = now[states[t]]
        behind = values.max(1) - values[np.arange(len(values)), actions[t]]
        found.append((behind <= 1e-9 * scale) | restarts)
    return np.array(found)


def _played_actions(student, world):
    """The actions [t n] of a record, which may not be empty."""
    if not world._steps:
        student.refuse("learn made no call of env.step()")
    return world.record()[1]


def _by_generator(student, rng):
    """Whether the generator decides where all actions are equal, for ε = 0, ½ and 1: bool.

    Two calls with one generator play the same, one with another generator does not.
    """
    found = []
    for epsilon, a in ((0.0, 5), (0.5, 4), (1.0, 6)):
        generator, other = student.generator(), student.generator()
        table = np.zeros((int(rng.integers(1, 4)), a))
        records = []
        for each in (generator, other, generator):
            world = Still(8, table)
            _let_learn(student, world, table, 10, epsilon, 0.6, 0.0, each)
            records.append(_played_actions(student, world))
        first, second, again = records
        found += [np.array_equal(first, again), not np.array_equal(first, second)]
    return np.array(found)


def played(student, rng):
    """`learn` against the program's own replay of the record, in a process that has not seen it."""
    plays = list(_games(student, rng))
    for world, *_ in plays:
        _played_actions(student, world)
    by_generator = _by_generator(student, rng)
    student.renew()
    found, scales, kept = [], [], []
    for i, (world, arguments, (learnt, counted)) in enumerate(plays):
        table, steps, _, *rates = arguments
        none = np.zeros(table.shape, dtype=np.int64)
        values, count = student.q_replay(table, none, *world.record(), *rates)
        found += [learnt - values, (counted - count).astype(float)]
        scale = np.abs(table).max() + steps * world.num_envs * np.abs(world.reward).max()
        scales += [np.full(table.shape, scale), np.ones(table.shape)]
        kept.append(np.array([len(world._steps) == steps, world.resets == 1]))
        if i >= len(plays) - GREEDY:
            kept.append(_greedy(student, world, arguments, scale).ravel())
    kept.append(by_generator)
    return _joined("difference", found, scales) | {"kept": np.concatenate(kept)}


def _rows(rng, best):
    """A table whose rows have so many best actions; what several share is 0.

    So it is in the first row, whose other actions are behind by a hair. In a still world a reward
    equals its value, so that 0 stays 0 exactly and what is below stays below, however an update is
    computed; other values may move by their last digit.
    """
    top = np.where(best.sum(1) > 1, 0.0, rng.uniform(-2.0, 2.0, len(best)))
    behind = rng.uniform(0.2, 3.0, best.shape)
    top[0], behind[0] = 0.0, 10 ** rng.uniform(-14.0, -11.0, best.shape[1])
    return np.where(best, top[:, None], top[:, None] - behind)


def _law(best, epsilon):
    """The probabilities [s 6] of the actions, padded with zeros."""
    a = best.shape[1]
    law = epsilon / a + (1 - epsilon) * best / best.sum(1, keepdims=True)
    return np.pad(law, ((0, 0), (0, 6 - a)))


def _in_pairs(values, joined):
    """Columns [t 2k] joined to [t k]: in even steps those k apart, in odd ones neighbours."""
    half = values.shape[1] // 2
    apart = joined(values[:, :half], values[:, half:])
    beside = joined(values[:, 0::2], values[:, 1::2])
    return np.where(np.arange(len(values))[:, None] % 2 == 0, apart, beside)


def acts(student, rng, n):
    """Actions of `learn` in worlds where the table never changes, and pairs of them: 11 columns.

    Four rows of one table, with one best action or several; six actions, exploring always; two
    rows, exploring seldom. Then, of two copies in one step and of one copy in two steps, whether
    each takes a best action; and whether two copies take the same, exploring or between equals. Two
    copies are neighbours or four apart, in one step after the other; where all explore always there
    are as many as where it learns, and they are neighbours or half as many apart.
    """
    found, laws = [], []

    def play(best, epsilon, steps, copies=8):
        table = _rows(rng, best)
        world = Still(copies, table)
        omega = float(rng.uniform(0.5, 1.0))
        _let_learn(student, world, table, steps, epsilon, omega, 0.0, student.generator())
        if len(world._steps) != steps:
            student.refuse(f"learn made {len(world._steps)} calls of env.step(), not {steps}")
        actions, states = world.record()[1], np.arange(copies) % len(best)
        for s in range(len(best)):
            found.append(actions[:, states == s].ravel()[:n])
        laws.append(_law(best, epsilon))
        return actions, best[states, actions].astype(int)

    epsilon = float(rng.uniform(0.45, 0.6))
    shared = np.array([[1, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]], dtype=bool)
    longest = student.domain.sizes("steps")[1]  # as many steps as draws
    equals, greedy = play(rng.permuted(shared, axis=1), epsilon, longest)
    single = np.eye(6, dtype=bool)[rng.integers(6, size=1)]
    explored, _ = play(single, 1.0, -(-2 * n // COPIES), COPIES)
    play(rng.permuted(shared[1:3], axis=1), float(rng.uniform(0.15, 0.3)), -(-n // 4))
    chance = np.array([epsilon * 2 / 3, 1 - epsilon * 2 / 3])
    copies = _in_pairs(greedy[:, [0, 1, 4, 5]], lambda first, second: 2 * first + second)
    steps = 2 * greedy[0::2, [0, 1, 4, 5]] + greedy[1::2, [0, 1, 4, 5]]
    same = _in_pairs(explored, np.equal), equals[:, 3] == equals[:, 7]
    found += [part.ravel()[:n].astype(int) for part in (copies, steps, *same)]
    pair = np.outer(chance, chance).ravel()
    twice = [np.array([1 - 1 / a, 1 / a, 0.0, 0.0]) for a in (6, 3)]
    laws.append(np.pad(np.stack([pair, pair, *twice]), ((0, 0), (0, 2))))
    return {"action": np.column_stack(found), "action__probabilities": np.concatenate(laws)}


# --- who learns --------------------------------------------------------------------------------


def grid(rng):
    """(mdp, ends): a slippery 4 × 4 grid with two ends, its states and its actions renumbered.

    The world pays a prize for the step into an end, minus a cost; ends is bool [s].
    """
    cells = SIDE**2
    place, order = rng.permutation(cells), rng.permutation(4)
    slip, cost = rng.uniform(0.04, 0.08), rng.uniform(0.02, 0.06)
    chance = np.zeros((cells, 4, cells))
    for cell in range(cells):
        row, column = divmod(cell, SIDE)
        beside = [(row + down, column + right) for down, right in MOVES]
        leads = [
            place[r * SIDE + c if 0 <= r < SIDE and 0 <= c < SIDE else cell] for r, c in beside
        ]
        for a in range(4):
            aside = 2 - a // 2 * 2  # the first of the two actions along the other axis
            for to, share in ((a, 1 - slip), (aside, slip / 2), (aside + 1, slip / 2)):
                chance[place[cell], order[a], leads[to]] += share
    ends = np.isin(np.arange(cells), rng.permutation(cells)[:2])
    reward = np.full(cells, -cost)
    reward[ends] += rng.permutation([1.0, -1.0]) * rng.uniform(0.8, 1.2, 2)
    shape = chance.shape
    return (chance, np.broadcast_to(reward, shape), np.broadcast_to(ends, shape)), ends


def optimal(mdp, gamma):
    """Q* of an MDP, to rounding for γ ≤ 0.9."""
    chance, reward, ends = mdp
    values = np.zeros(len(chance))
    for _ in range(400):
        table = (chance * (reward + gamma * values * ~ends)).sum(2)
        values = table.max(1)
    return table


def learn(student, rng):
    """The largest error after one seed, over the spread of Q*; ends have no values."""
    mdp, ends = grid(rng)
    gamma = float(rng.uniform(0.6, 0.8))
    table = rng.uniform(-0.5, 0.5, (len(ends), 4))
    world = World(int(rng.integers(2**31)), COPIES, mdp, LIMIT, np.flatnonzero(~ends))
    rates = EPSILON, OMEGA, gamma
    learnt, _ = _let_learn(student, world, table, STEPS, *rates, student.generator())
    target = optimal(mdp, gamma)[~ends]
    return {"error": np.asarray(np.abs(learnt[~ends] - target).max() / np.ptp(target))}
