"""What is measured of mdp-value-iteration: single sweeps, whole runs, policies and tables.

Where the optimum must be known, it is drawn first and the rewards follow from Bellman's equation,
so that no instance has to be solved here. Rows of P and R that belong to terminal states hold a
self-loop with a reward, which nothing may ever collect, or numbers that are no probabilities.
"""

import numpy as np


def _transitions(rng, states, actions, terminal):
    """P [states, actions, states]: some successors likely, others hardly; terminals absorbing."""
    p = rng.dirichlet(np.full(states, 0.5), (states, actions))
    p[terminal] = np.eye(states)[terminal][:, None, :]
    return p


def _terminals(rng, states, count):
    terminal = np.zeros(states, dtype=bool)
    terminal[rng.permutation(states)[:count]] = True
    return terminal


def _solved(rng, states, gamma, terminals, rare=1.0):
    """(P, R, terminal, Q*): a square MDP whose optimum was drawn; `rare` thins out episode ends."""
    terminal = _terminals(rng, states, terminals)
    p = _transitions(rng, states, states, terminal)
    p[~terminal] *= np.where(terminal, rare, 1.0)
    p[~terminal] /= p[~terminal].sum(2, keepdims=True)
    q = 10.0 + 0.5 * rng.integers(-8, 9, (states, states))
    q[terminal] = 0.0
    r = q - gamma * p @ q.max(1)
    r[terminal] = rng.uniform(2.0, 5.0, (terminals, states))
    return p, r, terminal, q


def _size(student, rng, axis, least=1):
    """A size of the domain, drawn, not below `least`."""
    return int(rng.integers(least, student.domain.sizes(axis)[1] + 1))


def _pair(student, rng):
    """(P, R, terminal, γ) twice, of one size; each part of either fits the rest of the other.

    P holds probabilities in every row, so `terminal` can change alone.
    """
    states, actions = _size(student, rng, "s", 4), _size(student, rng, "a")
    terminal = _terminals(rng, states, int(rng.integers(1, states // 3 + 1)))
    nowhere = np.zeros(states, dtype=bool)
    return [
        (
            _transitions(rng, states, actions, nowhere),
            rng.normal(0.0, 3.0, (states, actions)),
            over,
            float(gamma),
        )
        for over, gamma in ((terminal, rng.uniform(0.7, 0.8)), (~terminal, rng.uniform(0.81, 0.9)))
    ]


def _sup(array):
    with np.errstate(all="ignore"):
        return np.abs(array).max()


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}


def _sweep_scale(p, r, terminal, gamma, v):
    """Of a sweep's result, without the rows of P in terminal states: they reach no result."""
    p = np.where(terminal[:, None, None], 0.0, p)
    return np.abs(r) + gamma * p @ np.abs(v)


def _swept(student, calls):
    values = [student.backup(*call).ravel() for call in calls]
    scales = [_sweep_scale(*call).ravel() for call in calls]
    return {"q": np.concatenate(values), "q__scale": np.concatenate(scales)}


def one_sweep(student, rng):
    """No state is terminal; as many actions as states, or fewer, or more, or one of either.

    In the last MDP a state is never left and pays nothing, but has a value; two others are alike.
    """
    calls, square = [], int(rng.integers(2, 9))
    few, many = int(rng.integers(2, 5)), int(rng.integers(5, 9))
    for states, actions, gamma in (
        (1, 8, 0.999),
        (_size(student, rng, "s", 2), 1, 1.0),
        (24, _size(student, rng, "a"), 0.01),
        (square, square, rng.uniform(0.3, 0.99)),
        (few, many, rng.uniform(0.3, 0.99)),
        (many, few, rng.uniform(0.3, 0.99)),
    ):
        terminal = np.zeros(states, dtype=bool)
        p = _transitions(rng, states, actions, terminal)
        r, v = rng.normal(0.0, 3.0, (states, actions)), rng.normal(2.0, 4.0, states)
        if states == 24:
            r, v = student.domain.draw(rng, "R", 24, actions), student.domain.draw(rng, "V", 24)
        if (states, actions) == (many, few):
            p[1], r[1] = np.eye(states)[1], 0.0
            p[2], r[2] = p[3], r[3]
        calls.append((p, r, terminal, float(gamma), v))
    return _swept(student, calls)


def one_sweep_terminal(student, rng):
    """Terminal states with a reward and a value, none of which may count.

    Their rows of P are self-loops in the first MDPs, then anything up to the largest numbers, and
    probabilities where one argument after another changes alone.
    """
    calls, square = [], int(rng.integers(2, 9))
    few, many = int(rng.integers(2, 5)), int(rng.integers(5, 9))
    for states, actions, anything in (
        (square, square, False),
        (many, few, False),
        (few, many, False),
        (1, 1, True),
        (24, _size(student, rng, "a"), True),
    ):
        ends = int(rng.integers(1, states // 2 + 1)) if states > 1 else 1
        terminal = _terminals(rng, states, ends)
        p = _transitions(rng, states, actions, terminal)
        r, v = rng.normal(0.0, 3.0, (states, actions)), rng.normal(0.0, 4.0, states)
        r[terminal] = rng.uniform(1.0, 3.0, (ends, actions))
        v[terminal] = rng.uniform(3.0, 9.0, ends)
        if anything:
            p[terminal] = rng.integers(-1, 2, (ends, actions, states))
            p[terminal] *= 10.0 ** rng.choice([0, 100], (ends, 1, 1))
            p[np.flatnonzero(terminal)[0]] = 1e100 if states == 1 else 0.0
        calls.append((p, r, terminal, float(rng.uniform(0.3, 1.0)), v))
    first, second = _pair(student, rng)
    values = rng.normal(2.0, 4.0, (2, len(first[2])))
    calls += student.domain.replaced((*first, values[0]), (*second, values[1]))
    return _swept(student, calls)


def fixed_point(student, rng):
    """A sweep from the optimum changes nothing."""
    residuals, scales = [], []
    for gamma in rng.uniform(0.4, 0.98, 4):
        p, r, terminal, q = _solved(rng, 6, float(gamma), 1)
        residuals.append(student.backup(p, r, terminal, float(gamma), q.max(1)) - q)
        scales.append(np.abs(q) + np.abs(r) + 2 * gamma * p @ q.max(1))
    return {"residual": np.stack(residuals), "residual__scale": np.stack(scales)}


def contraction(student, rng):
    """How much further than γ times the error before Q_i lies from Q*, i = 1…8; 0 if not."""
    excess, scales = [], []
    for gamma in rng.uniform(0.6, 0.95, 6):
        p, r, terminal, q = _solved(rng, 5, float(gamma), 1)
        before = _sup(q)
        for sweeps in range(1, 9):
            found, _ = student.value_iteration(p, r, terminal, float(gamma), 0.0, sweeps)
            after = _sup(found - q)
            with np.errstate(all="ignore"):
                excess.append(np.maximum(after - gamma * before, 0.0))
            scales.append((np.abs(r).max() + np.abs(q).max()) / (1 - gamma))
            before = after
    return {"excess": np.array(excess), "excess__scale": np.array(scales)}


def _ladder(rng, states, actions):
    """Every action leads to a state of a lower number; all of it is known after `states` sweeps.

    Two states are alike.
    """
    p, r = np.zeros((states, actions, states)), rng.normal(0.0, 3.0, (states, actions))
    for state in range(1, states):
        p[state, :, :state] = rng.dirichlet(np.ones(state), actions)
    p[2], r[2] = p[1], r[1]
    return p, r, np.arange(states) == 0


def _loop(actions, rewards):
    """One state that is never left."""
    return np.ones((1, actions, 1)), np.reshape(rewards, (1, actions)), np.zeros(1, dtype=bool)


def _runs(student, rng):
    """(P, R, terminal, γ, tol, max_sweeps): ordinary runs, then the edges of sizes and ranges."""
    for gamma in rng.uniform(0.3, 0.95, 6):
        tol = float(10 ** rng.uniform(-5.0, -1.0))
        states, ends = _size(student, rng, "a", 4), int(rng.integers(0, 3))
        p, r, terminal, _ = _solved(rng, states, float(gamma), ends, rare=0.2)
        yield p, r, terminal, float(gamma), tol, 1100
    halvings = int(rng.integers(2, 9))
    yield *_loop(1, [3.0]), 0.5, 3.0 * 0.5**halvings, 1100  # the last change is the threshold
    # three times 3/2 of the last change, as (1 - γ)/γ is 3
    yield *_loop(1, [3.0]), 0.25, 1.5 * 0.25**halvings, 1100
    yield *_loop(8, -rng.uniform(5e3, 1e4, 8)), 0.999, 0.01, 1100  # values far below any reward
    yield *_ladder(rng, 7, 1), float(rng.uniform(0.5, 0.9)), 0.0, 50
    wide = student.domain.draw(rng, "R", 24, 8)
    wide[1] = -rng.uniform(10.0, 1e4, 8)
    yield _transitions(rng, 24, 8, np.zeros(24, bool)), wide, np.zeros(24, bool), 0.01, 100.0, 9
    p, r, terminal, _ = _solved(rng, 3, 0.5, 1)
    yield p, r, terminal, 0.5, 1e-5, 1
    yield p, r, np.ones(3, dtype=bool), 0.5, 1e-5, 1100
    # tolerances over their whole range: a change above one and half of it below, by a known part
    for tol, most, part in (
        (1e-5, 29, rng.uniform(0.02, 0.2)),
        (10 ** rng.uniform(-5.0, 2.0), 6, rng.uniform(0.2, 0.8)),
        (rng.uniform(20.0, 100.0), 6, rng.uniform(0.2, 0.8)),
        (100.0, 6, rng.uniform(0.8, 0.98)),
    ):
        yield *_loop(1, [tol * 2 ** (rng.integers(1, most) + part)]), 0.5, float(tol), 1100
    first, second = _pair(student, rng)
    far, near = float(10 ** rng.uniform(-4.0, -3.0)), float(rng.uniform(0.5, 2.0))
    few = int(rng.integers(1, 3))
    yield from student.domain.replaced((*first, far, 1100), (*second, near, few))


def sweeps(student, rng):
    """When the iteration stops and with what, for discounts and tolerances over a wide range.

    A value has the size of its reward, and that of what follows, whose rounding adds up by sweeps.
    """
    values, scales = [], []
    for p, r, terminal, gamma, tol, most in _runs(student, rng):
        found, count = student.value_iteration(p, r, terminal, gamma, tol, most)
        steps = min(1 / (1 - gamma), most)
        values += [[count], found.ravel()]
        scales += [[1.0], np.full(r.size, np.abs(r).max() * (1 + steps**2))]
    return {"n": np.concatenate(values).astype(float), "n__scale": np.concatenate(scales)}


def within_tol(student, rng):
    """By how much ‖Q - Q*‖ exceeds tol where episodes are long and γ is close to 1; 0 if not."""
    excess, scales = [], []
    for gamma in rng.uniform(0.95, 0.985, 3):
        tol = float(10 ** rng.uniform(-3.0, -2.0))
        p, r, terminal, q = _solved(rng, 6, float(gamma), 1, rare=0.02)
        found, _ = student.value_iteration(p, r, terminal, float(gamma), tol, 1100)
        with np.errstate(all="ignore"):
            excess.append(np.maximum(_sup(found - q) - tol, 0.0))
        scales.append((np.abs(r).max() + np.abs(q).max()) / (1 - gamma))
    return {"excess": np.array(excess), "excess__scale": np.array(scales)}


def _costs(rng, states, actions, trapped):
    """A deterministic graph with costs: state 0 ends it, the last `trapped` states are a ring.

    In a ring, a value that the same sweep has already changed always shows. One action of every
    state outside leads to the state before it, so a way out exists, and every step costs
    something, so no best policy stays there for ever.
    """
    out = states - trapped
    target = rng.integers(0, out, (states, actions))
    target[1:out, 0] = np.arange(out - 1)
    target[out:] = np.roll(np.arange(out, states), -1)[:, None]
    target[0] = 0
    target = rng.permuted(target, axis=1)
    cost = rng.uniform(0.5, 2.0, (states, actions))
    return np.eye(states)[target], -cost, np.arange(states) == 0


def undiscounted(student, rng):
    """Q and the number of sweeps at γ = 1: on graphs that end, and on one that never does.

    Two graphs of one size follow each other, so that what is kept from one call shows in the next.
    The second has costs of 1e-12, below what a threshold may be rounded up to.
    """
    values, scales = [], []
    states = int(rng.integers(6, 10))
    graphs = ((states, 0, 60, 1.0), (states, 0, 60, 1e-12), (8, 2, 17, 1.0))
    for size, trapped, most, unit in graphs:
        p, r, terminal = _costs(rng, size, 3, trapped)
        found, count = student.value_iteration(p, unit * r, terminal, 1.0, 0.01, most)
        values += [found.ravel(), [count]]
        scales += [np.full(found.size, 2.0 * most * unit), [1.0]]
    return {"q": np.concatenate(values), "q__scale": np.concatenate(scales)}


def _alike(student, rng):
    """(stars, width, step, bonus) of one grid, then each replaced alone, then both rewards.

    Quarters keep sums exact: with as much more for a step as less for a star, an action that
    reaches one has the same reward. That reward, the step or the bonus is 0 in the last grids.
    """
    cells = int(rng.choice([6, 8, 12, 18, 20, 24]))
    inner = [width for width in range(2, cells) if cells % width == 0]
    widths = [int(width) for width in rng.permutation(inner)[:2]]
    stars = _terminals(rng, cells, int(rng.integers(1, cells // 2 + 1)))
    steps = 0.25 * rng.permutation(np.arange(-20, 0))[:2]
    bonuses = 0.25 * rng.permutation(np.arange(1, 41))[:2]
    first, second = zip((stars, ~stars), widths, steps, bonuses, strict=True)
    yield from student.domain.replaced(first, second)
    more = 0.25 * rng.integers(1, 20)
    yield *first[:2], steps[0] + more, bonuses[0] - more
    for step, bonus in ((more, -more), (0.0, bonuses[0]), (steps[0], 0.0), (-more, more)):
        yield *first[:2], step, bonus


def _grids(student, rng):
    """(stars, width, step, bonus): the lecture's rewards first; the edges of all sizes."""
    height, width = (int(size) for size in rng.permutation(np.arange(3, 6))[:2])
    step, bonus = (student.domain.draw(rng, f"star_grid.{name}", 6) for name in ("step", "bonus"))
    for rows, columns, count, each, extra in (
        (height, width, int(rng.integers(1, 4)), -1.0, 10.0),
        (width, height, int(rng.integers(2, 5)), step[0], bonus[0]),
        (4, 4, 0, step[1], bonus[1]),
        (1, 1, 0, step[2], bonus[2]),
        (1, 1, 1, step[3], bonus[3]),
        (1, 24, int(rng.integers(1, 9)), step[4], bonus[4]),
        (24, 1, int(rng.integers(1, 9)), step[5], bonus[5]),
        (2, 3, 6, 10.0, -20.0),
        (3, 2, 2, 10.0, -20.0),
        (5, 3, 4, -10.0, 20.0),
    ):
        yield _terminals(rng, rows * columns, count), columns, each, extra
    yield from _alike(student, rng)


def grid(student, rng):
    """Tables of grids with drawn stars, some of one row, one column or one cell."""
    values, scales = [], []
    for stars, width, step, bonus in _grids(student, rng):
        p, r = student.star_grid(stars, width, float(step), float(bonus))
        values += [r.ravel(), p.ravel()]
        scales += [np.full(r.size, abs(step) + abs(bonus)), np.ones(p.size)]
    return {"tables": np.concatenate(values), "tables__scale": np.concatenate(scales)}


def _close_values(student, rng):
    """Q [24, 8]: the best of a row leads by 1e-9 to 1e-1, in front of the second or behind it.

    The second to fourth row hold values from all of their range, two of them in order of size; the
    first one holds nothing but the smallest.
    """
    q = rng.normal(-2.0, 1.0, (24, 8))
    narrow, wide = rng.uniform(-9.0, -8.0, 20), rng.uniform(-8.0, -1.0, 20)
    for row, ahead in enumerate(10 ** np.where(np.arange(20) % 4 < 2, narrow, wide), 4):
        second, first = np.sort(rng.permutation(8)[:2])[:: 1 if row % 2 else -1]
        q[row, first] = q[row].max()
        q[row, second] = q[row, first] - ahead
    q[:4] = student.domain.draw(rng, "greedy.Q", 4, 8)
    q[2:4] = np.sort(q[2:4])
    q[3] = q[3, ::-1]
    q[1, rng.permutation(8)[:2]] = 1e4
    q[0] = -1e4
    return q


def policy(student, rng):
    """Of π: its value minus the optimal one, its row sums minus 1, its negative mass.

    Two tables are of one size and have the same first row: what is remembered of the first is wrong
    for the second.
    """
    square, many = int(rng.integers(4, 9)), _size(student, rng, "s", 9)
    few = int(rng.integers(2, 6))
    sizes = (square, square), (square, square), (many, few), (many, 1), (1, few)
    tables = [
        rng.integers(-3, 4, (states, actions)) * 0.5 - 2.0 * (states > actions)
        for states, actions in sizes
    ]
    tables[1:2] = student.domain.first_alike(tables[:1], tables[1:2])
    residuals, scales = [], []
    for q in (*tables, _close_values(student, rng)):
        pi = student.greedy(q)
        with np.errstate(all="ignore"):
            short = (pi * q).sum(1) - q.max(1)
            residuals.append([short, pi.sum(1) - 1.0, np.minimum(pi, 0.0).sum(1)])
        scales.append([np.abs(q).sum(1), *np.ones((2, len(q)))])
    return {
        "residual": np.concatenate(residuals, axis=1),
        "residual__scale": np.concatenate(scales, axis=1),
    }


def _horizons(student, rng):
    """(γ, r_max, tol), then each replaced alone, which changes how many sweeps are enough.

    Drawn again where a real number of sweeps is so near a whole one that rounding could decide.
    """
    while True:
        first, second = zip(
            rng.uniform(0.5, 0.995, 2).tolist(),
            rng.uniform(0.5, 20.0, 2).tolist(),
            (10 ** rng.uniform(-6.0, -1.0, 2)).tolist(),
            strict=True,
        )
        calls = student.domain.replaced(first, second)
        enough = np.array([np.log(tol * (1 - g) / r) / np.log(g) for g, r, tol in calls])
        part, whole = np.modf(enough)
        if part.min() > 0.05 and part.max() < 0.95 and (whole[1:] != whole[0]).all():
            return calls


def horizon(student, rng):
    """Sweeps that are enough from Q_0 = 0.

    Of each drawn tolerance a certain real number of sweeps would be enough, some way from the next
    whole one, so that no rounding decides: many sweeps, a few for a tolerance above every reward,
    and tens of thousands, little more and little less than a whole number; and many for a reward
    near 0. Then come edges: nothing needed, no reward at all, and bounds that the tolerance meets
    exactly; then one argument after another alone.
    """
    drawn, counts = [], []
    for _ in range(14):
        gamma, r_max = float(rng.uniform(0.5, 0.995)), float(rng.uniform(0.5, 20.0))
        least, most = (np.log(1e-6 * (1 - gamma) / r_max), np.log(0.1 * (1 - gamma) / r_max))
        enough = np.floor(rng.uniform(least, most) / np.log(gamma)) + rng.uniform(0.2, 0.8)
        drawn.append((gamma, r_max, enough))
    for sweeps in range(4):
        gamma, r_max = float(rng.uniform(0.9, 0.995)), float(rng.uniform(0.5, 20.0))
        drawn.append((gamma, r_max, sweeps + rng.uniform(0.2, 0.8)))
    drawn += [(0.999, 1e6, rng.integers(39_000, 41_000) + part) for part in (0.02, 0.98)]
    drawn.append((0.99, 10 ** rng.uniform(-8.0, -7.0), rng.integers(20, 200) + 0.5))
    for gamma, r_max, enough in drawn:
        tol = gamma**enough * r_max / (1 - gamma)
        counts.append(student.effective_horizon(gamma, r_max, float(tol)))
    exact = 2.0 * 0.5 ** rng.integers(1, 20)
    for gamma, r_max, tol in (
        (0.5, 1.0, float(rng.uniform(3.0, 5.0))),
        (0.01, 2.0, 1e3),
        (0.999, 1e6, 1e-9),
        (0.9, 0.0, 1e-3),
        (0.5, 1.0, float(exact)),
        (0.5, 1.0, 2.0),
        *_horizons(student, rng),
    ):
        counts.append(student.effective_horizon(gamma, r_max, tol))
    return {"n": np.array(counts, dtype=np.float64), "n__scale": np.ones(len(counts))}
