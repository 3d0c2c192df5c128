"""What is measured of pg-reinforce-loss: every function trajectory by trajectory, then exact means.

Every function is called with the smallest sizes and the largest, with every number of steps, with
ordinary numbers and with numbers from all of the domain, and with each argument changed alone. A
scale S is the sum of the absolute terms, from the inputs alone. Where a probability is a factor,
the rounding of its logarithm is in S too.
"""

import numpy as np

STATES, ACTIONS, STEPS = 3, 2, 4
LONG = 5  # steps in the second MDP
LEAST = 1e-290  # below it numbers lose digits


def _sizes(student, rng):
    """(b, t, s, a): two of one size, axes of one size, every number of steps, and the edges.

    The first has several rows; the most of all axes comes at once, too. Later sizes are drawn, so
    that no size stands beside another always.
    """
    (b, b_most), (t, t_most), (s, s_most), (a, a_most) = map(student.domain.sizes, "btsa")
    yield from ((5, 3, 4, 2), (5, 3, 4, 2), (3, 3, 3, 3), (2, 6, 2, a_most), (6, 5, 4, 4))
    yield from ((b, t, s, a), (b, t_most, s_most, a), (b, 5, s, a_most), (b, t, 4, 3))
    steps = np.arange(2, t_most + 1)
    rows = rng.permutation(2 * t_most)[: len(steps)] + 1
    states, actions = rng.permutation(steps) % s_most + 1, rng.permutation(steps) % 3 + 2
    yield from zip(*(axis.tolist() for axis in (rows, steps, states, actions)), strict=True)
    odd = np.arange(2 * t_most + 1, b_most, 2)
    b = int(rng.choice(odd[odd % 5 > 0]))
    yield b, int(rng.integers(2, 8)), int(rng.integers(2, s_most + 1)), 3
    yield from ((b_most, t_most, s_most, a_most), (6, t, 2, 3))


def _joined(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def _log_softmax(logits):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _positive(rng, *shape):
    """Probabilities along the last axis, none of them 0."""
    return 0.1 / shape[-1] + 0.9 * rng.dirichlet(np.ones(shape[-1]), shape[:-1])


def _paths(student, rng, name, zeros):
    """(states, actions, theta, start, transitions) of all sizes; then each changed alone.

    Every second θ comes from all of the domain, whose numbers are those of the function `name`;
    in every fifth one, actions tie, and those of one state at 0.
    With `zeros`, so do the probabilities, and some trajectories cannot occur.
    """
    cases = []
    for place, (b, t, s, a) in enumerate(_sizes(student, rng)):
        states, actions = rng.integers(s, size=(b, t)), rng.integers(a, size=(b, t))
        theta = rng.normal(0.0, 1.5, (s, a))
        if place % 2:
            theta = student.domain.draw(rng, f"{name}.theta", s, a)
        if place % 5 == 3:
            theta[:, -1], theta[0] = theta[:, 0], 0.0
        start, transitions = _positive(rng, s), _positive(rng, s, a, s)
        if zeros and place > 1 and place % 2 == 0:
            start = student.domain.draw(rng, "start", s)
            transitions = student.domain.draw(rng, "transitions", s, a, s)
        cases.append((states, actions, theta, start, transitions))
    usual, other = _path(rng, STATES, STATES), _path(rng, STATES, STATES)
    return student.domain.replaced(*cases) + student.domain.replaced(usual, other)


def _path(rng, s, a):
    """Arguments with as many actions and steps as states: tables the wrong way round fit.

    Each trajectory is once in every state.
    """
    states = rng.permuted(np.tile(np.arange(s), (4, 1)), axis=1)
    actions = rng.integers(a, size=(4, s))
    return states, actions, rng.normal(size=(s, a)), _positive(rng, s), _positive(rng, s, a, s)


def _log_dynamics(states, actions, start, transitions):
    """ln h(s_0) and every ln P(s_{t+1}|s_t, a_t): [b t]."""
    moves = transitions[states[:, :-1], actions[:, :-1], states[:, 1:]]
    with np.errstate(divide="ignore"):
        return np.log(np.concatenate([start[states[:, :1]], moves], axis=1))


def _log_terms(states, actions, theta, start, transitions):
    """The sum of the absolute terms of ln p(τ), [b]; terms that are infinite need none."""
    dynamics = _log_dynamics(states, actions, start, transitions)
    size = np.where(np.isfinite(dynamics), np.abs(dynamics), 0.0).sum(axis=1)
    policy = 1 + 2 * np.abs(theta).max(axis=1)[states] + np.log(theta.shape[1])
    return 1 + size + policy.sum(axis=1)


def _chosen(actions, logits):
    """The absolute terms of ∇ ln π(a_t|s_t) by the logits of a step, [b t a]."""
    pi = np.exp(_log_softmax(logits))
    return np.eye(logits.shape[-1])[actions] + pi * (1 + 2 * np.abs(logits).max(-1, keepdims=True))


def _by_state(states, steps, s):
    """[b t a] summed into the rows of the states that were visited, [b s a]."""
    return np.einsum("bts,bta->bsa", np.eye(s)[states], steps)


def _rare(rng, b, t, least, most):
    """Trajectories whose start and every move have probabilities from 10^least to 10^most."""
    rare = 10.0 ** rng.uniform(least, most, 5)
    start, moves = np.array([rare[0], 1 - rare[0]]), rare[1:].reshape(2, 2, 1)
    transitions = np.concatenate([moves, 1 - moves], axis=2)
    states, actions = np.zeros((b, t), dtype=np.int64), rng.integers(2, size=(b, t))
    return states, actions, rng.normal(size=(2, 2)), start, transitions


def probability(student, rng):
    """ln p(τ), also of trajectories that cannot occur, or hardly ever do."""
    cases = _paths(student, rng, "log_prob", zeros=True)
    cases.append(_rare(rng, 4, int(rng.integers(5, 9)), -290.0, -8.0))  # p itself is no float64
    found = [student.log_prob(*case) for case in cases]
    return {"log_p": _joined(found), "log_p__scale": _joined(_log_terms(*case) for case in cases)}


def _cotangent(rng, b):
    return rng.uniform(0.5, 2.0, b) * rng.choice([-1.0, 1.0], b)


def score(student, rng):
    """∇_θ ln p(τ), all trajectories weighted; in some calls the dynamics alone have changed."""
    found, scales = [], []
    for case in _paths(student, rng, "log_prob", zeros=False):
        states, actions, theta = case[:3]
        weight = _cotangent(rng, len(states))
        found += student.vjp("log_prob", case, (2,), weight)
        terms = _by_state(states, _chosen(actions, theta[states]), len(theta))
        scales.append(np.einsum("b,bsa->sa", np.abs(weight), terms))
    scale = _joined(scales)
    return {"grad": _joined(found), "grad__scale": np.where(scale > 0, scale, 1.0)}


def gradients(student, rng):
    """∇_θ p(τ), also of trajectories that cannot occur, or hardly ever do."""
    found, scales = [], []
    rare = _rare(rng, 4, 5, -50.0, -15.0)
    for case in (*_paths(student, rng, "prob_gradient", zeros=True), rare):
        states, actions, theta, start, transitions = case
        found.append(student.prob_gradient(*case))
        log_p = _log_softmax(theta)[states, actions] + _log_dynamics(
            states, actions, start, transitions
        )
        p = np.exp(log_p.sum(axis=1)) * _log_terms(*case)
        terms = _by_state(states, _chosen(actions, theta[states]), len(theta))
        scales.append(p[:, None, None] * (1 + terms) + LEAST)
    return {"grad": _joined(found), "grad__scale": _joined(scales)}


def _rewards(student, rng):
    """(rewards, γ) of all sizes, 0 and 1 among many γ; then each changed alone.

    Rewards from all of the domain, small ones, whole numbers, and one that is not 0 in each row.
    Beside a γ that is at an end or close to one, a row has no reward but its last.
    """
    cases = []
    for place, (b, t, _, _) in enumerate(_sizes(student, rng)):
        rewards = student.domain.draw(rng, "rewards", b, t)
        if place % 4 == 1:
            rewards = rng.normal(size=(b, t))
        elif place % 4 == 2:
            rewards = rng.integers(-3, 4, (b, t)).astype(float)
        elif place % 4 == 3:
            rewards = rewards * (np.arange(t) == rng.integers(t, size=(b, 1)))
        cases.append((rewards, float(rng.uniform(0.3, 0.99))))
    t, t_most = student.domain.sizes("t")
    small, near = 10 ** rng.uniform(-7.0, -2.0, 3), 10 ** rng.uniform(-7.0, -2.0, 3)
    for gamma in (0.0, 1.0, *rng.uniform(0.0, 0.1, 2), *small, *(1 - near)):
        for steps in (t, t + 1, int(rng.integers(3, t_most)), t_most):
            rewards = student.domain.draw(rng, "rewards", 3, steps)
            rewards[1, :-1] = 0.0
            cases.append((rewards, float(gamma)))
    first, second, *others = cases
    return student.domain.replaced(first, second, *others)


def returned(student, rng):
    cases = _rewards(student, rng)
    found = [student.total_return(*case) for case in cases]
    scales = [np.abs(r) @ gamma ** np.arange(r.shape[1]) for r, gamma in cases]
    scale = _joined(scales)
    return {"total": _joined(found), "total__scale": np.where(scale > 0, scale, 1.0)}


def _to_go_scale(rewards, gamma):
    """Earlier rewards count whole: a sum of all, less the earlier ones, is stable enough."""
    t = np.arange(rewards.shape[1])
    ahead = np.maximum(np.subtract.outer(t, t), 0)  # [t', t]
    return np.abs(rewards) @ gamma**ahead


def to_go(student, rng):
    cases = _rewards(student, rng)
    found = [student.reward_to_go(*case) for case in cases]
    scale = _joined(_to_go_scale(*case) for case in cases)
    return {"to_go": _joined(found), "to_go__scale": np.where(scale > 0, scale, 1.0)}


def discounted(student, rng):
    """Each step of a trajectory is as exact as the whole sum."""
    cases = _rewards(student, rng)
    found = [student.discounted_reward_to_go(*case) for case in cases]
    scale = _joined(gamma ** np.arange(r.shape[1]) * _to_go_scale(r, gamma) for r, gamma in cases)
    whole = _joined(
        np.repeat(np.abs(r) @ gamma ** np.arange(r.shape[1]), r.shape[1]) for r, gamma in cases
    )
    scale = np.maximum(scale, whole)
    return {"to_go": _joined(found), "to_go__scale": np.where(scale > 0, scale, 1.0)}


def _steps(student, rng):
    """(logits, actions, weights [b t]) of all sizes; then each changed alone.

    In every second call, logits and weights are from all of the domain; in every fifth one, some
    weights are 0, or all of them equal, or logits tie, those of one trajectory at 0.
    """
    cases = []
    for place, (b, t, _, a) in enumerate(_sizes(student, rng)):
        logits, weights = rng.normal(0.0, 2.0, (b, t, a)), rng.normal(1.0, 3.0, (b, t))
        if place % 2:
            logits = student.domain.draw(rng, "logits", b, t, a)
            weights = student.domain.draw(rng, "weights", b, t)
        if place % 5 == 2:
            weights[::2, 0] = 0.0
        elif place % 5 == 4:
            weights = np.full((b, t), weights[0, 0])
        elif place % 5 == 3:
            logits[:, :, -1], logits[0] = logits[:, :, 0], 0.0
        cases.append((logits, rng.integers(a, size=(b, t)), weights))
    cube, other = (
        (rng.normal(size=(3, 3, 3)), rng.integers(3, size=(3, 3)), rng.normal(size=(3, 3)))
        for _ in range(2)
    )
    return student.domain.replaced(*cases) + student.domain.replaced(cube, other)


def _surprise(logits):
    """A bound on |ln π(a|s)| and on the terms that it is made of, [b t]."""
    return 1 + 2 * np.abs(logits).max(axis=2) + np.log(logits.shape[2])


def loss(student, rng):
    """Values and gradients, trajectory by trajectory; nothing goes through the weights."""
    values, value_scales, grads, scales = [], [], [], []
    for case in _steps(student, rng):
        logits, actions, weights = case
        values.append(student.reinforce_loss(*case))
        value_scales.append((np.abs(weights) * _surprise(logits)).sum(axis=1))
        cotangent = _cotangent(rng, len(logits))
        grads += student.vjp("reinforce_loss", case, (0, 2), cotangent)
        size = np.abs(cotangent[:, None] * weights)[:, :, None]
        scales += [size * _chosen(actions, logits), np.abs(cotangent)[:, None] * _surprise(logits)]
    return {
        "value": _joined(values),
        "value__scale": _joined(value_scales),
        "grad": _joined(grads),
        "grad__scale": _joined(scales) + LEAST,
    }


def batch(student, rng):
    """Value and gradients of the loss with a column of returns; nothing goes through these."""
    found, scales = [], []
    for logits, actions, weights in _steps(student, rng):
        case = logits, actions, weights[:, :1]
        found.append(student.total_return_loss(*case))
        size = np.abs(case[2]) / len(logits)
        scales.append((size * _surprise(logits)).sum() + LEAST)
        cotangent = rng.uniform(0.5, 2.0)
        found += student.vjp("total_return_loss", case, (0, 2), np.asarray(cotangent))
        scales.append(cotangent * size[:, :, None] * _chosen(actions, logits) + LEAST)
        scales.append(cotangent * _surprise(logits).sum(axis=1) / len(logits))
    return {"found": _joined(found), "found__scale": _joined(scales)}


def _every_trajectory(start, transitions, steps):
    """States and actions [n t] of all trajectories that can occur."""
    paths = [((s,), (a,)) for s in np.flatnonzero(start) for a in range(transitions.shape[1])]
    for _ in range(steps - 1):
        paths = [
            ((*states, after), (*actions, a))
            for states, actions in paths
            for after in np.flatnonzero(transitions[states[-1], actions[-1]])
            for a in range(transitions.shape[1])
        ]
    return tuple(np.array(column) for column in zip(*paths, strict=True))


def _three_states(rng):
    """An MDP of 432 trajectories: 3 states, 2 actions, 4 steps from state 0."""
    transitions = _positive(rng, STATES, ACTIONS, STATES)
    table = rng.normal(2.0, 1.0, (STATES, ACTIONS))
    theta = rng.normal(0.0, 0.7, (STATES, ACTIONS))
    states, actions = _every_trajectory(np.eye(STATES)[0], transitions, STEPS)
    return (states, actions, theta, np.eye(STATES)[0], transitions), table[states, actions]


def _corridor(rng):
    """The next state is the action; the rewards of a state grow with time, 5 more at the end."""
    transitions, start = np.tile(np.eye(2), (2, 1, 1)), _positive(rng, 2)
    states, actions = _every_trajectory(start, transitions, LONG)
    rewards = (1 + 0.1 * actions) * rng.uniform(0.5, 1.5, LONG)
    rewards[:, -1] += 5.0 * (states[:, -1] == 1)
    return (states, actions, rng.normal(0.0, 0.7, (2, 2)), start, transitions), rewards


def _estimates(student, path, rewards, gamma):
    """Of every trajectory, R ∇p / p and the estimators with each kind of weight: [n, 4 * s * a].

    The loss is given the logits θ[s_t]; its gradient by θ is that by the logits, summed by state.
    """
    states, actions, theta, start, transitions = path
    s = len(theta)
    log_p = _log_softmax(theta)[states, actions] + _log_dynamics(
        states, actions, start, transitions
    )
    p = np.exp(log_p.sum(axis=1))
    total = student.total_return(rewards, gamma)
    with np.errstate(all="ignore"):
        found = [total[:, :, None] * student.prob_gradient(*path) / p[:, None, None]]
        for weights in (
            np.repeat(total, states.shape[1], axis=1),
            student.reward_to_go(rewards, gamma),
            student.discounted_reward_to_go(rewards, gamma),
        ):
            case = theta[states], actions, weights
            (by_logits,) = student.vjp("reinforce_loss", case, (0,), np.ones(len(states)))
            found.append(-_by_state(states, by_logits, s))
    return np.concatenate([f.reshape(len(states), -1) for f in found], axis=1), p / p.sum()


def enumerated(student, rng):
    """The estimators on all trajectories of two MDPs, γ = 1 and another: [n, columns].

    Each MDP has columns of its own, 0 in the rows of the others; each of the four has one part in
    four of the weight.
    """
    parts = []
    for path, rewards in (_three_states(rng), _corridor(rng)):
        for gamma in (1.0, float(rng.uniform(0.5, 0.9))):
            parts.append(_estimates(student, path, rewards, gamma))
    width = sum(columns.shape[1] for columns, _ in parts)
    rows, before = [], 0
    for columns, _ in parts:
        row = np.zeros((len(columns), width))
        row[:, before : before + columns.shape[1]] = columns
        rows.append(row)
        before += columns.shape[1]
    weights = np.concatenate([p for _, p in parts]) / len(parts)
    return {"gradient": np.concatenate(rows), "gradient__weight": weights}


def example(student, rng):
    del rng
    return {"agrees": student.example()}
