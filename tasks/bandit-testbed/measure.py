"""What is measured of bandit-testbed: pieces whose chance is given, then the law of whole records.

A record of a right program is made of independent numbers with known laws: the values and the
noise, which are standard normal, and for every action the random probability integral transform
under the probabilities that it had, given the record so far, which is uniform. Estimates are
computed here from the actions and rewards of the record.
"""

from math import comb

import numpy as np

# rows, trials, arms: smallest and largest of each, one arm, one run, one trial, a size twice
EDGES = (
    (3, 7, 4),
    (1, 1, 1),
    (200, 5, 3),
    (2, 200, 20),
    (5, 6, 1),
    (1, 40, 6),
    (9, 1, 5),
    (4, 4, 4),
    (3, 7, 4),
    (30, 30, 2),
)
MANY = 100_000  # so much noise tells laws apart whose quantiles are alike
WATCHED = 60  # trials of a run, in which the rare exploring ones are counted


def _joined(name, found, scales):
    """All values and all scales in one row each."""
    return {
        name: np.concatenate([np.ravel(part) for part in found]),
        f"{name}__scale": np.concatenate([np.ravel(part) for part in scales]),
    }


def _keys(rng, *shape):
    """Keys [b t a]; in one trial of each run nearly equal ones, in another 0 and 1."""
    b, t, a = shape
    key = rng.random(shape)
    for i in range(b if a > 1 else 0):
        key[i, rng.integers(t)] = 0.5 + 1e-9 * rng.random(a)
        key[i, rng.integers(t), rng.permutation(a)[:2]] = 0.0, 1.0
    return key


def _chance(rng, b, t, a):
    """Whether trials explore, from never to always run by run; arms; keys."""
    share = rng.permutation(np.linspace(0.0, 1.0, b) if b > 3 else rng.uniform(0.1, 0.6, b))
    explores = rng.random((b, t)) < share[:, None]
    return explores, rng.integers(0, a, (b, t)), _keys(rng, b, t, a)


def given_runs(rng, b, t, a):
    """Arguments of play: values around a level, which differs from run to run."""
    level = rng.permutation(np.linspace(-3.0, 2.0, b) if b > 1 else np.array([-1.0]))
    value = level[:, None] + rng.normal(size=(b, a))
    return (value, *_chance(rng, b, t, a), rng.normal(size=(b, t)))


def _close(rng, b, t, a):
    """Runs of which all rewards are nearly alike, so that estimates need all their digits.

    That which explores least has negative ones: an arm that it takes nearly always falls behind
    where its count overflows.
    """
    level = rng.choice([-900.0, 900.0], (b, 1))
    explores, arm, key = _chance(rng, b, t, a)
    level[explores.sum(1).argmin()] = -900.0
    value, noise = level + rng.normal(0, 1e-3, (b, a)), rng.normal(0, 1e-3, (b, t))
    return value, explores, arm, key, noise


def _whole(rng, b, a, seen):
    """Runs of small whole numbers, so that arms taken tie with each other and with 0.

    The first `seen` trials explore and take no arm thrice, since thirds are not exact.
    """
    value, noise = rng.integers(-2, 2, (b, a)), rng.integers(-2, 3, (b, seen + 1))
    explores, arm, key = _chance(rng, b, seen + 1, a)
    explores[:] = np.arange(seen + 1) < seen
    twice = np.array([0, 1, 1, 2, 2])[:seen] % a
    arm[:, :seen] = rng.permuted(np.argsort(rng.random((b, a)), axis=1)[:, twice], axis=1)
    return value.astype(float), explores, arm, key, noise.astype(float)


def _hair(rng, b, a):
    """Three trials: two explore arms whose rewards differ by the last digit, the last does not."""
    explores, arm, key = _chance(rng, b, 3, a)
    explores[:] = True, True, False
    arm[:, :2] = np.argsort(rng.random((b, a)), axis=1)[:, :2]
    noise = np.repeat(10 ** rng.uniform(-3.0, 2.0, (b, 1)), 3, axis=1)
    row = np.arange(b)
    noise[row, row % 2] = np.nextafter(noise[:, 2], np.inf)
    return np.zeros((b, a)), explores, arm, key, noise


def given_chance(student, rng):
    """Records of runs from the smallest to the largest; then each argument changed alone."""
    draw = student.domain.draw
    calls = [given_runs(rng, *size) for size in EDGES]
    calls += [given_runs(rng, *(int(x) for x in rng.integers(2, 9, 3))) for _ in range(3)]
    b, t, a = (int(x) for x in rng.integers(4, 9, 3))
    pair = [given_runs(rng, b, t, a) for _ in range(2)]
    calls += student.domain.replaced(*pair, alike="axes")
    calls += [_close(rng, b, t, int(rng.integers(2, 6))) for b, t in ((12, 60), (6, 200))]
    calls += [_whole(rng, 100, *ends) for ends in ((2, 1), (4, 2), (2, 3), (3, 5), (6, 5))]
    calls += [_hair(rng, 40, a) for a in (2, 5)]
    wide = _chance(rng, 50, 8, 5)
    calls.append((draw(rng, "value", 50, 5), *wide, draw(rng, "noise", 50, 8)))
    value, explores, arm, key, noise = given_runs(rng, 8, 12, 3)
    calls += [(value, np.full((8, 12), all_), arm, key, noise) for all_ in (False, True)]
    found, scales = [], []
    for value, explores, arm, key, noise in calls:
        found += student.play(value, explores, arm, key, noise)
        size = np.abs(value).max(1, keepdims=True) + np.abs(noise)
        scales += [np.ones(arm.shape), size]
    return _joined("record", found, scales)


def _history(rng, r, t, a):
    """Values, of which several may be the largest, actions and rewards that have no tie to them."""
    value = rng.normal(size=(r, a)) * 10.0 ** rng.integers(-2, 3)
    ties = (rng.random((r, a)) < 0.5) & (rng.random((r, 1)) < 0.4)
    value = np.where(ties, value.max(1, keepdims=True), value)
    return value, rng.integers(0, a, (r, t)), rng.normal(0.3, 2.0, (r, t))


def _whole_history(rng, r, t, a):
    """Small whole numbers: runs 1 and 2 are the same, and runs 3 to 5 have an argument of run 1.

    All values of run 6 are 0, and the largest of run 7 is. No trial has rewards of 0 alone.
    """
    value, action = rng.integers(-2, 2, (r, a)).astype(float), rng.integers(0, a, (r, t))
    reward = rng.integers(-2, 3, (r, t)).astype(float)
    value[6], value[7], reward[0] = 0.0, -np.arange(a), rng.choice([-1.0, 1.0], t)
    for row, array in enumerate((value, action, reward), start=3):
        array[2] = array[row] = array[1]
    return value, action, reward


def averages(student, rng):
    """Curves of one run, of one trial, and of many, of which blocks of a round size leave a rest;
    then each argument changed alone. In the last call numbers are 0, and rows equal.
    """
    draw = student.domain.draw
    sizes = [*EDGES, (2000, 2, 3), (1, 200, 4), (int(rng.integers(1001, 2000)), 2, 3)]
    calls = [_history(rng, *size) for size in sizes]
    r, t, a = (int(x) for x in rng.integers(4, 9, 3))
    pair = [_history(rng, r, t, a) for _ in range(2)]
    calls += student.domain.replaced(*pair, alike="axes")
    value, *record = pair[0]
    calls.append((value[:, ::-1].copy(), *record))  # the same values, of other arms
    action = rng.integers(0, 6, (40, 9))
    calls.append((draw(rng, "value", 40, 6), action, draw(rng, "reward", 40, 9)))
    top = rng.uniform(-5.0, 5.0, (20, 1))
    near = np.where(rng.random((20, 4)) < 0.5, top, np.nextafter(top, -np.inf))
    calls.append((near, rng.integers(0, 4, (20, 6)), rng.normal(size=(20, 6))))
    calls.append(_whole_history(rng, 12, 8, 4))
    found, scales = [], []
    for value, action, reward in calls:
        found += student.curves(value, action, reward)
        scales += [np.abs(reward).mean(0), np.ones(action.shape[1])]
    return _joined("curve", found, scales)


class Record:
    """What runs of testbed came to, and what the ε-greedy method would have done in each trial.

    ``taken`` [r t] are the values of the actions, and ``noise`` [r t] is what the rewards add to
    them. ``chance`` [r t] is the probability that the action had, ``single`` [r t] whether one arm
    was greedy alone and ``greedy`` [r t] whether the action was greedy. ``below`` maps an order of
    the arms to the probability of those before the action: greedy arms come first, then the others,
    each by their ``number``, ``estimate`` or ``value``, or from the arm taken before on (``next``),
    which no arm is chosen by. ``ties`` [r t] is the number of greedy arms.
    """

    def __init__(self, epsilon, value, action, reward):
        runs, steps = action.shape
        arms = value.shape[1]
        row = np.arange(runs)
        self.value = value
        self.inside = (action >= 0) & (action < arms)
        action = np.where(self.inside, action, 0)
        self.taken = np.take_along_axis(value, action, axis=1)
        self.noise = reward - self.taken
        self.chance, self.single, self.greedy = (np.zeros((runs, steps)) for _ in range(3))
        self.ties = np.zeros((runs, steps), dtype=int)
        orders = ("number", "estimate", "value", "next")
        self.below = {name: np.zeros((runs, steps)) for name in orders}
        total, count = np.zeros((runs, arms)), np.zeros((runs, arms))
        for t in range(steps):
            chosen = action[:, t]
            q = total / np.maximum(count, 1)
            best = q == q.max(1, keepdims=True)
            law = (1 - epsilon) * best / best.sum(1, keepdims=True) + epsilon / arms
            own, mine = q[row, chosen][:, None], best[row, chosen][:, None]
            lower = np.arange(arms) < chosen[:, None]
            first = {"number": (best > mine) | ((best == mine) & lower)}
            first["estimate"] = (q > own) | ((q == own) & lower)
            first["value"] = (best > mine) | ((best == mine) & (value > self.taken[:, t, None]))
            ahead = (np.arange(arms) - action[:, t - 1, None] - 1) % arms if t else np.arange(arms)
            ahead = np.broadcast_to(ahead, best.shape)
            nearer = ahead < ahead[row, chosen][:, None]
            first["next"] = (best > mine) | ((best == mine) & nearer)
            for name, before in first.items():
                self.below[name][:, t] = (law * before).sum(1)
            self.chance[:, t] = law[row, chosen]
            self.ties[:, t] = best.sum(1)
            self.single[:, t] = self.ties[:, t] == 1
            self.greedy[:, t] = mine[:, 0]
            total[row, chosen] += reward[:, t]
            count[row, chosen] += 1

    def uniform(self, rng, order):
        """A uniform number for every action [r t]; -1 for what is no arm."""
        spread = self.below[order] + self.chance * rng.random(self.chance.shape)
        return np.where(self.inside, spread, -1.0)

    def rare(self, rng, epsilon):
        """A uniform number for every run [r]: how often it left the greedy arm in 60 trials.

        The trials are the first in which one arm is greedy alone; -1 where there are too few.
        """
        arms = self.value.shape[1]
        p = epsilon * (arms - 1) / arms
        counts = np.arange(WATCHED + 1)
        mass = [comb(WATCHED, k) * p**k * (1 - p) ** (WATCHED - k) for k in counts]
        edge = np.concatenate([[0.0], np.cumsum(mass)])
        watched = (self.single == 1) & (self.single.cumsum(1) <= WATCHED)
        left = (watched & (self.greedy == 0)).sum(1)
        spread = edge[left] + rng.random(len(left)) * (edge[left + 1] - edge[left])
        return np.where(watched.sum(1) == WATCHED, spread, -1.0)


def _records(student, epsilon, runs, steps, arms, n):
    """Records of calls that differ in their generator, at least two, and n runs together."""
    calls = -(-n // runs)
    found = student.independent("testbed", epsilon, runs, steps, arms, replicates=max(2, calls))
    return [Record(epsilon, *record) for record in found]


def _stacked(parts, n):
    return np.concatenate(parts)[:n]


class Columns:
    """Columns of n draws by the name of their metric; some of them are joined into one more."""

    def __init__(self, n):
        self.n = n
        self.columns = {"value": [], "noise": [], "action": [], "joint": []}

    def add(self, metric, parts, joint=True):
        column = _stacked(parts, self.n)
        self.columns[metric].append(column)
        if joint:
            self.columns["joint"].append(column)

    def metrics(self):
        return {name: np.column_stack(columns) for name, columns in self.columns.items()}


def records(student, rng, n):
    """Groups of calls: the lecture's, of middle size, long, without exploring, with nothing else,
    of one trial, and with the lecture's smallest ε but 0. A draw is a run, of long ones a trial.
    """
    columns = Columns(n)
    # the lecture's number of runs and arms
    found = _records(student, 0.1, 2000, 3, 10, n)
    some = int(rng.integers(9))
    columns.add("value", [record.value[:, some] for record in found])
    columns.add("value", [record.value[:, 9] for record in found])
    columns.add("value", [record.taken[:, 0] for record in found], joint=False)
    columns.add("noise", [record.noise[:, 0] for record in found])
    columns.add("noise", [record.noise[:, 2] for record in found], joint=False)
    uniform = [record.uniform(rng, "number") for record in found]
    columns.add("action", [u[:, 1] for u in uniform])
    columns.add("action", [u[:, 2] for u in uniform])
    # some runs, trials and arms
    runs, steps, arms = (int(rng.integers(*ends)) for ends in ((90, 200), (8, 12), (5, 9)))
    found = _records(student, float(rng.uniform(0.4, 0.7)), runs, steps, arms, n)
    middle = int(rng.integers(3, steps - 1))
    columns.add("value", [record.value[:, 0] for record in found])
    columns.add("value", [record.value[:, 1] for record in found])
    columns.add("noise", [record.noise[:, 1] for record in found])
    columns.add("noise", [record.noise[:, -1] for record in found])
    uniform = [record.uniform(rng, "number") for record in found]
    columns.add("action", [u[:, 0] for u in uniform])
    columns.add("action", [u[:, 2] for u in uniform])
    columns.add("action", [u[:, middle] for u in uniform], joint=False)
    columns.add("action", [u[:, -1] for u in uniform], joint=False)
    uniform = [record.uniform(rng, "estimate") for record in found]
    columns.add("action", [u[:, middle] for u in uniform])
    columns.add("action", [u[:, -1] for u in uniform])
    columns.add("action", [record.uniform(rng, "value")[:, -1] for record in found], joint=False)
    # the longest runs, two arms, trial after trial: the last ones of two calls
    runs, epsilon = int(rng.integers(3, 7)), float(rng.uniform(0.3, 0.6))
    found = _records(student, epsilon, runs, 1000, 2, 2 * runs)
    last = -(-n // (2 * runs))
    columns.add("noise", [record.noise[:, -last:].T.ravel() for record in found])
    uniform = [record.uniform(rng, "number") for record in found]
    columns.add("action", [u[:, -last:].T.ravel() for u in uniform])
    # nothing is explored: which of the arms that have not been taken comes next
    found = _records(student, 0.0, 200, 3, int(rng.integers(6, 21)), n)
    columns.add("value", [record.value[:, -1] for record in found], joint=False)
    uniform = [record.uniform(rng, "number") for record in found]
    columns.add("action", [u[:, 0] for u in uniform])
    columns.add("action", [u[:, 1] for u in uniform], joint=False)
    columns.add("action", [u[:, 2] for u in uniform], joint=False)
    uniform = [record.uniform(rng, "value") for record in found]
    columns.add("action", [u[:, 0] for u in uniform], joint=False)
    columns.add("action", [u[:, 2] for u in uniform], joint=False)
    # of three arms two are left: the first was taken and did worse than nothing
    found = _records(student, 0.0, 200, 2, 3, 5 * n // 2)
    left = [record.uniform(rng, "next")[record.ties[:, 1] == 2, 1] for record in found]
    columns.add("action", [*left, np.full(n, -1.0)], joint=False)
    # of four arms three are left, and the one that did worse is explored now and then
    found = _records(student, 0.6, 200, 2, 4, 5 * n // 2)
    left = [record.uniform(rng, "number")[record.ties[:, 1] == 3, 1] for record in found]
    columns.add("action", [*left, np.full(n, -1.0)], joint=False)
    # nothing but exploring; sums of all values, which arms that repeat each other spread
    found = _records(student, 1.0, int(rng.integers(20, 60)), 4, 20, n)
    columns.add("value", [record.value[:, 19] for record in found], joint=False)
    columns.add("value", [record.value.sum(1) / np.sqrt(20) for record in found], joint=False)
    columns.add("noise", [record.noise[:, 3] for record in found], joint=False)
    columns.add("action", [record.uniform(rng, "number")[:, 3] for record in found])
    columns.add("action", [record.uniform(rng, "estimate")[:, 2] for record in found], joint=False)
    columns.add("action", [record.uniform(rng, "value")[:, 3] for record in found], joint=False)
    # a single trial, so few arms that two runs are seen to draw opposite ones
    found = _records(student, float(rng.uniform(0.0, 0.1)), 200, 1, int(rng.integers(2, 4)), n)
    columns.add("value", [record.value[:, 0] for record in found], joint=False)
    columns.add("value", [record.taken[:, 0] for record in found], joint=False)
    columns.add("noise", [record.noise[:, 0] for record in found], joint=False)
    columns.add("action", [record.uniform(rng, "number")[:, 0] for record in found])
    # hardly any exploring
    found = _records(student, 0.01, n // 2, 80, 10, n)
    columns.add("noise", [record.noise[:, 79] for record in found], joint=False)
    columns.add("noise", [record.noise.sum(1) / np.sqrt(80) for record in found], joint=False)
    columns.add("action", [record.rare(rng, 0.01) for record in found], joint=False)
    return columns.metrics()


def as_uniform(x):
    """Φ(x) for standard normal x, by linear interpolation in a fine table of the trapezoid rule."""
    grid = np.linspace(-9.0, 9.0, 18_001)
    density = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)
    below = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)]) * (18 / 18_000)
    return np.interp(x, grid, below / below[-1])


def few_runs(student, rng, n):
    """Calls of one run, and of two: values, noise and actions of each, as uniform numbers.

    Whether two runs explore shows in many arms, of which one is mostly greedy alone in the fourth
    trial; whether values depend on those of other arms, in two.
    """
    found = []
    for runs, steps, arms in ((1, 2, 2), (2, 4, int(rng.integers(6, 9)))):
        epsilon = float(rng.uniform(0.4, 0.6))
        calls = student.independent("testbed", epsilon, runs, steps, arms, replicates=n)
        value, action, reward = (np.concatenate(part) for part in zip(*calls, strict=True))
        record = Record(epsilon, value, action, reward)
        uniform = record.uniform(rng, "number").reshape(n, runs, steps)
        value = as_uniform(record.value).reshape(n, runs, arms)
        noise = as_uniform(record.noise).reshape(n, runs, steps)
        found += [value[:, 0, 0], value[:, 0, 1], uniform[:, 0, -1], noise[:, 0, 0]]
        if runs == 1:
            found += [uniform[:, 0, 0], noise[:, 0, 1]]
        else:
            found += [value[:, 1, 0], uniform[:, 1, 0], uniform[:, 1, -1], noise[:, 1, 0]]
    table = np.column_stack(found)
    return {"uniform": table, "joint": table}


def has_moments(noise):
    """Whether the means of the first four Hermite polynomials are within 7.5 standard errors of 0.

    The fourth tells a sum of a dozen uniform numbers from a normal one.
    """
    with np.errstate(all="ignore"):
        square = noise**2
        fourth = (square - 6) * square + 3
        hermite = (noise, 1), (square - 1, 2), ((square - 3) * noise, 6), (fourth, 24)
        off = [abs(value.mean()) * np.sqrt(noise.size / var) for value, var in hermite]
    return all(part < 7.5 for part in off)


def is_new(numbers):
    """Whether numbers [runs trials] of one law are uncorrelated with later ones, trials or runs.

    At every distance up to half of their count the correlation is within 7.5 standard errors of 0.
    """
    finite = np.where(np.isfinite(numbers), numbers, 0.0)
    for row in (finite.ravel(), finite.T.ravel()):
        n = row.size
        distance = np.arange(1, n // 2)
        with np.errstate(all="ignore"):
            products = np.fft.irfft(np.abs(np.fft.rfft(row - row.mean(), 2 * n)) ** 2)[distance]
            near = np.abs(products) <= 7.5 * np.sqrt(n - distance) * row.var()
        if not near.all():
            return False
    return True


def greedy(student, rng):
    """Whether every action is possible where ε = 0, or there is one arm alone: bool.

    An action counts only if its reward is finite and not the value, as that of a noisy arm is. In a
    long run what tells a mean from another average is an arm that falls behind late, which few do:
    there are many such runs, and one number for each. Then two for the law of all their noise, and
    whether it is drawn anew; and one for the actions of long runs with ε about one half.
    """
    some = (int(rng.integers(20, 60)), int(rng.integers(20, 60)), int(rng.integers(3, 12)))
    calls = [(0.0, *size) for size in ((300, 1000, 8), (1, 30, 3), (1, 1, 2), (7, 1, 20), some)]
    calls += [(0.0, 2, 20, 1), (1.0, 1, 1, 1), (float(rng.uniform(0.1, 0.9)), 3, 5, 1)]
    right = []
    for epsilon, runs, steps, arms in calls:
        found = student.testbed(epsilon, runs, steps, arms, student.generator())
        record = Record(0.0, *found)
        noisy = np.isfinite(record.noise) & (record.noise != 0)
        right.append(((record.chance > 0) & record.inside & noisy).all(axis=1))
        if record.noise.size > MANY:
            right.append([has_moments(record.noise), is_new(record.noise)])
    epsilon = float(rng.uniform(0.4, 0.6))
    found = student.testbed(epsilon, 6, 1000, 4, student.generator())
    right.append([is_new(Record(epsilon, *found).uniform(rng, "number"))])
    return {"best": np.concatenate(right)}


def generator(student, rng):
    """Whether two calls agree whose generators are in one state."""
    same = []
    for runs in (1, 2, 7, int(rng.integers(30, 90))):
        for epsilon in (0.0, float(rng.uniform(0.3, 0.7))):
            seed = student.generator()
            first, second = (student.testbed(epsilon, runs, 12, 4, seed) for _ in range(2))
            same += [np.array_equal(x, y) for x, y in zip(first, second, strict=True)]
    return {"same": np.array(same)}


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}
