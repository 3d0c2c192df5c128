"""What is measured of mdp-aliased-grid: observations, values, steps, and the best probability.

Grids of all sizes with walls and ends anywhere; some of the walls are marked as ends, too, and
prizes are given to every cell, though only those of ends are ever paid. Neither the geometry nor
the policies have a symmetry.
"""

import numpy as np

MOVES = ((0, 1), (0, -1), (-1, 0), (1, 0))  # right, left, up, down
SHAPES = ((1, 1), (1, 24), (24, 1), (4, 6), (3, 8), (12, 2))
LONGEST = 1e7  # the largest condition scale of steps; beyond it, rounding hides mistakes
WORST = 1e6


def _shape(rng):
    """(rows, columns), at least two of each and at most 24 cells."""
    rows = int(rng.integers(2, 7))
    return rows, int(rng.integers(2, 24 // rows + 1))


def _policy(rng, kind):
    """[16, 4]: all actions everywhere; only right and left, or any two; some certain rows."""
    pi = rng.dirichlet(np.ones(4), 16) + 0.05
    if kind == "two":
        kept = np.argsort(rng.random((16, 4)), axis=1) < 2
        pi = np.where(kept, pi, 0.0)
    elif kind == "certain":
        sure = rng.random(16) < 0.6
        pi[sure] = np.eye(4)[rng.integers(0, 4, sure.sum())]
    elif kind == "rare":
        sure = rng.random(16) < 0.5
        pi[sure] = np.eye(4)[rng.integers(0, 4, sure.sum())]
        some = rng.random((16, 4)) < 0.5
        least = rng.choice([-14.0, -300.0], (16, 4))
        pi = np.where(some, pi * 10 ** rng.uniform(least, -11.0), pi)
    return pi / pi.sum(1, keepdims=True)


def _chain(walls, ends, width, pi):
    """The probability of each step between cells; rows of walls and ends are 0."""
    height = len(walls) // width
    steps = np.zeros((len(walls), len(walls)))
    for s in np.flatnonzero(~walls & ~ends):
        row, column = divmod(int(s), width)
        places = [(row + down, column + right) for down, right in MOVES]
        free = [
            0 <= r < height and 0 <= c < width and not walls[r * width + c] for r, c in places
        ]
        seen = sum(2**a for a in range(4) if not free[a])
        for a, (r, c) in enumerate(places):
            steps[s, r * width + c if free[a] else s] += pi[seen, a]
    return steps


def _surely(walls, ends, chain):
    """Whether the episode surely ends from each cell; it does at once in walls and ends."""
    reach = np.eye(len(walls), dtype=bool) | (chain > 0)
    for _ in range(5):
        reach = (reach.astype(float) @ reach) > 0
    lost = ~(reach & (walls | ends)).any(1)
    return ~(reach & lost).any(1)


def _solved_scale(chain, size, among):
    """(I - M)⁻¹ (I + M) (I - M)⁻¹ size: what rounding in the linear system may come to."""
    step, size, scale = chain[among][:, among], size[among], np.zeros(len(among))
    inverse = np.linalg.inv(np.eye(len(size)) - step)
    scale[among] = inverse @ ((np.eye(len(size)) + step) @ (inverse @ size))
    return scale


def _grid(rng, rows, columns, walls=0.2, ends=0.15):
    """(walls, ends, prize, width): an end in an open cell wherever there is more than one cell."""
    cells = rows * columns
    blocked, over = rng.random(cells) < walls, rng.random(cells) < ends
    if cells > 1:
        place = rng.permutation(cells)
        blocked[place[:2]], over[place[:2]] = False, [True, False]
    prize = np.where(rng.random(cells) < 0.2, 0.0, rng.uniform(-3.0, 5.0, cells))
    return blocked, over, prize, columns


def _moved(first, second):
    """`first`, its cells moved on by one but for the first and last; where no cell changes, second.

    So neither these two nor the number of walls, or of ends, tells the arrays apart.
    """
    moved = np.concatenate([first[:1], np.roll(first[1:-1], 1), first[-1:]])
    return second if np.array_equal(moved, first) else moved


def _picture():
    """The grid of the lecture's slide."""
    return np.arange(10) % 5 % 2 * (np.arange(10) > 4) > 0, np.array([0] * 5 + [1, 0, 1, 0, 1]) > 0


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}


def observations(student, rng):
    """Numbers of walls, in open and in crowded grids of all sizes."""
    calls = [(walls, int(width)) for walls, _, _, width in _grids(rng)]
    calls += [(np.zeros(24, dtype=bool), width) for width in (1, 24)]
    calls += [(np.ones(4, dtype=bool), 2)]
    calls += [(np.array([wall]), 1) for wall in rng.permutation([False, True])]
    calls += [(rng.random(24) < 0.5, width) for width in (1, 2, 3, 4, 6, 8, 12, 24)]
    walls = rng.random(12) < 0.4
    walls[4:8] = rng.permutation([True, True, False, False])
    inner = np.isin(np.arange(12), range(4, 8))  # as many walls, others in the middle
    calls += student.domain.replaced((walls, 3), (walls ^ inner, 4))
    seen = np.concatenate([student.observe(*call) for call in calls]).astype(float)
    return {"seen": seen, "seen__scale": np.full(len(seen), 8.0)}


def _grids(rng):
    """Grids of the sizes at the edges of the domain, and of others."""
    shapes = [*SHAPES, *(_shape(rng) for _ in range(5))]
    return [*(_grid(rng, *shape) for shape in shapes), _grid(rng, 3, 3, walls=0.0)]


def _only(walls, over):
    """A single cell."""
    return np.array([walls]), np.array([over]), np.array([4.0]), 1


def discounted(student, rng):
    """Values at all discounts, of policies of all kinds, stuck ones among them."""
    grids = [*_grids(rng), _only(False, True), _only(True, True), _only(False, False)]
    walls, ends = _picture()
    grids.append((walls, ends, rng.uniform(-2.0, 2.0, 10), 5))
    calls = []
    for place, (walls, ends, prize, width) in enumerate(grids):
        gammas = [0.0, 0.999, 10 ** rng.uniform(-8.0, -3.0), *rng.uniform(0.3, 0.99, len(grids))]
        pi = _policy(rng, ("all", "two", "certain")[place % 3])
        step, gamma = float(rng.normal(0, 2)), float(gammas[place])
        calls.append((walls, ends, prize, width, step, pi, gamma))
    for step, gamma, unit in ((-10.0, 0.999, 1), (10.0, 0.0, 1), (0.0, 0.9, 1), (0.0, 0.5, 1e-12)):
        walls, ends, prize, width = _grid(rng, 3, 8)
        prize = unit * student.domain.draw(rng, "prize", 24)
        calls.append((walls, ends, prize, width, step, _policy(rng, "all"), gamma))
    grids = [_grid(rng, *shape, ends=0.3) for shape in ((3, 4), (4, 3))]
    both = [
        (*grid, float(rng.normal(0, 2)), _policy(rng, "all"), float(rng.uniform(0.5, 0.9)))
        for grid in grids
    ]
    cells = (_moved(*arrays) for arrays in zip(both[0][:3], both[1][:3], strict=True))
    calls += student.domain.replaced(both[0], (*cells, *both[1][3:]))
    found = np.concatenate([student.policy_values(*call) for call in calls])
    return {"v": found, "v__scale": np.concatenate([_value_scale(*call) for call in calls])}


def _value_scale(walls, ends, prize, width, step, pi, gamma):
    going, chain = ~walls & ~ends, _chain(walls, ends, width, pi)
    size = np.where(going, abs(step) + chain @ np.where(ends, np.abs(prize), 0.0), 0.0)
    return _solved_scale(gamma * chain, size, np.ones(len(walls), dtype=bool))


def _walk(rng, kind, make, good):
    """(walls, ends, width, pi), the cells that go on and surely end, and the scale.

    Drawn until some cell does, no walk is too long, and `good` says so of the steps and cells.
    """
    while True:
        walls, ends, _, width = make()
        pi = _policy(rng, kind)
        chain = _chain(walls, ends, width, pi)
        surely = _surely(walls, ends, chain)
        among = surely & ~walls & ~ends
        if not among.any() or not good(walls | ends, chain, surely):
            continue
        if np.linalg.cond(np.eye(among.sum()) - chain[among][:, among]) > WORST:
            continue
        scale = _solved_scale(chain, np.ones(len(walls)), among)
        if np.all(scale < LONGEST):
            return (walls, ends, width, pi), among, scale


def _any(over, chain, surely):
    return True


def _both(over, chain, surely):
    """Some cell does not surely end."""
    return not surely.all()


def _hardly(over, chain, surely):
    """Some cell surely ends if steps of the smallest probabilities are left out, and only then."""
    return (_surely(over, over, np.where(chain > 1e-10, chain, 0.0)) & ~surely).any()


def _may(over, chain, surely):
    """Some cell may end and may not."""
    reach = np.linalg.matrix_power(np.eye(len(over)) + chain, 24) > 0
    return ((reach & over).any(1) & ~surely).any()


def _snake(rng):
    """A way that winds through a grid of 7 x 3 or 3 x 7 cells, the end at one side of it."""
    way = np.ones((7, 3), dtype=bool)
    way[1::2] = False
    way[[1, 5], 2] = way[3, 0] = True
    ends = np.zeros((7, 3), dtype=bool)
    ends[rng.choice([0, 6]), 0] = True
    if rng.random() < 0.5:
        way, ends = way.T, ends.T
    return ~way.ravel(), ends.ravel(), np.zeros(21), way.shape[1]


def _long(rng, stuck_first, far=False):
    """A row or column of 24 cells with an end inside; one of its last cells is never left.

    With `far` the end is the other one of the last cells.
    """
    width = int(rng.choice([1, 24]))
    ways, middle, first, last = ([0, 1], 12, 14, 13) if width > 1 else ([3, 2], 3, 7, 11)
    pi = _policy(rng, "all")
    onward = rng.uniform(0.45, 0.55)
    pi[middle] = 0.0
    pi[middle, ways] = onward, 1 - onward
    pi[first if stuck_first else last] = np.eye(4)[ways[1] if stuck_first else ways[0]]
    end = (23 if stuck_first else 0) if far else rng.integers(9, 15)
    ends = np.arange(24) == end
    walls = np.zeros(24, dtype=bool)
    chain = _chain(walls, ends, width, pi)
    among = _surely(walls, ends, chain) & ~ends
    return (walls, ends, width, pi), among, _solved_scale(chain, np.ones(24), among)


def _slow(rng):
    """A cell beside an end, to which it leads hardly ever."""
    part = 10 ** rng.uniform(-10.0, -8.0)
    walls, ends = np.zeros(2, dtype=bool), np.array([False, True])
    pi = _policy(rng, "all")
    pi[14] = [part, *(1 - part) * rng.dirichlet(np.ones(3))]
    chain = _chain(walls, ends, 2, pi)
    return (walls, ends, 2, pi), ~ends, _solved_scale(chain, np.ones(2), ~ends)


def undiscounted(student, rng):
    """Steps until the end; from where they are infinite is a metric of its own."""
    cases = []
    for kind, good in (("all", _any), ("two", _both), ("certain", _may), ("rare", _hardly)):
        for _ in range(3):
            cases.append(_walk(rng, kind, lambda: _grid(rng, *_shape(rng)), good))
    for shape in SHAPES[1:]:
        make = lambda shape=shape: _grid(rng, *shape)  # noqa: E731
        cases.append(_walk(rng, "all", make, _any))
    cases += [_walk(rng, "all", lambda: _snake(rng), _any) for _ in range(2)]
    cases += [_long(rng, stuck_first) for stuck_first in (False, True)]
    cases += [_long(rng, bool(rng.integers(2)), far=True), _slow(rng)]
    for walls, ends, _, width in (_only(True, False), _only(False, True), _only(False, False)):
        case = (walls, ends, width, _policy(rng, "all"))
        cases.append((case, np.zeros(1, dtype=bool), np.zeros(1)))
    for p in (0.0, 1.0, float(rng.uniform(0.2, 0.8))):
        walls, ends = _picture()
        pi = _policy(rng, "all")
        pi[[4, 5, 6, 12]] = [[0, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0], [p, 1 - p, 0, 0]]
        chain = _chain(walls, ends, 5, pi)
        among = _surely(walls, ends, chain) & ~walls & ~ends
        cases.append(((walls, ends, 5, pi), among, _solved_scale(chain, np.ones(10), among)))
    first, second = (
        _walk(rng, "all", lambda shape=shape: _grid(rng, *shape, walls=0.1), _any)[0]
        for shape in ((3, 4), (4, 3))
    )
    cells = (_moved(*arrays) for arrays in zip(first[:2], second[:2], strict=True))
    for call in student.domain.replaced(first, (*cells, *second[2:])):
        walls, ends, width, pi = call
        chain = _chain(walls, ends, width, pi)
        among = _surely(walls, ends, chain) & ~walls & ~ends
        cases.append((call, among, _solved_scale(chain, np.ones(12), among)))
    found = np.concatenate([student.expected_steps(*call) for call, _, _ in cases])
    scale = np.concatenate([scale for _, _, scale in cases])
    endless = np.concatenate([~case[0] & ~case[1] & ~among for case, among, _ in cases])
    stuck = np.isposinf(found)
    return {
        "stuck": stuck.astype(float),
        "stuck__scale": np.ones(len(stuck)),
        "t": np.where(endless, 0.0, found),
        "t__scale": scale,
    }


def _steps(start, diamond, p, q):
    """The mean steps to the diamond, [...], for p of the same shape and q = 1 - p."""
    total = np.ones_like(p)
    sides = ((start[:diamond], p, q), (start[:diamond:-1], q, p))
    with np.errstate(all="ignore"):
        for weights, inwards, outwards in sides:
            tau = np.ones_like(p)
            for place, reached in enumerate(np.cumsum(weights)):
                tau = (1 + outwards * tau) / inwards if place else tau
                total = total + (reached * tau if reached > 0 else 0.0)
    return total


def _fewest(start, diamond):
    """The least of the mean steps over all p, by finer and finer grids of log p / (1 - p)."""
    low, high = -40.0, 40.0
    for _ in range(25):
        z = np.linspace(low, high, 41)
        steps = _steps(start, diamond, 1 / (1 + np.exp(-z)), 1 / (1 + np.exp(z)))
        place = int(np.argmin(steps))
        low, high = z[max(place - 1, 0)], z[min(place + 1, 40)]
    sure = [_steps(start, diamond, np.float64(p), np.float64(1 - p)) for p in (0, 1)]
    return min(steps.min(), *sure)


def _starts(student, rng):
    """(start, diamond): corridors of all lengths, starts of all kinds, one side only among them."""
    calls = [(np.ones(1), 0), (np.array([0.3, 0.7]), 0), (np.array([0.3, 0.7]), 1)]
    calls += [(rng.dirichlet(np.ones(12)), diamond) for diamond in (1, 10)]
    for size in (3, 4, 5, 6, 9, *(student.domain.size(rng, "n") for _ in range(3))):
        calls.append((rng.dirichlet(np.ones(size)), int(rng.integers(0, size))))
    for size, diamond in ((5, 2), (5, 2), (7, 2), (12, 3), (12, 8), (8, 4)):
        side = rng.permutation(2).repeat([diamond, size - diamond])
        start = rng.dirichlet(np.full(size, 0.6)) * side
        start = 0.1 * rng.dirichlet(np.ones(size)) + 0.9 * start / start.sum()
        calls.append((start, diamond))
    for size, diamond, side in ((6, 3, 0), (6, 2, 1), (12, 6, 0), (12, 5, 1)):
        start = rng.dirichlet(np.ones(size))
        start[: diamond + 1] *= side == 0
        start[diamond:] *= side == 1
        calls.append((start / start.sum(), diamond))
    rare = np.array([1e-6, 2e-6, 0.1, 0.5, 0.4 - 3e-6])
    calls += [(rare, 2), (rare[::-1].copy(), 2), (np.eye(7)[3], 3), (np.eye(7)[0], 3)]
    least = 10 ** rng.uniform(-10.0, -8.0)
    calls.append((np.array([least, 2 * least, 0.1, 0.5, 0.4 - 3 * least]), 2))
    both = [(rng.dirichlet(np.ones(8)), diamond) for diamond in (3, 5)]
    return calls + student.domain.replaced(*both)


def corridors(student, rng):
    """By which part the steps at the probability that was found exceed the fewest there can be."""
    excess = []
    for start, diamond in _starts(student, rng):
        p = np.float64(student.best_right(start, diamond))
        steps = _steps(start, diamond, p, 1 - p) if 0 <= p <= 1 else np.inf
        excess.append(min(float(steps / _fewest(start, diamond)) - 1.0, WORST))
    return {"excess": np.array(excess)}
