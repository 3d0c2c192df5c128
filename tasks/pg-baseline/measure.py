"""What is measured of pg-baseline: estimators on every trajectory of a small MDP, and on samples.

On the small MDP all trajectories are listed with their probabilities, so mean and variance of an
estimator are sums. The larger one is sampled.
"""

import itertools

import numpy as np

STATES, ACTIONS, STEPS = 3, 2, 4
LARGE_STATES, LARGE_ACTIONS, LARGE_STEPS = 5, 3, 10
TRAINING = 1000


def _softmax(theta):
    weights = np.exp(theta - theta.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _mdp(rng, states, actions):
    """Transitions [s, a, s'] that reach every state, and logits [s, a] of a policy."""
    transitions = 0.3 / states + 0.7 * rng.dirichlet(np.ones(states), (states, actions))
    return transitions, rng.normal(0.0, 0.7, (states, actions))


def _every_trajectory(transitions, theta):
    """States and actions [n, t] of all trajectories from state 0, and their probabilities."""
    states = np.array([(0, *rest) for rest in itertools.product(range(STATES), repeat=STEPS - 1)])
    actions = np.array(list(itertools.product(range(ACTIONS), repeat=STEPS)))
    states, actions = np.repeat(states, len(actions), 0), np.tile(actions, (len(states), 1))
    chosen = _softmax(theta)[states, actions].prod(axis=1)
    moved = transitions[states[:, :-1], actions[:, :-1], states[:, 1:]].prod(axis=1)
    weights = chosen * moved
    return states, actions, weights / weights.sum()


def _small(rng):
    transitions, theta = _mdp(rng, STATES, ACTIONS)
    states, actions, weights = _every_trajectory(transitions, theta)
    rewards = rng.normal(2.0, 1.0, (STATES, ACTIONS))[states, actions]
    return states, actions, rewards, theta, weights


def enumerated(student, rng):
    """The estimator with a random table as baseline, on all trajectories."""
    states, actions, rewards, theta, weights = _small(rng)
    baseline = rng.uniform(0.0, 8.0, (STEPS, STATES))
    gradient = student.pg_baseline(states, actions, rewards, theta, baseline)
    return {"gradient": gradient, "gradient__weight": weights}


def optimal_table(student, rng):
    """The estimator with the program's own best table, on all trajectories."""
    states, actions, rewards, theta, weights = _small(rng)
    table = student.optimal_state_baseline(states, actions, rewards, theta, weights)
    gradient = student.pg_baseline(states, actions, rewards, theta, table)
    return {"gradient": gradient, "gradient__weight": weights}


def optimal_constant(student, rng):
    """Weighted samples whose long scores go with large returns; five parameter counts."""
    found, scales = [], []
    for parameters in (1, 2, 5, 10, 30):
        scores = rng.normal(size=(200, parameters)) * rng.lognormal(0.0, 0.5, (200, 1))
        returns = rng.normal(3.0, 1.0, 200) + np.abs(scores).mean(axis=1)
        weights = rng.dirichlet(np.ones(200))
        found.append(student.optimal_baseline(scores, returns, weights))
        scales.append(np.abs(returns).max())
    return {"baseline": np.stack(found), "baseline__scale": np.array(scales)}


def moving_average(student, rng):
    returns = rng.normal(5.0, 3.0, 40)
    averages = [student.ema_baseline(returns, beta) for beta in (0.5, 0.9, 0.99)]
    scale = np.full((3, 40), np.abs(returns).max())
    return {"average": np.stack(averages), "average__scale": scale}


def _sample(rng, transitions, rewards, theta, n):
    """n trajectories from a uniform start, by inverse distribution functions."""
    by_policy, by_move = _softmax(theta).cumsum(axis=1), transitions.cumsum(axis=2)
    state = rng.integers(LARGE_STATES, size=n)
    states = np.empty((n, LARGE_STEPS), dtype=np.int64)
    actions = np.empty_like(states)
    for step in range(LARGE_STEPS):
        action = (rng.random((n, 1)) > by_policy[state]).sum(axis=1)
        action = np.minimum(action, LARGE_ACTIONS - 1)
        states[:, step], actions[:, step] = state, action
        state = (rng.random((n, 1)) > by_move[state, action]).sum(axis=1)
        state = np.minimum(state, LARGE_STATES - 1)
    return states, actions, rewards[states, actions]


def _without_baseline(states, actions, rewards, theta):
    """The reward-to-go estimate [n, s * a] of every trajectory, computed here."""
    to_go = rewards[:, ::-1].cumsum(axis=1)[:, ::-1]
    chosen = np.eye(LARGE_ACTIONS)[actions] - _softmax(theta)[states]
    occupied = np.eye(LARGE_STATES)[states]
    return np.einsum("nt,nts,nta->nsa", to_go, occupied, chosen).reshape(len(states), -1)


def fitted(student, rng, n):
    """A baseline fitted to one batch, against none, on the trajectories of another batch.

    What it is compared with is no answer of the program's: that could be made as bad as one likes.
    """
    transitions, theta = _mdp(rng, LARGE_STATES, LARGE_ACTIONS)
    rewards = rng.uniform(0.5, 1.5, (LARGE_STATES, LARGE_ACTIONS))
    training = _sample(rng, transitions, rewards, theta, TRAINING)
    batch = _sample(rng, transitions, rewards, theta, n)
    baseline = student.fit_baseline(*training, theta)
    own = student.pg_baseline(*batch, theta, baseline)
    plain = _without_baseline(*batch, theta)
    return {"gradient": own.reshape(n, -1), "gradient__baseline": plain}
