"""pg-baseline: closed forms, enumerated variances and biases of known slips, from the solution."""

import itertools

import numpy as np
import pytest
import torch

from harness.collect.bare import BareProgram
from harness.records import COMMON
from harness.seeds import PUBLIC_KEY
from harness.statistics.moments import weighted_moments
from tests.support.programs import ROOT, honest_programs, load, load_module

TASK = load("pg-baseline")


solution = load_module(ROOT / "reference" / "pg-baseline" / "solution.py")
measure = load_module(ROOT / "tasks" / "pg-baseline" / "measure.py")


def call(name, *args):
    tensors = [torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in args]
    return getattr(solution, name)(*tensors).numpy()


class Enumerated:
    """All trajectories of a small MDP: `factors` weigh the scores of the steps."""

    def __init__(self, states, actions, rewards, theta, weights):
        self.states, self.actions, self.rewards = states, actions, rewards
        self.theta, self.weights = theta, weights
        self.to_go = rewards[:, ::-1].cumsum(1)[:, ::-1]
        self.returns = rewards.sum(1)
        self.none = np.zeros((states.shape[1], theta.shape[0]))

    def moments(self, gradient):
        return weighted_moments(gradient.reshape(len(gradient), -1), self.weights)

    def with_table(self, table):
        args = (self.states, self.actions, self.rewards, self.theta, table)
        return self.moments(call("pg_baseline", *args))

    def with_factors(self, factors):
        """Σ_t factors[:, t] u_t: rewards whose reward to go is `factors`."""
        rewards = factors.copy()
        rewards[:, :-1] -= factors[:, 1:]
        args = (self.states, self.actions, rewards, self.theta, self.none)
        return self.moments(call("pg_baseline", *args))

    def with_total(self, constant=0.0):
        return self.with_factors(np.repeat((self.returns - constant)[:, None], len(self.none), 1))

    def best_constant(self):
        args = (self.states, self.actions, 0 * self.rewards, self.theta, self.none - 1)
        scores = call("pg_baseline", *args).reshape(len(self.returns), -1)
        return float(call("optimal_baseline", scores, self.returns, self.weights))

    def best_table(self):
        args = (self.states, self.actions, self.rewards, self.theta, self.weights)
        return call("optimal_state_baseline", *args)

    def value(self):
        """v_π(t, s) as the mean reward to go of the visits."""
        table = np.zeros_like(self.none)
        for t, s in np.ndindex(*table.shape):
            here = self.weights * (self.states[:, t] == s)
            table[t, s] = here @ self.to_go[:, t] / here.sum() if here.any() else 0.0
        return table

    def bias(self, factors):
        exact = self.with_total().mean
        return np.linalg.norm(self.with_factors(factors).mean - exact) / np.linalg.norm(exact)

    def next_value(self):
        table, steps = self.value(), len(self.none)
        following = np.zeros_like(self.to_go)
        following[:, :-1] = table[np.arange(1, steps), self.states[:, 1:]]
        return following

    def normalised(self):
        centred = self.to_go - self.to_go.mean(1, keepdims=True)
        return centred / (self.to_go.std(1, keepdims=True) + 1e-8)


def softmax(theta):
    return np.exp(theta) / np.exp(theta).sum(1, keepdims=True)


def three_states():
    """The MDP of 432 trajectories: 3 states, 2 actions, 4 steps, start in state 0."""
    rng = np.random.default_rng(0)
    moves = rng.dirichlet(np.ones(3) * 0.7, size=(3, 2))
    table = rng.normal(size=(3, 2)) + 2
    theta = rng.normal(size=(3, 2)) * 0.5
    paths = [(0, *rest) for rest in itertools.product(range(3), repeat=3)]
    choices = list(itertools.product(range(2), repeat=4))
    states = np.array([path for path in paths for _ in choices])
    actions = np.array([choice for _ in paths for choice in choices])
    chance = softmax(theta)[states, actions].prod(1)
    chance *= moves[states[:, :-1], actions[:, :-1], states[:, 1:]].prod(1)
    return Enumerated(states, actions, table[states, actions], theta, chance)


def corridor():
    """Five steps; the state is the last action, and state 1 brings 5 at the end."""
    theta = np.array([[0.2, -0.3], [-0.1, 0.4]])
    actions = np.array(list(itertools.product((0, 1), repeat=5)))
    states = np.concatenate([np.zeros((32, 1), dtype=np.int64), actions[:, :-1]], axis=1)
    rewards = 1 + 0.1 * actions
    rewards[:, -1] += 5 * (states[:, -1] == 1)
    chance = softmax(theta)[states, actions].prod(1)
    return Enumerated(states, actions, rewards, theta, chance)


def self_loop(stay, steps=160):
    """Stay with probability θ and reward 1, or quit; afterwards nothing happens in state 1."""
    kept = np.arange(steps)
    clock = np.arange(steps)[None, :]
    states = (clock > kept[:, None]).astype(np.int64)
    actions = (clock == kept[:, None]).astype(np.int64)
    rewards = (clock < kept[:, None]).astype(np.float64)
    theta = np.array([[np.log(stay / (1 - stay)), 0.0], [0.0, 0.0]])
    chance = stay**kept * (1 - stay)
    return states, actions, rewards, theta, chance / chance.sum()


@pytest.mark.parametrize("stay", [0.3, 0.5])
def test_self_loop_closed_forms(stay):
    states, actions, rewards, theta, weights = self_loop(stay)
    quiet = np.zeros((states.shape[1], 2))
    first = np.zeros_like(quiet)
    first[:, 0] = 1.0
    by_probability = 1 / (stay * (1 - stay))  # from the logit of state 0 to θ

    def in_theta(rewards, table):
        gradient = call("pg_baseline", states, actions, rewards, theta, table)
        return gradient[:, 0, 0] * by_probability

    scores = in_theta(0 * rewards, -first)[:, None]
    returns = rewards.sum(1)
    best = float(call("optimal_baseline", scores, returns, weights))
    c = 1 / (stay * (1 - stay) ** 4)
    mean_return, value = stay / (1 - stay), stay / (1 - stay)
    cases = {
        "total": (returns * scores[:, 0], c * (4 * stay**2 + 8 * stay + 1)),
        "total - E[R]": ((returns - mean_return) * scores[:, 0], c * (stay**2 + 6 * stay + 1)),
        "total - b*": ((returns - best) * scores[:, 0], 4 / (1 - stay) ** 4),
        "to go": (in_theta(rewards, quiet), c * (stay**2 + 3 * stay + 1)),
        "to go - V": (in_theta(rewards, value * first), c * (1 + stay)),
    }
    found = {name: weighted_moments(values, weights) for name, (values, _) in cases.items()}
    assert best == pytest.approx((1 + 2 * stay) / (1 - stay), rel=1e-12)
    for name, (_, variance) in cases.items():
        assert float(found[name].mean) == pytest.approx(1 / (1 - stay) ** 2, rel=1e-10)
        assert float(found[name].variance) == pytest.approx(variance, rel=1e-9)
    if stay == 0.5:
        rounded = [round(float(moments.variance), 6) for moments in found.values()]
        assert rounded == [192, 136, 64, 88, 48]


def test_three_state_variances():
    mdp = three_states()
    assert len(mdp.weights) == 432
    variances = [
        mdp.with_total().trace_variance,
        mdp.with_total(mdp.weights @ mdp.returns).trace_variance,
        mdp.with_total(mdp.best_constant()).trace_variance,
        mdp.with_table(mdp.none).trace_variance,
        mdp.with_table(mdp.value()).trace_variance,
        mdp.with_table(mdp.best_table()).trace_variance,
    ]
    expected = [262.592, 2.49632, 2.49517, 123.913, 1.24948, 1.23961]
    assert variances == pytest.approx(expected, rel=5e-6)
    np.testing.assert_allclose(mdp.best_table()[3], [3.050, 1.890, 3.710], atol=6e-4)


def test_value_function_does_not_minimise_the_variance():
    for mdp in (three_states(), corridor()):
        best, value = mdp.best_table(), mdp.value()
        least = mdp.with_table(best).trace_variance
        assert least < mdp.with_table(value).trace_variance * 0.999
        rng = np.random.default_rng(1)
        for size in (1e-3, 1e-1, 10):
            moved = best + size * rng.normal(size=best.shape)
            assert mdp.with_table(moved).trace_variance > least
            np.testing.assert_allclose(mdp.with_table(moved).mean, mdp.with_total().mean, atol=1e-9)


def test_corridor_variances():
    mdp = corridor()
    variances = [
        mdp.with_total().trace_variance,
        mdp.with_table(mdp.none).trace_variance,
        mdp.with_table(mdp.value()).trace_variance,
    ]
    assert variances == pytest.approx([147.6, 87.8, 9.26], rel=1e-3)


def test_biases_of_known_slips():
    small, long = three_states(), corridor()
    assert small.bias(small.to_go - small.next_value()) == pytest.approx(0.39, abs=5e-3)
    assert long.bias(long.to_go - long.next_value()) == pytest.approx(0.93, abs=5e-3)
    found = [small.bias(small.normalised()), long.bias(long.normalised())]
    assert sorted(found) == pytest.approx([0.92, 0.985], abs=5e-3)
    halved = three_states()
    q = action_values(halved)
    assert halved.bias(halved.to_go - 0.5 * q) == pytest.approx(0.5, abs=1e-9)


def action_values(mdp):
    """q_π(t, s_t, a_t) of every step, as the mean reward to go of its visits."""
    found = np.zeros_like(mdp.to_go)
    for t in range(found.shape[1]):
        for s, a in np.ndindex(*mdp.theta.shape):
            here = (mdp.states[:, t] == s) & (mdp.actions[:, t] == a)
            if here.any():
                weights = mdp.weights[here]
                found[here, t] = weights @ mdp.to_go[here, t] / weights.sum()
    return found


def test_classification_with_one_step():
    theta = np.array([[1.0, 0.5, -0.5, 0.0, 0.2]])
    actions = np.arange(5)[:, None]
    rewards = (actions == 0).astype(np.float64)
    one = Enumerated(0 * actions, actions, rewards, theta, softmax(theta)[0])
    best = one.best_table()
    tables = [one.none, one.value(), best]
    variances = [one.with_table(table).trace_variance for table in tables]
    assert variances == pytest.approx([0.1163, 0.0820, 0.0697], abs=5e-5)
    assert best.item() == pytest.approx(0.2495, abs=5e-5)
    assert one.best_constant() == pytest.approx(best.item(), rel=1e-12)


def test_moving_average_uses_the_past_only():
    returns = np.array([4.0, 8.0, 0.0])
    np.testing.assert_array_equal(call("ema_baseline", returns, 0.5), [0.0, 2.0, 5.0])


def test_example_of_the_statement():
    gradient = call(
        "pg_baseline",
        np.array([[0, 1, 0]]),
        np.array([[1, 0, 1]]),
        np.array([[1.0, 2.0, 3.0]]),
        np.zeros((2, 2)),
        np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 0.0]]),
    )
    np.testing.assert_allclose(gradient, [[[-3.5, 3.5], [1.5, -1.5]]])


def test_an_honest_table_is_far_from_the_limit():
    """The limit is a ratio of a tenth; honest tables leave below .03."""
    for program in honest_programs(TASK):
        with BareProgram(TASK, program) as running:
            statistics = running.statistics("fitted", COMMON, PUBLIC_KEY)["fitted"]
        assert statistics["trace_x"] < 0.03 * statistics["trace_y"], program.name


def rare_state(rarity):
    """Trajectories of two states; in the second one a trajectory begins with odds `rarity`."""
    rng = np.random.default_rng(3)
    theta = rng.uniform(-1.0, 1.0, (2, 2))
    stays = np.eye(2)[:, None].repeat(2, axis=1)
    states, actions, weights = measure._every_trajectory(stays, theta, 3, ((0, 1.0), (1, rarity)))
    return states, actions, rng.uniform(-1000, 1000, (2, 2))[states, actions], theta, weights


@pytest.mark.parametrize("rarity", [1.0, 1e-2, 1e-4])
@pytest.mark.parametrize("solver", ["qr", "svd", "normal equations"])
def test_a_stable_solver_stays_far_below_the_tolerance_of_the_best_table(rarity, solver):
    states, actions, rewards, theta, weights = args = rare_state(rarity)
    steps, cells = states.shape[1], states.shape[1] * len(theta)
    zero, root = np.zeros((steps, len(theta))), np.sqrt(weights)[:, None]
    units = -np.eye(cells).reshape(cells, *zero.shape)
    columns = [call("pg_baseline", states, actions, 0 * rewards, theta, unit) for unit in units]
    matrix = np.stack([(root * c.reshape(len(c), -1)).ravel() for c in columns], axis=1)
    plain = call("pg_baseline", states, actions, rewards, theta, zero)
    target = (root * plain.reshape(len(plain), -1)).ravel()
    if solver == "qr":
        q, r = np.linalg.qr(matrix)
        table = np.linalg.solve(r, q.T @ target)
    elif solver == "svd":
        table = np.linalg.lstsq(matrix, target, rcond=None)[0]
    else:
        table = np.linalg.solve(matrix.T @ matrix, matrix.T @ target)
    off = np.abs(table.reshape(zero.shape) - call("optimal_state_baseline", *args))
    tolerance = 16 * np.finfo(float).eps * measure._table_scale(*args)
    assert (off < 0.2 * tolerance).all()
    assert (tolerance < 1e-5).all()  # of a table whose entries are hundreds


@pytest.mark.parametrize(
    "mistake",
    [
        "fitted-to-a-constant",
        "fitted-to-immediate-reward",
        "fitted-to-steps-alone",
        "fitted-to-other-trajectories",
    ],
)
def test_a_wrong_table_leaves_more_than_the_limit(mistake):
    found = {mutant.mistake.name: mutant.program for mutant in TASK.reference.mutants}
    with BareProgram(TASK, found[mistake]) as running:
        statistics = running.statistics("fitted", COMMON, PUBLIC_KEY)["fitted"]
    assert statistics["trace_x"] > 0.2 * statistics["trace_y"]
