"""What is measured of pg-baseline: estimators on every trajectory of a small MDP, and on samples.

On the small MDP all trajectories are listed with their probabilities, so mean and variance of an
estimator are sums. The ring is sampled. Values are compared entry by entry as well, at sizes
and numbers from all of the domain: a mean hides what is wrong in opposite directions.
"""

import numpy as np

STATES, ACTIONS, STEPS = 3, 2, 4
RING_STATES, RING_ACTIONS, RING_STEPS = 5, 3, 3
TRAINING = 1000


def _softmax(theta):
    weights = np.exp(theta - theta.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _mdp(rng, states, actions):
    """Transitions [s, a, s'] that reach every state, and logits [s, a] of a policy."""
    transitions = 0.3 / states + 0.7 * rng.dirichlet(np.ones(states), (states, actions))
    return transitions, rng.normal(0.0, 0.7, (states, actions))


def _paths(starts, transitions, steps):
    """States and actions [n, t] of all trajectories that can occur, and the odds of their moves.

    ``starts`` are pairs of a state and its odds.
    """
    states_count, actions_count = transitions.shape[:2]
    paths = [((start,), (), odds) for start, odds in starts]
    for step in range(steps):
        acted = [(s, (*a, b), p) for s, a, p in paths for b in range(actions_count)]
        if step == steps - 1:
            paths = acted
            break
        paths = [
            ((*s, after), a, p * transitions[s[-1], a[-1], after])
            for s, a, p in acted
            for after in range(states_count)
            if transitions[s[-1], a[-1], after] > 0
        ]
    states, actions, moved = (np.array(column) for column in zip(*paths, strict=True))
    return states, actions, moved


def _every_trajectory(transitions, theta, steps, starts=((0, 1.0),)):
    """States and actions [n, t] of all trajectories, and their probabilities."""
    states, actions, moved = _paths(starts, transitions, steps)
    weights = moved * _softmax(theta)[states, actions].prod(axis=1)
    return states, actions, weights / weights.sum()


def _small(rng):
    transitions, theta = _mdp(rng, STATES, ACTIONS)
    states, actions, weights = _every_trajectory(transitions, theta, STEPS)
    rewards = rng.normal(2.0, 1.0, (STATES, ACTIONS))[states, actions]
    return states, actions, rewards, theta, weights


def enumerated(student, rng):
    """The estimator with a random table as baseline, on all trajectories."""
    states, actions, rewards, theta, weights = _small(rng)
    baseline = rng.uniform(0.0, 8.0, (STEPS, STATES))
    gradient = student.pg_baseline(states, actions, rewards, theta, baseline)
    return {"gradient": gradient, "gradient__weight": weights}


def _between(domain, rng, least):
    """Two odd numbers of trajectories between ``least`` and the most, neither a multiple of 5."""
    _, most = domain.sizes("n")
    odd = np.setdiff1d(np.arange(least + 1 - least % 2, most, 2), np.arange(5, most, 10))
    return [int(rng.choice(odd[half])) for half in (odd < most / 2, odd > most / 2)]


def _batch_sizes(domain, rng):
    """(n, t, s, a): the edges, all numbers of steps and as many trajectories, states and actions.

    Two batches are of one size: what is remembered of the first is wrong for the second. Theirs are
    as many steps as states: tables that are read the wrong way round keep their shape.
    """
    n_most, t_most, s_most, a_most = (domain.sizes(axis)[1] for axis in "ntsa")
    least_s, least_a = (domain.sizes(axis)[0] for axis in "sa")
    yield from ((1, 1, least_s, least_a), (6, 3, 2, least_a), (6, 3, 3, a_most))
    yield from ((6, 3, 3, a_most), (n_most, 1, least_s, a_most), (7, t_most, s_most, a_most))
    steps = np.arange(1, t_most + 1)
    # as many trajectories as steps, and any number of them beside any number of steps
    for rows in (steps, rng.permutation(2 * t_most)[:t_most] + 1):
        states, actions = rng.permutation(steps) % s_most, rng.permutation(steps) % (a_most - 1)
        yield from zip(rows, steps, states + 1, actions + least_a, strict=True)
    for n in (*_between(domain, rng, 2 * t_most), n_most):
        yield n, int(rng.integers(2, t_most)), int(rng.integers(2, s_most + 1)), a_most


def _batch(domain, rng, n, t, s, a, usual):
    """Arguments of pg_baseline from all of the domain, or with a policy that leaves choices."""
    states, actions = rng.integers(s, size=(n, t)), rng.integers(a, size=(n, t))
    theta = rng.normal(size=(s, a)) if usual else domain.draw(rng, "pg_baseline.theta", s, a)
    rewards, baseline = domain.draw(rng, "rewards", n, t), domain.draw(rng, "baseline", t, s)
    return states, actions, rewards, theta, baseline


def estimates(student, rng):
    """Every entry of every estimate: sizes from one, an odd number of steps, large logits.

    Then the largest advantages that there may be, and one argument changed alone.
    """
    domain = student.domain
    calls = [
        _batch(domain, rng, *map(int, size), usual=i > 5 and i % 2 == 0)
        for i, size in enumerate(_batch_sizes(domain, rng))
    ]
    states, actions, rewards, theta, baseline = _batch(domain, rng, 3, 10, 4, 3, usual=True)
    most, sign = domain.draw(rng, "rewards", 2).max(), rng.choice([-1.0, 1.0])
    far = np.full_like(rewards, sign * most), theta, np.full_like(baseline, -sign * most)
    calls.append((states, actions, *far))
    pair = [_batch(domain, rng, 4, 3, 3, 3, usual=True) for _ in range(2)]
    calls += domain.replaced(*pair)
    found, scales = [], []
    for states, actions, rewards, theta, baseline in calls:
        (_, t), (s, a) = states.shape, theta.shape
        found.append(student.pg_baseline(states, actions, rewards, theta, baseline).ravel())
        size = _to_go(np.abs(rewards)) + np.abs(baseline)[np.arange(t), states]
        chosen = np.eye(a)[actions] + _softmax(theta)[states]
        exponent = 1 + np.abs(theta).max()  # a probability is as exact as its logit
        terms = np.einsum("nt,nts,nta->nsa", size, np.eye(s)[states], chosen) * exponent
        scales.append((terms + (terms == 0)).ravel())
    return {"gradient": np.concatenate(found), "gradient__scale": np.concatenate(scales)}


def _to_go(rewards):
    return rewards[:, ::-1].cumsum(axis=1)[:, ::-1]


def _moves(rng, s, a):
    """Transitions [s, a, s'] without chance that lead on to a state in two."""
    return np.eye(s)[(np.arange(s)[:, None] + np.arange(a) + rng.integers(s)) % s]


def _table_scale(states, actions, rewards, theta, weights):
    """What rounding of the best table scales with, [t, s]: its condition as least squares.

    Columns a of A (one for each step and state, √w·1{s_t = s}·u_t) are orthogonal, with squared
    lengths d; x is the table and g = Σ G_t u_t the target, also times √w. A backward stable solver
    answers for A + δA and g + δg, |δA| ≤ ε |A|, |δg| ≤ ε |g|; to first order each entry is off by
    at most ε (|g| + |A| |x|) / √d + ε |A| |g| / d (Wedin 1973; Higham 2002, section 20.1). Sums of
    absolute terms bound x and g; they alone are more than the closed form needs. Columns that are
    zero take the largest of the others.
    """
    s, a = theta.shape
    chosen = np.eye(a)[actions] - _softmax(theta)[states]
    u = np.abs(np.einsum("nts,nta->ntsa", np.eye(s)[states], chosen))
    size = np.einsum("nt,ntsa->nsa", _to_go(np.abs(rewards)), u)
    above = np.einsum("n,ntsa,nsa->ts", weights, u, size)
    below = np.einsum("n,ntsa->ts", weights, u**2)
    seen = below > 0
    table = np.divide(above, below, out=np.zeros_like(above), where=seen)
    matrix, target = np.sqrt(below.sum()), np.sqrt(weights @ (size**2).sum((1, 2)))
    squared = np.where(seen, below, 1.0)
    from_matrix = (target + matrix * np.linalg.norm(table)) / np.sqrt(squared)
    scale = np.where(seen, from_matrix + matrix * target / squared, 0.0)
    return np.where(seen, scale, scale.max())


def _known(transitions, theta, steps, starts, reward_of):
    """Arguments of optimal_state_baseline for an MDP."""
    states, actions, weights = _every_trajectory(transitions, theta, steps, starts)
    return states, actions, reward_of[states, actions], theta, weights


def _mdps(domain, rng):
    """MDPs of all sizes: transitions, logits, number of steps and starts.

    There are states that cannot occur at a step, and some that hardly ever do. Two MDPs are of one
    size: what is remembered of the first is wrong for the second.
    """
    s_most, a_most, t_most = (domain.sizes(axis)[1] for axis in "sat")
    small, _ = _mdp(rng, STATES, ACTIONS)
    theta = rng.uniform(-1.0, 1.0, (STATES, ACTIONS))
    sharp = domain.draw(rng, "optimal_state_baseline.theta", STATES, ACTIONS)
    mild = domain.draw(rng, "optimal_state_baseline.theta", s_most, ACTIONS) / 4
    three, alone = rng.uniform(-1.0, 1.0, (2, a_most)), rng.uniform(-1.0, 1.0, (1, ACTIONS))
    yield small, theta, STEPS, ((0, 1.0),)
    yield small, -theta, STEPS, ((0, 1.0),)
    yield small, sharp, STEPS - 1, ((0, 1.0),)
    yield _moves(rng, s_most, ACTIONS), mild, t_most, ((0, 1.0), (1, 1.0))
    yield _moves(rng, 2, a_most), three, 3, ((1, 1.0), (0, 1e-4))
    yield np.ones((1, ACTIONS, 1)), alone, 1, ((0, 1.0),)
    states = rng.permutation(t_most) % s_most + 1
    for steps, s in enumerate(states.tolist(), start=1):
        a = int(rng.integers(ACTIONS, a_most + 1)) if steps < 6 else ACTIONS
        # as rare as by a few moves of which each has a probability of a hundredth
        starts = ((0, 1.0), (s - 1, 10 ** rng.uniform(-9.0, -5.0)))[: min(s, 2)]
        if steps > 8:
            starts = starts[:1]
        yield _moves(rng, s, a), rng.uniform(-1.0, 1.0, (s, a)), steps, starts


def _changed_mdps(domain, rng):
    """Arguments of which each differs from the first in states, actions or rewards alone.

    The policy is uniform, so that the probabilities of all moves are the same. Other actions are
    those of the last step: a table is the same for opposite ones at all steps. States and actions
    of both together would not be those of a policy; rewards may begin alike.
    """
    theta, moves = np.zeros((STATES, ACTIONS)), np.stack([np.arange(STATES)] * ACTIONS, axis=1)
    reward_of = domain.draw(rng, "rewards", 2, STATES, ACTIONS)
    # one action stays, so that states are met again by chance of the actions
    chosen = np.eye(STATES)[(moves + rng.permutation([0, rng.integers(1, STATES)])) % STATES]
    first = _known(chosen, theta, 3, ((0, 1.0),), reward_of[0])
    states, actions = first[:2]
    turned = actions.copy()
    turned[:, -1] = ACTIONS - 1 - turned[:, -1]
    (rewards,) = domain.first_alike(first[2:3], (reward_of[1][states, actions],))
    other = (states + 1) % STATES, turned, rewards
    return domain.replaced(first, (*other, *first[3:]), alike="nothing")[:4]


def optimal_table(student, rng):
    """The best table on all trajectories of MDPs of all sizes; then one argument changed alone."""
    calls = []
    for transitions, logits, steps, starts in _mdps(student.domain, rng):
        reward_of = student.domain.draw(rng, "rewards", *logits.shape)
        calls.append(_known(transitions, logits, steps, starts, reward_of))
    found, scales = [], []
    for args in (*calls, *_changed_mdps(student.domain, rng)):
        found.append(student.optimal_state_baseline(*args).ravel())
        scales.append(_table_scale(*args).ravel())
    return {"table": np.concatenate(found), "table__scale": np.concatenate(scales)}


def _weighted_scores(domain, rng):
    """Scores, returns and weights: long scores go with large returns, of all sizes and magnitudes.

    Scores of length 1e-6 leave no room for a number that is added to a denominator.
    """
    (n, p), (n_most, p_most) = zip(*map(domain.sizes, "np"), strict=True)
    sizes = [(200, 1, 3.0, 1.0), (200, 5, -3.0, 1e-6), (200, 5, 3.0, 1.0), (7, p_most, -900.0, 0.3)]
    sizes += [(n_most, 2, 0.0, None), (n, p, 0.0, None), (n, p, -5.0, 1.0)]
    widths = rng.permutation(p_most) + 1
    for rows, width in enumerate(widths.tolist(), start=1):
        sizes.append((rows, width, rng.uniform(-9.0, 9.0), None if rows % 3 else 1.0))
    sizes += [(rows, 3, 5.0, 1.0) for rows in _between(domain, rng, p_most)]
    for rows, width, shift, length in sizes:
        long = rng.lognormal(0.0, 0.5, (rows, 1))
        scores = (length or 1.0) * np.clip(rng.normal(size=(rows, width)) * long, -90.0, 90.0)
        returns = shift + rng.normal(0.0, 1.0, rows) + np.sign(shift) * long[:, 0]
        if length is None:
            scores = domain.draw(rng, "scores", rows, width)
            returns = domain.draw(rng, "returns", rows)
        yield scores, returns, domain.draw(rng, "optimal_baseline.weights", rows)


def _whole_scores(rng, n, p):
    """Scores, returns and equal weights: small whole numbers, so that rows and returns are equal.

    Rows 1 and 2 are the same, row 3 has another return than they, and the scores of row 4 are 0.
    Those of row 0 and its return are not.
    """
    scores = rng.integers(-1, 2, (n, p)).astype(float)
    returns = rng.integers(-2, 3, n).astype(float)
    scores[0], returns[0] = 1.0, rng.choice([-1.0, 1.0])
    scores[2:4], scores[4], returns[2], returns[3] = scores[1], 0.0, returns[1], returns[1] + 1.0
    return scores, returns, np.full(n, 1 / n)


def optimal_constant(student, rng):
    """Then one argument changed alone, the weights to equal ones; then equal rows and returns."""
    domain, rows = student.domain, 6
    usual = rng.normal(size=(2, rows, 3)), domain.draw(rng, "returns", 2, rows)
    pairs = zip(*usual, (rng.dirichlet(np.ones(rows)), np.full(rows, 1 / rows)), strict=True)
    calls = [*_weighted_scores(domain, rng), *domain.replaced(*pairs)]
    scores, returns, weights = _whole_scores(rng, 12, 3)
    calls += [(scores, returns, weights), (scores, np.full_like(returns, returns[0]), weights)]
    found, scales = [], []
    for scores, returns, weights in calls:
        found.append(student.optimal_baseline(scores, returns, weights))
        importance = weights * (scores**2).sum(1)
        scales.append(importance @ np.abs(returns) / importance.sum())
    return {"baseline": np.stack(found), "baseline__scale": np.array(scales)}


def moving_average(student, rng):
    """All small numbers of returns, and many; one argument changed alone; zeros, equal returns.

    S is the same average of absolute returns, and the one before it: in b + (1 - β)(R - b) the old
    average is a term that the new one may be far smaller than.
    """
    n, n_most = student.domain.sizes("n")
    least, middle, most = np.sort(student.domain.draw(rng, "beta", 3))
    betas = student.domain.draw(rng, "beta", 24)
    sizes = [(40, 0.5), (40, 0.9), (40, 0.99), (n, middle), (2, least), (n_most, most)]
    sizes += [*enumerate(betas.tolist(), start=1), (_between(student.domain, rng, 40)[0], 0.95)]
    calls = [(student.domain.draw(rng, "returns", rows), float(beta)) for rows, beta in sizes]
    calls.append((1e-9 * student.domain.draw(rng, "returns", 20), 0.9))
    pairs = zip(student.domain.draw(rng, "returns", 2, 9), rng.uniform(0.2, 0.8, 2), strict=True)
    calls += student.domain.replaced(*((returns, float(beta)) for returns, beta in pairs))
    # the first returns are 0, later ones the same twice or more, the last ones all the same
    whole = np.repeat(rng.permutation([-2.0, -1.0, 0.0, 1.0, 2.0]), [1, 2, 3, 1, 2])
    whole = np.concatenate([np.zeros(2), rng.permutation(whole), np.full(5, whole[0] + 3.0)])
    calls += [(whole, 0.5), (np.full(7, rng.uniform(1.0, 9.0)), float(rng.uniform(0.2, 0.8)))]
    found, scales = [], []
    for returns, beta in calls:
        found.append(student.ema_baseline(returns, beta))
        size = [0.0]
        for value in np.abs(returns[:-1]):
            size.append(beta * size[-1] + (1 - beta) * value)
        terms = np.array([size[-1], *np.add(size[1:], size[:-1])])
        scales.append(terms + (terms == 0))
    return {"average": np.concatenate(found), "average__scale": np.concatenate(scales)}


def example(student, rng):
    del rng
    return {"agrees": student.example()}


def fitted_finite(student, rng):
    """Whether tables of batches that leave states unvisited are finite: [entries].

    Also of one trajectory or a few with several steps, and where all rewards are the same.
    """
    sizes = [student.domain.sizes(axis) for axis in "ntsa"]
    found = []
    few = [(1, 7, 4, 3), (3, 1, 5, 2), (2, 10, 1, 2), (5, 4, 3, 3), (1, 3, 3, 2), (6, 2, 2, 3)]
    for i, (n, t, s, a) in enumerate([*zip(*sizes, strict=True), (2, 2, 3, 2), *few]):
        states = rng.integers(max(s - 1, 1), size=(n, t))
        rewards = student.domain.draw(rng, "rewards", n, t)
        if i > 4:
            rewards = np.full((n, t), rng.choice([-1000.0, 0.0, 1000.0]))
        theta = student.domain.draw(rng, "fit_baseline.theta", s, a)
        table = student.fit_baseline(states, rng.integers(a, size=(n, t)), rewards, theta)
        found.append(np.isfinite(table).ravel())
    return {"finite": np.concatenate(found)}


def _sample(rng, transitions, rewards, theta, n):
    """n trajectories from a uniform start, by inverse distribution functions."""
    by_policy, by_move = _softmax(theta).cumsum(axis=1), transitions.cumsum(axis=2)
    state = rng.integers(RING_STATES, size=n)
    states = np.empty((n, RING_STEPS), dtype=np.int64)
    actions = np.empty_like(states)
    for step in range(RING_STEPS):
        action = (rng.random((n, 1)) > by_policy[state]).sum(axis=1)
        action = np.minimum(action, RING_ACTIONS - 1)
        states[:, step], actions[:, step] = state, action
        state = (rng.random((n, 1)) > by_move[state, action]).sum(axis=1)
        state = np.minimum(state, RING_STATES - 1)
    return states, actions, rewards[states, actions]


def _without_baseline(states, actions, rewards, theta):
    """The reward-to-go estimate [n, s * a] of every trajectory, computed here."""
    to_go = _to_go(rewards)
    chosen = np.eye(RING_ACTIONS)[actions] - _softmax(theta)[states]
    occupied = np.eye(RING_STATES)[states]
    return np.einsum("nt,nts,nta->nsa", to_go, occupied, chosen).reshape(len(states), -1)


def _ring(rng):
    """Transitions of a ring, logits, and what is still to come, [t, s], up to the action's part.

    All entries are about as large and signs change along both axes: a table that is wrong at one
    state leaves a fifth of the variance, at one step a third, and one that knows only the step or
    only the state leaves most of it.
    """
    order = rng.permutation(RING_STATES)
    after = np.empty_like(order)
    after[order] = np.roll(order, -1)
    transitions = np.repeat(np.eye(RING_STATES)[after][:, None], RING_ACTIONS, axis=1)
    signs = np.tile([1.0, 1.0, 0.0, -1.0, -1.0], (RING_STEPS, 1))
    signs[:, 2] = rng.choice([-1.0, 1.0], RING_STEPS)
    signs = rng.permuted(signs, axis=1)
    signs[-1] = -signs[0]
    to_come = signs * rng.uniform(380.0, 420.0, signs.shape)
    return transitions, rng.normal(0.0, 0.7, (RING_STATES, RING_ACTIONS)), to_come


def _with_rewards_of(to_come, states, actions, rewards):
    """The batch with rewards whose sum from each step on is `to_come`, besides those given."""
    ahead = to_come[np.arange(RING_STEPS), states]
    ahead[:, :-1] -= ahead[:, 1:]
    return states, actions, rewards + ahead


def fitted(student, rng, n):
    """A baseline fitted to one batch, against none, on the trajectories of another batch.

    What it is compared with is no answer of the program's: that could be made as bad as one likes.
    Others of the same size come first, which begin and end alike: what is remembered of them is
    wrong for the one that counts.
    """
    transitions, theta, to_come = _ring(rng)
    own = rng.uniform(-25.0, 25.0, theta.shape)
    training = _with_rewards_of(to_come, *_sample(rng, transitions, own, theta, TRAINING))
    batch = _with_rewards_of(to_come, *_sample(rng, transitions, own, theta, n))
    states, actions, rewards = training
    others = (states + 1) % RING_STATES, -rewards
    *_, others = student.domain.replaced((states, rewards), others)
    # each differs from the one that counts in one argument
    student.fit_baseline(others[0], actions, rewards, theta)
    student.fit_baseline(states, actions, others[1], theta)
    baseline = student.fit_baseline(*training, theta)
    gradient = student.pg_baseline(*batch, theta, baseline)
    plain = _without_baseline(*batch, theta)
    return {"gradient": gradient.reshape(n, -1), "gradient__baseline": plain}
