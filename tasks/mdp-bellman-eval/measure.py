"""What is measured of mdp-bellman-eval: averages, backups, sweeps, and the values of policies.

Rows of P, r and pi that belong to terminal states hold a self-loop with a reward, which nothing may
ever collect, or numbers that are no probabilities. Transitions into terminal states are rewarded.
"""

import numpy as np

SHAPES = ((1, 1), (1, 8), (24, 1), (24, 8))
GAMMAS = (0.0, 1.0, 0.999)


def _distributions(rng, *shape):
    """Rows of probabilities: about a third each dense, with zeros among them, and certain.

    Every tenth entry is hardly possible.
    """
    rows = rng.dirichlet(np.full(shape[-1], 0.7), shape[:-1]) + 1e-3
    rows *= np.where(rng.random(shape) < 0.1, 10 ** rng.uniform(-12.0, -3.0, shape), 1.0)
    sort = rng.integers(0, 3, (*shape[:-1], 1))
    kept = rng.random(shape) < 0.5
    kept |= np.eye(shape[-1], dtype=bool)[rng.integers(0, shape[-1], shape[:-1])]
    rows = np.where((sort == 0) | kept, rows, 0.0)
    rows = np.where(sort == 2, np.eye(shape[-1])[rows.argmax(-1)], rows)
    return rows / rows.sum(-1, keepdims=True)


def _terminals(rng, states, count):
    terminal = np.zeros(states, dtype=bool)
    terminal[rng.permutation(states)[:count]] = True
    return terminal


def _rewards(rng, states, actions):
    return rng.normal(0.5, 3.0, (states, actions, states))


def _mdp(rng, states, actions, ends=0, anything=False, last=False):
    """(P, r, pi, terminal) with `ends` terminal states, in whose rows nothing may be read.

    With `last` these are the last states.
    """
    terminal = _terminals(rng, states, ends)
    if last:
        terminal = np.arange(states) >= states - ends
    p, pi = _distributions(rng, states, actions, states), _distributions(rng, states, actions)
    r = _rewards(rng, states, actions)
    p[terminal] = np.eye(states)[terminal][:, None, :]
    r[terminal] = rng.uniform(1.0, 5.0, (ends, actions, states))
    if anything:
        p[terminal] = rng.integers(-1, 2, (ends, actions, states)) * 10.0 ** rng.choice([0, 6])
        pi[terminal] = rng.integers(-1, 2, (ends, actions)) * 10.0 ** rng.choice([0, 6])
        over = np.flatnonzero(terminal)
        p[over[:1]], p[over[1:2]] = 1e6, 0.0
        pi[over[:-1][:1]], pi[over[-1:]] = 0.0, 1e6
    return p, r, pi, terminal


def _shapes(rng, square):
    """(states, actions): the edges, then as many of one as of the other, fewer and more."""
    few, many = int(rng.integers(2, 4)), int(rng.integers(4, 9))
    return (*SHAPES, (square, square), (few, many), (many, few))


def _endless(rng):
    """MDPs of all sizes in which nothing is terminal."""
    return [_mdp(rng, *shape) for shape in _shapes(rng, square=8)]


def _ending(rng):
    """MDPs of all sizes with terminal states: some, the last one alone, all but one, all."""
    found = []
    for place, (states, actions) in enumerate(_shapes(rng, square=int(rng.integers(2, 8)))):
        ends = int(rng.integers(1, states // 2 + 1)) if states > 1 else 1
        found.append(_mdp(rng, states, actions, ends, anything=place % 2 == 0))
    few, many = int(rng.integers(2, 5)), int(rng.integers(5, 9))
    found.append(_mdp(rng, many, few, 1, anything=True, last=True))
    return [*found, _mdp(rng, few, many, few - 1), _mdp(rng, few, many, few, anything=True)]


def _gammas(rng, count):
    """Discounts: 0, 1 and close to 1 and to 0 first, the others anywhere."""
    return [*GAMMAS, 10 ** rng.uniform(-8.0, -3.0), *rng.uniform(0.05, 0.99, count)][:count]


def _pair(student, rng):
    """(P, r, pi, terminal) twice, of one size; each part of either fits the rest of the other.

    P and pi hold probabilities in every row, so that `terminal` can change alone; either half of
    the states is terminal, so that the others matter.
    """
    states, actions = int(rng.integers(6, 25)), int(rng.integers(2, 9))
    over = _terminals(rng, states, states // 2)
    return [(*_mdp(rng, states, actions)[:3], terminal) for terminal in (over, ~over)]


def _values(rng, place, mean, *shape):
    """Values of which no two are alike or, at every other place, small whole numbers."""
    return rng.normal(mean, 4.0, shape) if place % 2 == 0 else rng.integers(-2, 3, shape) * 1.0


def _widest(student, rng, ends):
    """(P, r, pi, terminal) of the largest sizes with rewards from all of their range."""
    p, r, pi, terminal = _mdp(rng, 24, 8, ends)
    return p, student.domain.draw(rng, "r", *r.shape), pi, terminal


def _ring(rng, states):
    """One certain way round through all states."""
    way = rng.permutation(states)
    p = np.zeros((states, 1, states))
    p[way, 0, np.roll(way, -1)] = 1.0
    over = np.zeros(states, dtype=bool)
    return p, _rewards(rng, states, 1), np.ones((states, 1)), over


def _kin(rng, little=1.0):
    """(P, r, pi, terminal) of which states 1 to 3 are alike, and state 0 is paid nothing.

    State 4 is never left; its rewards are so much smaller. State 5 is terminal.
    """
    p, r, pi, _ = _mdp(rng, 6, 2)
    for table in (p, r, pi):
        table[2:4] = table[1]
    r[0] = 0.0
    p[4], r[4] = np.eye(6)[4], little * r[4]
    return p, r, pi, np.arange(6) == 5


def _renamed(rng):
    """A ring whose steps are paid in whole numbers, and the same with its states in other order."""
    p, r, pi, over = _ring(rng, 7)
    order = np.roll(np.arange(7), int(rng.integers(1, 7)))
    r = np.rint(2 * r)
    return (p, r, pi, over), (p[order][..., order], r[order][..., order], pi, over)


def _joined(name, values, scales):
    """A metric and its condition scale, in one row each."""
    flat = (np.concatenate([np.ravel(part) for part in parts]) for parts in (values, scales))
    return dict(zip((name, f"{name}__scale"), flat, strict=True))


def example(student, rng):
    """The worked example of the statement."""
    return {"agrees": student.example()}


def averages(student, rng):
    """State values from drawn action values, with and without terminal states."""
    calls = []
    for place, (_, _, pi, terminal) in enumerate((*_endless(rng), *_ending(rng))):
        calls.append((_values(rng, place, 1.0, *pi.shape), pi, terminal))
    states, actions = calls[3][0].shape
    pi = _distributions(rng, states, actions)
    over = np.zeros(states, dtype=bool)
    calls.append((student.domain.draw(rng, "q", states, actions), pi, over))
    # huge values of what is never done; whole numbers, and the same in other places
    far = student.domain.draw(rng, "q", states, actions)
    calls.append((np.where(pi > 0, rng.normal(size=far.shape), far), pi, over))
    whole = rng.integers(-9, 10, (states, actions)) * 1.0
    calls += [(whole, pi, over), (whole[::-1].copy(), pi, over)]
    first, second = _pair(student, rng)
    values = rng.normal(1.0, 4.0, (2, *first[2].shape))
    calls += student.domain.replaced((values[0], *first[2:]), (values[1], *second[2:]))
    found = [student.v_from_q(*call) for call in calls]
    return _joined("v", found, [_average_scale(*call) for call in calls])


def _average_scale(q, pi, terminal):
    return np.where(terminal, 0.0, (np.abs(pi) * np.abs(q)).sum(1))


def _backup_scale(p, r, terminal, gamma, v):
    v = np.where(terminal, 0.0, np.abs(v))
    return np.where(terminal[:, None], 0.0, (np.abs(p) * (np.abs(r) + gamma * v)).sum(2))


def _backed_up(student, calls):
    found = [student.q_from_v(*call) for call in calls]
    return _joined("q", found, [_backup_scale(*call) for call in calls])


def _with_values(rng, mdps):
    """Calls of `q_from_v`; what v says of a terminal state is far from 0."""
    gammas = _gammas(rng, len(mdps))
    for place, ((p, r, _, terminal), gamma) in enumerate(zip(mdps, gammas, strict=True)):
        v = _values(rng, place, 1.0, len(p))
        v[terminal] = rng.uniform(3.0, 9.0, terminal.sum()) * rng.choice([-1, 1])
        yield p, r, terminal, float(gamma), v


def backups(student, rng):
    """Action values where nothing is terminal; some states are paid little, a ring is renamed."""
    calls = list(_with_values(rng, _endless(rng)))
    p, r, _, terminal = _widest(student, rng, 0)
    calls.append((p, r, terminal, 0.7, student.domain.draw(rng, "v", 24)))
    little = np.where(np.arange(24)[:, None, None] % 2, r, 1e-6 * r)
    calls.append((p, little, terminal, 0.7, rng.normal(size=24) * 1e-4))
    v = rng.integers(-9, 10, 7) * 1.0
    calls += [(p, r, terminal, 0.5, v) for p, r, _, terminal in _renamed(rng)]
    return _backed_up(student, calls)


def backups_terminal(student, rng):
    """Action values with terminal states that have values and rewards of their own."""
    calls = list(_with_values(rng, _ending(rng)))
    p, r, _, terminal = _kin(rng, 1e-9)
    calls.append((p, r, terminal, 0.5, np.array([2.0, 1.0, 1.0, 1.0, 1e-9, 2.0])))
    first, second = _pair(student, rng)
    gammas, values = rng.uniform(0.3, 0.9, 2), rng.normal(1.0, 4.0, (2, len(first[3])))
    both = [
        (mdp[0], mdp[1], mdp[3], float(gamma), v)
        for mdp, gamma, v in zip((first, second), gammas, values, strict=True)
    ]
    return _backed_up(student, calls + student.domain.replaced(*both))


def _under(p, r, pi, terminal):
    """P_π and the expected size of a reward; 0 in terminal states."""
    pi = np.where(terminal[:, None], 0.0, pi)
    p = np.where(terminal[:, None, None], 0.0, p)
    return np.einsum("sa,sat->st", pi, p), np.einsum("sa,sat,sat->s", pi, p, np.abs(r))


def _swept_scale(p, r, pi, terminal, gamma, v, count, in_place):
    """The sum of the absolute terms of all sweeps, as far as each reaches the result."""
    step, size = _under(p, r, pi, terminal)
    value = np.where(terminal, 0.0, np.abs(v))
    total = value.copy()
    for _ in range(count):
        for rows in range(len(v)) if in_place else (slice(None),):
            value[rows] = size[rows] + gamma * step[rows] @ value
            total[rows] = value[rows] + gamma * step[rows] @ total
    return total


def _sweeping(student, rng):
    """Calls of both kinds of sweeps; the numbers of sweeps are few or many, 0 among them.

    There is one state, which is never left, without a discount; states that are alike, whose values
    are or are not so, the largest also being that of a terminal state; a ring is renamed.
    """
    mdps = [*_endless(rng), *_ending(rng)]
    ways = [(1, 0.999), (0, 0.5), (2, 0.0), (60, 1.0), (60, 0.6), (0, 1.0), (60, 0.97)]
    ways += [(int(rng.integers(1, 6)), rng.uniform(0.1, 1.0)) for _ in range(len(mdps) - 7)]
    ways[-4:-2] = [(60, 0.6), (60, rng.uniform(0.9, 1.0))]
    ways[9] = (0, ways[9][1])  # with terminal states
    ways[11] = (3, 10 ** rng.uniform(-8.0, -5.0))
    calls = [
        (*mdp, float(gamma), _values(rng, place, 2.0, len(mdp[3])), count)
        for place, (mdp, (count, gamma)) in enumerate(zip(mdps, ways, strict=True))
    ]
    wide = _widest(student, rng, int(rng.integers(1, 9)))
    calls.append((*wide, 0.999, student.domain.draw(rng, "v", 24), 2))
    calls.append((*_mdp(rng, 1, 2), 1.0, rng.normal(2.0, 4.0, 1), 3))
    kin, v = _kin(rng, 1e-9), np.array([1.0, 3.0, 2.0, 1.0, 1e-9, 3.0])
    calls += [(*kin, 0.5, v, 2), (*kin, 0.5, np.where(v > 0.5, 3.0, v), 1)]
    v = rng.integers(-9, 10, 7) * 1.0
    calls += [(*ring, 0.999, v, 1) for ring in _renamed(rng)]
    first, second = _pair(student, rng)
    gammas, values = rng.uniform(0.3, 0.9, 2), rng.normal(2.0, 4.0, (2, len(first[3])))
    counts = rng.permutation(np.arange(1, 5))
    both = [
        (*mdp, float(gamma), v, int(count))
        for mdp, gamma, v, count in zip((first, second), gammas, values, counts[:2], strict=True)
    ]
    return calls + student.domain.replaced(*both)


def synchronous(student, rng):
    """Sweeps in which every state reads the values before it."""
    calls = _sweeping(student, rng)
    scales = [_swept_scale(*call, in_place=False) for call in calls]
    return _joined("v", [student.sweeps(*call) for call in calls], scales)


def in_place(student, rng):
    """Sweeps in which a state reads what the same sweep has changed."""
    calls = _sweeping(student, rng)
    scales = [_swept_scale(*call, in_place=True) for call in calls]
    return _joined("v", [student.sweeps_in_place(*call) for call in calls], scales)


def _solved_scale(p, r, pi, terminal, gamma, among=None):
    """(I - γ P_π)⁻¹ (I + γ P_π) (I - γ P_π)⁻¹ |r_π|: what rounding in the equation may come to.

    `among` are the states whose values are asked for; none of the others follows them.
    """
    step, size = _under(p, r, pi, terminal)
    among = np.ones(len(size), dtype=bool) if among is None else among
    step, size = gamma * step[among][:, among], size[among]
    inverse = np.linalg.inv(np.eye(len(size)) - step)
    scale = np.zeros(len(among))
    # twice: rounding of the system, and of the sums in whatever order a program makes them
    scale[among] = 2 * (inverse @ ((np.eye(len(size)) + step) @ (inverse @ size)))
    return np.where(terminal, 0.0, scale)


def _evaluated(student, calls):
    scales = [_solved_scale(*call) for call in calls]
    return _joined("v", [student.policy_eval(*call) for call in calls], scales)


def _discounts(rng, count):
    """Discounts below 1: 0, close to 1 and to 0, and usual ones first, the others anywhere."""
    near = 10 ** rng.uniform(-8.0, -3.0)
    return [0.999, 0.0, 0.9, 0.99, near, *rng.uniform(0.05, 0.99, count)][:count]


def continuing(student, rng):
    """Values of policies that go on for ever: all sizes, rings, rewards from all of their range."""
    mdps = [*_endless(rng), *_endless(rng), _ring(rng, int(rng.integers(5, 25)))]
    mdps.append(_widest(student, rng, 0))
    gammas = rng.permutation(_discounts(rng, len(mdps)))
    calls = [(*mdp, float(gamma)) for mdp, gamma in zip(mdps, gammas, strict=True)]
    calls += [(*_mdp(rng, *shape), 0.999) for shape in ((7, 3), (24, 2))]
    calls += [(*ring, 0.9) for ring in _renamed(rng)]
    for sign in (-1, 1):
        p, r, pi, over = _mdp(rng, 3, 2)
        calls.append((p, sign * (1000.0 - np.abs(r)), pi, over, 0.999))
    return _evaluated(student, calls)


def episodic(student, rng):
    """Values of policies with terminal states, then one argument after another alone."""
    mdps = [*_ending(rng), *_ending(rng), _widest(student, rng, int(rng.integers(1, 9)))]
    gammas = rng.permutation(_discounts(rng, len(mdps)))
    calls = [(*mdp, float(gamma)) for mdp, gamma in zip(mdps, gammas, strict=True)]
    calls += [(*_mdp(rng, 9, 3, 2, anything=True), 0.999), (*_kin(rng), 0.9)]
    first, second = _pair(student, rng)
    gammas = rng.uniform(0.3, 0.9, 2)
    both = [(*mdp, float(gamma)) for mdp, gamma in zip((first, second), gammas, strict=True)]
    return _evaluated(student, calls + student.domain.replaced(*both))


def _one(states, place):
    return np.eye(states)[place]


def _onward(rng, states, room, place, outside):
    """A row from which the episode goes on to an earlier state of a room, or to one outside.

    Slowly, staying for long; at once; or with detours within the room.
    """
    before = [*room[:place], *outside]
    stay = _one(states, room[place])
    near = _one(states, room[place - 1] if place else rng.choice(outside))
    match rng.integers(0, 3):
        case 0:
            part = rng.uniform(0.02, 0.1)
            return part * near + (1 - part) * stay
        case 1:
            return near
    row = np.zeros(states)
    detour = [*room, *outside]
    row[detour] = _distributions(rng, len(detour))
    return 0.5 * row + 0.5 * _one(states, rng.choice(before))


def _rooms(rng, ends, safe, lost, torn, actions):
    """(P, r, pi, terminal) and the states, terminal ones among them, whose episodes surely end.

    From a safe state a terminal one is reached sooner or later. From a lost state none is. From
    a torn one a lost state may be reached, hardly ever or surely. Actions that the policy never
    takes do the opposite.
    """
    states = ends + safe + lost + torn
    order = rng.permutation(states)
    over, inside, nowhere, between = np.split(order, np.cumsum([ends, safe, lost]))
    terminal = np.isin(np.arange(states), over)
    p, r, pi, _ = _mdp(rng, states, actions)
    used = np.zeros((states, actions), dtype=bool)
    used[np.arange(states), rng.integers(0, actions, states)] = True
    used |= rng.random((states, actions)) < 0.3
    pi = np.where(used, pi + 0.1, 0.0)
    pi /= pi.sum(1, keepdims=True)
    for room, other in ((inside, [*nowhere, *between]), (nowhere, [*over, *inside])):
        for place, state in enumerate(room):
            for action in range(actions):
                if not used[state, action]:
                    p[state, action] = _one(states, rng.choice(other or room))
                elif room is inside:
                    p[state, action] = _onward(rng, states, room, place, over)
                else:
                    p[state, action] = 0.0
                    p[state, action, room] = _distributions(rng, len(room))
    for place, state in enumerate(between):
        back = _onward(rng, states, between, place, nowhere)
        good = [*over, *inside] or list(nowhere)
        part = rng.choice([10 ** rng.uniform(-12.0, -3.0), rng.uniform(0.1, 0.9), 1.0])
        part = 1e-30 if len(between) == 1 else part
        for action in range(actions):
            p[state, action] = _one(states, rng.choice(good))
        action = rng.choice(np.flatnonzero(used[state]))
        p[state, action] = part * back + (1 - part) * p[state, action]
    p[terminal] = rng.integers(-1, 2, (ends, actions, states)) * 10.0 ** rng.choice([0, 6])
    pi[terminal] = rng.integers(-1, 2, (ends, actions)) * 10.0 ** rng.choice([0, 6])
    return (p, r, pi, terminal), np.isin(np.arange(states), [*over, *inside])


def _corridor(rng, lost):
    """All of 24 states in a row, in drawn order, from each of which the next follows.

    The last one is terminal. Where `lost`, it is never left, the first one is terminal, and every
    state between them leads to either.
    """
    states, order = 24, rng.permutation(24)
    p = np.zeros((states, 1, states))
    p[order[:-1], 0, order[1:]] = 1.0
    p[order[-1], 0, order[-1]] = 1.0
    terminal = np.arange(states) == order[-1]
    if lost:
        terminal = np.arange(states) == order[0]
        p[order[1:-1], 0] = 0.5 * p[order[1:-1], 0] + 0.5 * np.eye(states)[order[0]]
    mdp = p, _rewards(rng, states, 1), np.ones((states, 1)), terminal
    return mdp, terminal if lost else np.ones(states, dtype=bool)


def _slow(rng):
    """Two states that lead to each other for ten thousand steps on average, then to the end."""
    out = rng.uniform(0.5e-4, 2e-4)
    p = np.array([[[0.0, 1.0, 0.0]], [[1.0 - out, 0.0, out]], [[0.0, 0.0, 1.0]]])
    mdp = p, _rewards(rng, 3, 1), np.ones((3, 1)), np.array([False, False, True])
    return mdp, np.ones(3, dtype=bool)


def _hardly(rng):
    """Two states that lead to the end but for a probability that float32 takes for 0.

    It is the policy's in the first state and P's in the second; so it is for ever in the third.
    """
    policy, move = 10 ** rng.permutation(rng.uniform((-306.0, -300.0), (-295.0, -100.0)))
    lost, over = np.eye(4)[2:]
    either = move * lost + (1 - move) * over
    p = np.stack([(over, lost), (either, over), (lost, lost), (over, over)])
    pi = np.array([[1 - policy, policy], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]])
    terminal = np.arange(4) == 3
    return (p, _rewards(rng, 4, 2), pi, terminal), terminal


def _doors(rng):
    """Two calls of one size, and the states that surely end in each call that is made of them.

    One action leads to the last state, which stays where it is, the other stays. First it is the
    only terminal state, then the only one that is not.
    """
    states, actions = int(rng.integers(3, 9)), 2
    last, here = np.eye(states)[-1], np.eye(states)
    p = np.stack([np.broadcast_to(last, (states, states)), here], axis=1)
    first = rng.integers(0, 2, states)
    pi = np.eye(actions)[first]
    terminal = np.arange(states) == states - 1
    one, other = (_rewards(rng, states, actions) for _ in range(2))
    leaves = terminal | (first == 0)
    calls = [(p, one, pi, terminal), (p[:, ::-1].copy(), other, 1 - pi, ~terminal)]
    turned = terminal | ~leaves
    surely = [leaves, turned, turned, leaves, ~terminal]
    return calls, surely


def _mixed(rng):
    """Two calls of one size, as `_doors`; P and pi are 0 nowhere."""
    states, actions = int(rng.integers(4, 12)), int(rng.integers(2, 5))
    over = _terminals(rng, states, int(rng.integers(1, states // 2 + 1)))
    calls = [
        (
            rng.dirichlet(np.ones(states), (states, actions)) * 0.9 + 0.1 / states,
            _rewards(rng, states, actions),
            rng.dirichlet(np.ones(actions), states) * 0.9 + 0.1 / actions,
            terminal,
        )
        for terminal in (over, ~over)
    ]
    return calls, [np.ones(states, dtype=bool)] * 5


def undiscounted(student, rng):
    """Whether episodes end, and what they pay in all where they do.

    Rooms of all sorts and sizes, one state, nothing but terminal states, none, long ways in any
    order, rewards from all of their range; then one argument after another alone.
    """
    some = rng.integers(1, 5, 8)
    cases = [
        _rooms(rng, *sizes)
        for sizes in (
            (1, 0, 0, 0, 1),
            (0, 0, 1, 0, 8),
            (0, 0, int(some[0]) + 2, 0, 3),
            (int(some[1]), 0, 0, 0, 2),
            (1, 23, 0, 0, 1),
            (1, 22, 1, 0, 2),
            (1, 4, 1, 18, 2),
            (2, 6, 2, 14, 8),
            (*(int(size) for size in some[2:6]), 3),
            (*(int(size) + 1 for size in some[4:8]), 2),
            (1, 1, 1, 1, 4),
            (2, 5, 3, 1, 1),
        )
    ]
    (p, r, pi, terminal), surely = _rooms(rng, 3, 13, 4, 4, 8)
    cases.append(((p, student.domain.draw(rng, "r", *r.shape), pi, terminal), surely))
    cases += [_corridor(rng, lost) for lost in (False, True)] + [_slow(rng), _hardly(rng)]
    (doors, leaving), (mixed, ending) = _doors(rng), _mixed(rng)
    # rows of both doors together would have other states that surely end
    cases += zip(student.domain.replaced(*doors, alike="nothing"), leaving, strict=True)
    cases += zip(student.domain.replaced(*mixed), ending, strict=True)
    found = [student.total_reward(*call) for call, _ in cases]
    scales = [_solved_scale(*call, 1.0, surely) for call, surely in cases]
    ends = np.concatenate([ends for ends, _ in found]).astype(float)
    return {
        "ends": ends,
        "ends__scale": np.ones(len(ends)),
        **_joined("v", [v for _, v in found], scales),
    }
