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


def estimates(student, rng):
    """Every entry of every estimate: sizes from one, an odd number of steps, large logits.

    Two batches are of one size: what is remembered of the first is wrong for the second. Theirs are
    as many steps as states: tables that are read the wrong way round keep their shape.
    """
    n_most, t_most, s_most, a_most = (student.domain.sizes(axis)[1] for axis in "ntsa")
    least_s, least_a = (student.domain.sizes(axis)[0] for axis in "sa")
    found, scales = [], []
    for n, t, s, a in (
        (1, 1, least_s, least_a),
        (6, 3, 2, least_a),
        (6, 3, 3, a_most),
        (6, 3, 3, a_most),
        (n_most, 1, least_s, a_most),
        (7, t_most, s_most, a_most),
    ):
        states, actions = rng.integers(s, size=(n, t)), rng.integers(a, size=(n, t))
        rewards = student.domain.draw(rng, "rewards", n, t)
        theta = student.domain.draw(rng, "pg_baseline.theta", s, a)
        baseline = student.domain.draw(rng, "baseline", t, s)
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


def optimal_table(student, rng):
    """The best table on all trajectories of MDPs of five sizes.

    There are states that cannot occur at a step, and one that hardly ever does. Two MDPs are of one
    size: what is remembered of the first is wrong for the second.
    """
    s_most, a_most, t_most = (student.domain.sizes(axis)[1] for axis in "sat")
    small, _ = _mdp(rng, STATES, ACTIONS)
    theta = rng.uniform(-1.0, 1.0, (STATES, ACTIONS))
    sharp = student.domain.draw(rng, "optimal_state_baseline.theta", STATES, ACTIONS)
    mild = student.domain.draw(rng, "optimal_state_baseline.theta", s_most, ACTIONS) / 4
    three, alone = rng.uniform(-1.0, 1.0, (2, a_most)), rng.uniform(-1.0, 1.0, (1, ACTIONS))
    cases = [
        (small, theta, STEPS, ((0, 1.0),)),
        (small, -theta, STEPS, ((0, 1.0),)),
        (small, sharp, STEPS - 1, ((0, 1.0),)),
        (_moves(rng, s_most, ACTIONS), mild, t_most, ((0, 1.0), (1, 1.0))),
        (_moves(rng, 2, a_most), three, 3, ((1, 1.0), (0, 1e-4))),
        (np.ones((1, ACTIONS, 1)), alone, 1, ((0, 1.0),)),
    ]
    found, scales = [], []
    for transitions, logits, steps, starts in cases:
        states, actions, weights = _every_trajectory(transitions, logits, steps, starts)
        rewards = student.domain.draw(rng, "rewards", *logits.shape)[states, actions]
        args = states, actions, rewards, logits, weights
        found.append(student.optimal_state_baseline(*args).ravel())
        scales.append(_table_scale(*args).ravel())
    return {"table": np.concatenate(found), "table__scale": np.concatenate(scales)}


def optimal_constant(student, rng):
    """Weighted samples whose long scores go with large returns, of all sizes and magnitudes.

    Scores of length 1e-6 leave no room for a number that is added to a denominator.
    """
    (n, p), (n_most, p_most) = zip(*map(student.domain.sizes, "np"), strict=True)
    found, scales = [], []
    for rows, width, shift, length in (
        (200, 1, 3.0, 1.0),
        (200, 5, -3.0, 1e-6),
        (200, 5, 3.0, 1.0),
        (7, p_most, -900.0, 0.3),
        (n_most, 2, 0.0, None),
        (n, p, 0.0, None),
        (n, p, -5.0, 1.0),
    ):
        long = rng.lognormal(0.0, 0.5, (rows, 1))
        scores = (length or 1.0) * np.clip(rng.normal(size=(rows, width)) * long, -90.0, 90.0)
        returns = shift + rng.normal(0.0, 1.0, rows) + np.sign(shift) * long[:, 0]
        if length is None:
            scores = student.domain.draw(rng, "scores", rows, width)
            returns = student.domain.draw(rng, "returns", rows)
        weights = student.domain.draw(rng, "optimal_baseline.weights", rows)
        found.append(student.optimal_baseline(scores, returns, weights))
        importance = weights * (scores**2).sum(1)
        scales.append(importance @ np.abs(returns) / importance.sum())
    return {"baseline": np.stack(found), "baseline__scale": np.array(scales)}


def moving_average(student, rng):
    """One, two and many returns, three memories; S is the same average of absolute returns."""
    n, n_most = student.domain.sizes("n")
    least, middle, most = np.sort(student.domain.draw(rng, "beta", 3))
    found, scales = [], []
    for rows, beta in ((40, 0.5), (40, 0.9), (40, 0.99), (n, middle), (2, least), (n_most, most)):
        returns = student.domain.draw(rng, "returns", rows)
        found.append(student.ema_baseline(returns, float(beta)))
        size = [0.0]
        for value in np.abs(returns[:-1]):
            size.append(beta * size[-1] + (1 - beta) * value)
        scales.append(np.array([1.0, *size[1:]]))
    return {"average": np.concatenate(found), "average__scale": np.concatenate(scales)}


def example(student, rng):
    del rng
    return {"agrees": student.example()}


def fitted_finite(student, rng):
    """Whether tables of batches that leave states unvisited are finite: [entries]."""
    sizes = [student.domain.sizes(axis) for axis in "ntsa"]
    found = []
    for n, t, s, a in (*zip(*sizes, strict=True), (2, 2, 3, 2)):
        states = rng.integers(max(s - 1, 1), size=(n, t))
        rewards = student.domain.draw(rng, "rewards", n, t)
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
    Another batch of the same size comes first: what is remembered of it is wrong for the second.
    """
    transitions, theta, to_come = _ring(rng)
    own = rng.uniform(-25.0, 25.0, theta.shape)
    training = _with_rewards_of(to_come, *_sample(rng, transitions, own, theta, TRAINING))
    batch = _with_rewards_of(to_come, *_sample(rng, transitions, own, theta, n))
    states, actions, rewards = training
    student.fit_baseline(states, actions, -rewards, theta)
    baseline = student.fit_baseline(*training, theta)
    gradient = student.pg_baseline(*batch, theta, baseline)
    plain = _without_baseline(*batch, theta)
    return {"gradient": gradient.reshape(n, -1), "gradient__baseline": plain}
