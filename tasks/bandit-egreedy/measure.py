"""What is measured of bandit-egreedy: updates, sequences and probabilities, then own draws.

The scale S of a value is the sum of the absolute terms of its formula, from the inputs alone. Ties
are put into tables on purpose: which arms share the maximum is drawn first, then the estimates.
"""

import itertools

import numpy as np

# the smallest and the largest of both axes, rows of one arm, a single row, a square, one size twice
EDGES = ((3, 4), (1, 1), (200, 12), (7, 1), (1, 12), (200, 2), (4, 4), (3, 4))
LARGE = 100  # rows of which two calls do not agree by chance, if some of them always explore
REPLICATES = 4  # calls that differ in their generator only
NUMBERED = (0, 6, 20, 21)  # kinds whose draws are looked at as numbers
PAIRS = ((0, 1), (1, 2), (3, 6), (8, 11), (12, 15), (12, 13))  # kinds whose draws are compared


def _sizes(rng):
    """The edges, every number of arms with some number of rows, every number of rows up to 12."""
    drawn = zip(rng.permutation(12) + 1, rng.permutation(12) + 1, strict=True)
    return [*EDGES, *((int(b), int(a)) for b, a in drawn)]


def _joined(name, found, scales):
    """All values and all scales in one row each."""
    return {
        name: np.concatenate([np.ravel(part) for part in found]),
        f"{name}__scale": np.concatenate([np.ravel(part) for part in scales]),
    }


def _ties(rng, b, a):
    """Which arms attain the maximum: bool [b a], every number of them from one to all."""
    count = rng.permutation(np.arange(b) % a) + 1
    return rng.permuted(np.arange(a) < count[:, None], axis=1)


def _tables(rng, best):
    """Estimates [b a] of any size and sign whose maximum the arms of `best` share.

    The others lie below it by any share of its size, some by the last digit alone.
    """
    b, a = best.shape
    top = 10 ** rng.uniform(-3, 5, (b, 1)) * rng.choice([-1.0, 1.0], (b, 1))
    top[rng.permutation(b)[: b // 8]] = 0.0
    near = 10 ** rng.uniform(-11, 0, (b, a)) * np.maximum(np.abs(top), 1e-3)
    below = np.where(rng.random((b, 1)) < 0.3, near, rng.uniform(0.1, 3.0, (b, a)))
    others = np.minimum(top - below, np.nextafter(top, -np.inf))
    hair = (rng.random((b, 1)) < 0.15) & (rng.random((b, a)) < 0.5)
    others = np.where(hair, np.nextafter(top, -np.inf), others)
    return np.where(best, top, others)


def _whole(rng, b, a):
    """Estimates that are small whole numbers, with ties as they come."""
    return rng.integers(-2, 3, (b, a)).astype(float)


def _whole_trial(rng, b, a):
    """Estimates, arms and rewards that are small whole numbers; b is at least 2.

    Row 0 gets the reward 0 where its estimate is none, and the estimates of row 1 are all alike.
    """
    q, arm, reward = _whole(rng, b, a), rng.integers(0, a, b), rng.integers(-2, 3, b).astype(float)
    q[0, arm[0]], reward[0] = rng.choice([-1.0, 1.0]), 0.0
    q[1], reward[1] = q[1, 0], q[1, 0] + 1.0
    return q, arm, reward


def _trial(student, rng, function, b, a):
    """Estimates, arms and rewards of one trial each; of large tables over all of the domain."""
    draw = student.domain.draw
    if b * a >= 48:
        rewards = draw(rng, f"{function}.reward", b)
        return draw(rng, "Q", b, a), rng.integers(0, a, b), rewards
    return rng.normal(0.0, 3.0, (b, a)), rng.integers(0, a, b), rng.normal(1.0, 3.0, b)


def _counts(student, rng, b, a):
    """Numbers of earlier trials: few, none among them; many in some rows of large tables."""
    few = rng.integers(0, rng.integers(2, 40), (b, a))
    if b * a < 48:
        return few
    many = np.rint(student.domain.draw(rng, "N", b, a)).astype(np.int64)
    heavy = (rng.random((b, 1)) < 0.2) | (many == many.max()).any(1, keepdims=True)
    return np.where(heavy, many, few)


def average(student, rng):
    """Tables and counts after a trial; twice one size, then each argument changed alone."""
    calls = []
    for b, a in _sizes(rng):
        q, arm, reward = _trial(student, rng, "update_average", b, a)
        calls.append((q, _counts(student, rng, b, a), arm, reward))
    b, a = int(rng.integers(3, 9)), int(rng.integers(2, 9))
    pair = [
        (
            rng.normal(size=(b, a)),
            rng.integers(0, 9, (b, a)),
            (np.arange(b) + shift) % a,
            rng.normal(size=b),
        )
        for shift in rng.permutation(a)[:2]
    ]
    for q, *_ in pair:
        q[-1] = q[0]
    whole, arm, reward = _whole_trial(rng, b, a)
    count = rng.integers(0, 3, (b, a))
    count[0, arm[0]], count[1] = 0, 2
    calls += student.domain.replaced(*pair)
    calls += [(whole, count, arm, reward), (whole, np.ones_like(count), arm, reward)]
    found, scales = [], []
    for q, n, arm, reward in calls:
        table, counts = student.update_average(q, n, arm, reward)
        found += [table, counts]
        taken = np.arange(q.shape[1]) == arm[:, None]
        step = (np.abs(reward)[:, None] + np.abs(q)) / (n + 1)
        scales += [np.abs(q) + taken * step, np.maximum(n, 1)]
    return _joined("table", found, scales)


def constant(student, rng):
    """Tables after a trial; step sizes from 0 to 1, both ends and others near them."""
    calls = []
    for i, (b, a) in enumerate(_sizes(rng)):
        ends = [0.0, 1.0]
        alpha = ends[i - 2] if 2 <= i < 4 else float(rng.uniform(0.02, 0.98))
        calls.append((*_trial(student, rng, "update_constant", b, a), alpha))
    b, a = int(rng.integers(3, 9)), int(rng.integers(2, 9))
    pair = [
        (rng.normal(size=(b, a)), (np.arange(b) + shift) % a, rng.normal(size=b), float(alpha))
        for shift, alpha in zip(rng.permutation(a)[:2], rng.uniform(0.1, 0.9, 2), strict=True)
    ]
    for q, *_ in pair:
        q[-1] = q[0]
    calls += student.domain.replaced(*pair)
    whole = _whole_trial(rng, b, a)
    near = 10 ** rng.uniform(-9.0, -3.0, 2)
    calls += [(*whole, float(alpha)) for alpha in (0.0, 0.25, 1.0, near[0], 1 - near[1])]
    found, scales = [], []
    for q, arm, reward, alpha in calls:
        found.append(student.update_constant(q, arm, reward, alpha))
        taken = np.arange(q.shape[1]) == arm[:, None]
        scales.append(np.abs(q) + taken * alpha * (np.abs(reward)[:, None] + np.abs(q)))
    return _joined("table", found, scales)


def _before(initial, arm, reward):
    """Of every estimate: the sum of its absolute terms, with the trial's own, by their number."""
    taken = np.arange(initial.shape[1]) == arm[:, :, None]
    total = np.abs(initial)[:, None] + (taken * np.abs(reward)[:, :, None]).cumsum(1)
    return total / np.maximum(taken.cumsum(1) - taken, 1)


def _repeated(*arrays):
    """The arrays, and below them their first rows; then the first of one beside second ones."""
    more = 1 - np.eye(len(arrays), dtype=np.int64)
    return tuple(
        np.concatenate([array, array[:1], array[places]])
        for array, places in zip(arrays, more, strict=True)
    )


def sequence(student, rng):
    """Sequences in which arms are taken often, once, last of all or never.

    In the last call, of whole numbers, some rows are equal, in all arguments or in all but one.
    """
    calls = []
    lengths = [5, 1, 60, 20, 60, 3, 4, 5, *(int(t) for t in rng.permutation(60)[:12] + 1)]
    for (b, a), t in zip(_sizes(rng), lengths, strict=True):
        some = rng.integers(1, a + 1, b)  # arms that a row takes at all
        arm = rng.permuted(np.tile(np.arange(a), (b, 1)), axis=1)
        arm = np.take_along_axis(arm, rng.integers(0, some[:, None], (b, t)), axis=1)
        initial, reward = rng.normal(0.0, 3.0, (b, a)), rng.normal(1.0, 3.0, (b, t))
        if b == 200:
            initial = student.domain.draw(rng, "initial", b, a)
            reward = student.domain.draw(rng, "estimates.reward", b, t)
            within = np.concatenate([np.abs(initial), np.abs(reward)], axis=1).max(1) < 1e6
            small = within & (np.arange(b) % 2 == 1)  # beside rows of large numbers
            initial[small], reward[small] = initial[small] / 1e6, reward[small] / 1e6
        calls.append((initial, arm, reward))
    b, t, a = (int(size) for size in rng.integers(3, 9, 3))
    pair = [
        (rng.normal(size=(b, a)), (np.add.outer(np.arange(b), np.arange(t) ** 2) + shift) % a)
        for shift in rng.permutation(a)[:2]
    ]
    pair = [(*call, rng.normal(size=(b, t))) for call in pair]
    calls += student.domain.replaced(*pair)
    whole = rng.integers(-2, 3, (b, a)), rng.integers(0, a, (b, t)), rng.integers(-2, 3, (b, t))
    calls.append(_repeated(whole[0].astype(float), whole[1], whole[2].astype(float)))
    found = [student.estimates(*call) for call in calls]
    return _joined("table", found, [_before(*call) for call in calls])


def _runs(student, rng, r, t):
    """(rewards, value, radius) of which about half of the means lie within."""
    value = float(rng.uniform(-5.0, 5.0))
    reward = value + rng.normal(0.0, 1.0, (r, t)) * rng.uniform(0.5, 3.0, (r, 1))
    return reward, value, float(rng.uniform(0.3, 1.0))


def large_numbers(student, rng):
    """Shares of runs; means that lie at the radius exactly, and radius 0, are not within.

    Runs whose rewards are all alike have exact means at every n. Whole numbers have so at n = 1, 2.
    Other runs lie within or beyond by a small part of the radius, but more than rounding makes up.
    """
    sizes = [(3, 4), (1, 1), (200, 60), (1, 60), (200, 1), (4, 4), (7, 20)]
    sizes += [tuple(int(size) for size in rng.integers(2, 40, 2)) for _ in range(4)]
    calls = [_runs(student, rng, r, t) for r, t in sizes]
    first, second = (_runs(student, rng, 9, 6) for _ in range(2))
    calls += student.domain.replaced(first, (second[0], first[1] + 0.7, 2.5 * first[2]))
    value, radius = float(rng.integers(-4, 5)), float(rng.integers(1, 4))
    steps = rng.permutation([-2.0, -1.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.0, 1.5])
    alike = np.tile((value + radius * steps)[:, None], (1, 7))
    calls += [(alike, value, radius), (alike[:, :1], value, 0.0), (alike, value, 2 * radius)]
    calls.append((alike, value, float(10 ** rng.uniform(-14.0, -12.0))))
    calls += [(value + rng.integers(-3, 4, (11, 2)).astype(float), value, radius)]
    small = 10 ** rng.uniform(-12.0, -5.0, 8) * np.repeat([-1.0, 1.0], 4)
    hardly = value + radius * (1 + small) * rng.choice([-1.0, 1.0], 8)
    calls.append((np.tile(hardly[:, None], (1, 7)), value, radius))
    far = student.domain.draw(rng, "share_within.reward", 30, 8)
    calls += [(far, -1e3, 1e3), (far, 1e3, 980.0), (far, 0.0, 2e3), (far, 0.0, 300.0)]
    found = [student.share_within(*call) for call in calls]
    return _joined("share", found, [np.ones(call[0].shape[1]) for call in calls])


def _chances(student, rng):
    """(Q, ε): every number of arms that share the maximum, every ε, and each changed alone."""
    single = itertools.cycle((rng.uniform(0.1, 0.9), 0.0, 1.0))  # of calls with one row
    for b, a in _sizes(rng):
        epsilon = student.domain.draw(rng, "epsilon", b)
        if b == 1:
            epsilon = np.array([next(single)])
        yield _tables(rng, _ties(rng, b, a)), epsilon
    b, a = int(rng.integers(4, 9)), int(rng.integers(3, 9))
    first, second = ((_tables(rng, _ties(rng, b, a)), rng.uniform(0.05, 0.95, b)) for _ in "ab")
    yield from student.domain.replaced(first, second)
    near = 10 ** rng.uniform(-9, -6, b)
    for epsilon in (np.zeros(b), np.ones(b), near, 1 - near, np.full(b, 0.5)):
        yield _whole(rng, b, a), epsilon
    wide = student.domain.draw(rng, "Q", 9, 12)
    wide[0] = wide[0, 0]
    wide[1, rng.permutation(12)[:3]] = 1e6
    yield wide, rng.uniform(0.0, 1.0, 9)


def probabilities(student, rng):
    """Probabilities of every arm. An arm below the maximum has nothing but its share of ε."""
    found, scales = [], []
    for q, epsilon in _chances(student, rng):
        found.append(student.action_probabilities(q, epsilon))
        best = q == q.max(1, keepdims=True)
        scales.append(np.where(best, 1.0, epsilon[:, None] / q.shape[1]))
    return _joined("probability", found, scales)


def greedy(student, rng):
    """Whether every row gets an arm that attains its maximum where ε = 0, or has no other: bool."""
    right = []
    for q, _ in _chances(student, rng):
        epsilon = np.linspace(1, 0, len(q)) if q.shape[1] == 1 else np.zeros(len(q))
        arm = student.act(q, epsilon, student.generator())
        inside = (arm >= 0) & (arm < q.shape[1])
        chosen = np.take_along_axis(q, np.where(inside, arm, 0)[:, None], axis=1)[:, 0]
        right.append(inside & (chosen == q.max(1)))
    return {"best": np.concatenate(right)}


def generator(student, rng):
    """Whether two calls agree whose generators are in one state, where chance hardly ever would."""
    same = []
    for b in (*range(1, 13), 20, 60, 150):
        for epsilon in (np.zeros(b), np.ones(b)):
            q, seed = _tables(rng, np.ones((b, 12), bool)), student.generator()
            first, second = (student.act(q, epsilon, seed) for _ in range(2))
            same.append((first == second).all())
    return {"same": np.array(same)}


class Kind:
    """Rows with a arms, m of which share the maximum, and one ε.

    Where the best arms are differs from row to row, or (`fixed`) never does.
    """

    def __init__(self, rng, a, m, epsilon, fixed):
        self.a, self.m, self.epsilon, self.fixed = a, m, float(epsilon), fixed
        self.best = rng.permutation(np.arange(a) < m)

    def rows(self, rng, count):
        best = np.tile(self.best, (count, 1))
        if not self.fixed:
            best = rng.permuted(best, axis=1)
        return _tables(rng, best)

    def categories(self, q, arm):
        """The arm itself, or its place: the best arms by number, then the others by estimate."""
        inside = (arm >= 0) & (arm < self.a)
        if self.fixed:
            return np.where(inside, arm, -1)
        order = np.lexsort((np.where(q == q.max(1, keepdims=True), 0, -q), -q))
        place = np.argsort(order, axis=1)
        chosen = np.take_along_axis(place, np.where(inside, arm, 0)[:, None], axis=1)[:, 0]
        return np.where(inside, chosen, -1)

    def probabilities(self, categories):
        best = self.best if self.fixed else np.arange(self.a) < self.m
        law = np.where(best, (1 - self.epsilon) / self.m, 0.0) + self.epsilon / self.a
        return np.pad(law, (0, categories - self.a))

    def classes(self, categories):
        """Three classes: the best arm and the others in turn, or, of several best arms, all."""
        if self.m > 1:
            return np.where(categories < 0, 0, categories % 3)
        best = self.best if self.fixed else np.arange(self.a) < 1
        return np.where(best[categories], 0, 1 + categories % 2)

    def is_best(self, categories):
        """1 where a category is that of an arm at the maximum, else 0."""
        best = self.best if self.fixed else np.arange(self.a) < self.m
        return best[categories].astype(int)

    def best_law(self):
        chance = 1 - self.epsilon + self.epsilon * self.m / self.a
        return np.array([1 - chance, chance])

    def class_law(self):
        law = self.probabilities(self.a)
        return np.bincount(self.classes(np.arange(self.a)), weights=law, minlength=3)


def _drawn(student, rng, kinds, b, n, alike=False):
    """n draws of every kind from calls of b rows, which hold the kinds in turn: a list of [n].

    With `alike` all rows of every other call are one row.

    Of large calls the first ones differ in their generator alone, so that it is tried; some rows
    always explore, so that no slip makes calls agree but a generator that is not used.
    """
    of = np.arange(b) % len(kinds)
    calls = -(-n // np.bincount(of).min())
    epsilon = np.array([kinds[i].epsilon for i in of])
    tables = np.empty((calls, b, kinds[0].a))
    for i, kind in enumerate(kinds):
        tables[:, of == i] = kind.rows(rng, calls * (of == i).sum()).reshape(calls, -1, kind.a)
    if alike:
        tables[::2] = tables[::2, :1]
    arms = []
    if b >= LARGE and any(kind.epsilon == 1 for kind in kinds):
        tables[:REPLICATES] = tables[0]
        arms = student.independent("act", tables[0], epsilon, replicates=REPLICATES)
    arms += [student.act(q, epsilon, student.generator()) for q in tables[len(arms) :]]
    found = []
    for i, kind in enumerate(kinds):
        q, arm = tables[:, of == i].reshape(-1, kind.a), np.stack(arms)[:, of == i].ravel()
        found.append(kind.categories(q, arm)[:n])
    return found


def _groups(rng):
    """(rows of a call, kinds of rows), from a few rows to the most.

    The kinds have one best arm or several, exploring never, sometimes or always.
    """
    some = int(rng.integers(5, 9))

    def kind(a, m, epsilon=None, fixed=False):
        return Kind(rng, a, m, rng.uniform(0.4, 0.7) if epsilon is None else epsilon, fixed)

    yield int(rng.integers(5, 12)), [kind(11, 1), kind(11, 4, fixed=True), kind(11, 11)]
    yield int(rng.integers(20, 60)), [
        kind(some, 1, rng.uniform(0.1, 0.2), fixed=True),
        kind(some, 2, 0.0, fixed=True),
        kind(some, some, 0.0),
        kind(some, some - 1),
        kind(some, 1, 1.0),
    ]
    yield int(rng.integers(100, 200)), [
        kind(2, 1, fixed=True),
        kind(2, 2, 0.0),
        kind(2, 1, 1.0, fixed=True),
        kind(2, 2),
    ]
    yield 200, [
        kind(12, 1),
        kind(12, 1, 1.0),
        kind(12, 5, 0.0),
        kind(12, 4, fixed=True),
        kind(12, 12, 0.0, fixed=True),
        kind(12, 11, 0.0),
        kind(12, 1, rng.uniform(0.02, 0.06)),
        kind(12, 6, rng.uniform(0.8, 0.95)),
    ]
    yield 200, [kind(some, 1, fixed=True)]
    yield int(rng.integers(30, 100)), [kind(5, 1, fixed=True)]


def own_actions(student, rng, n):
    """Draws of 22 kinds of rows, then pairs of two kinds of one call, and four kinds as numbers.

    Numbers are spread a little, at random, since ranks take no ties.
    """
    kinds, found = [], []
    for b, group in _groups(rng):
        kinds += group
        found += _drawn(student, rng, group, b, n)
    pair = [3 * kinds[i].classes(found[i]) + kinds[j].classes(found[j]) for i, j in PAIRS]
    laws = [np.outer(kinds[i].class_law(), kinds[j].class_law()).ravel() for i, j in PAIRS]
    values = np.column_stack([found[i] for i in NUMBERED])
    return {
        "arm": np.column_stack(found),
        "arm__probabilities": np.stack([kind.probabilities(12) for kind in kinds]),
        "pair": np.column_stack(pair),
        "pair__probabilities": np.stack(laws),
        "value": values + rng.uniform(-0.4, 0.4, values.shape),
    }


def few_rows(student, rng, n):
    """Draws from calls of one row, two and three; then of two draws, whether they are best arms.

    These two are of one call, or of two calls of one row that follow each other. Last, whether two
    rows of a call of four, in half of the calls of one row four times, explore alike, or decide
    alike between arms that share the maximum.
    """
    one = Kind(rng, int(rng.integers(2, 5)), 1, rng.uniform(0.4, 0.7), fixed=False)
    two = [Kind(rng, 3, m, rng.uniform(0.4, 0.7), fixed=m == 1) for m in (1, 2)]
    three = [Kind(rng, 4, m, rng.uniform(0.4, 0.7), fixed=m == 2) for m in (1, 2, 1)]
    kinds = [one, *two, *three]
    alone = _drawn(student, rng, [one], 1, 2 * n)[0]
    found = [alone[::2], *_drawn(student, rng, two, 2, n), *_drawn(student, rng, three, 3, n)]
    pairs, laws = [], []
    for i, j in ((0, 0), (1, 2), (3, 4), (4, 5)):
        second = alone[1::2] if i == j else found[j]
        pairs.append(2 * kinds[i].is_best(found[i]) + kinds[j].is_best(second))
        laws.append(np.outer(kinds[i].best_law(), kinds[j].best_law()).ravel())
    for kind in (Kind(rng, 4, 1, 1.0, fixed=True), Kind(rng, 4, 4, 0.0, fixed=True)):
        chosen = _drawn(student, rng, [kind], 4, 4 * n, alike=True)[0].reshape(n, 4)
        first, second = rng.permutation(4)[:2]
        pairs.append((chosen[:, first] == chosen[:, second]).astype(int))
        laws.append(np.array([0.75, 0.25, 0.0, 0.0]))
    return {
        "arm": np.column_stack(found + pairs),
        "arm__probabilities": np.stack([kind.probabilities(4) for kind in kinds] + laws),
    }


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}
