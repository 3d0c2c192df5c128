"""The probes: their Q* by other means, what is drawn of them, and published figures."""

import itertools

import numpy as np
import pytest

from harness import environments
from harness.environments import probes

NAMES = ["time-limit", "auto-reset", "two-step", "chance", "action-reward", "four-states"]


def drawn(name, seed):
    return environments.draw(name, np.random.default_rng(seed))


def of_course():
    """CS234's environment as it was published."""
    rewards, factor = probes.FOUR_STATES_REWARDS, probes.FOUR_STATES_FACTOR
    return probes.four_states_rules(rewards, factor, np.arange(4))


def best_by_policies(rules, gamma):
    """Q* as the best of all deterministic policies, each of which is solved as a linear system."""
    n, actions = rules.acted, rules.moves.shape[1]
    reward = (rules.moves * rules.rewards).sum(axis=2)[:n]
    ahead = gamma * np.where(rules.ends, 0.0, rules.moves)[:n, :, :n]
    values = []
    for policy in itertools.product(range(actions), repeat=n):
        rows = np.arange(n), np.array(policy)
        values.append(np.linalg.solve(np.eye(n) - ahead[rows], reward[rows]))
    return reward + ahead @ np.max(values, axis=0)


@pytest.mark.parametrize("name", NAMES[:-1])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9])
def test_values_are_those_of_the_best_policy(name, gamma):
    for seed in range(5):
        probe = drawn(name, seed)
        best = best_by_policies(probe.rules, gamma)
        assert probe.values(gamma) == pytest.approx(best, rel=1e-10, abs=1e-12)


def test_the_best_return_of_the_four_states_is_that_of_the_course():
    def paid(places):
        pairs = itertools.pairwise(places)
        return sum(probes.FOUR_STATES_REWARDS[b] * (-10 if a == 2 else 1) for a, b in pairs)

    returns = {path: paid((0, *path)) for path in itertools.product(range(4), repeat=5)}
    assert max(returns.values()) == pytest.approx(4.1, abs=1e-12)
    assert returns[2, 1, 2, 1, 0] == pytest.approx(4.1, abs=1e-12)
    q = of_course().values(1.0)
    assert q[0].max() == pytest.approx(4.1, abs=1e-12)
    for first in range(4):
        best = max(value for path, value in returns.items() if path[0] == first)
        assert q[0, first] == pytest.approx(best, abs=1e-12)


def test_four_states_are_discounted_by_enumeration():
    rules = drawn("four-states", 3).rules
    gamma, best = 0.85, {}
    for actions in itertools.product(range(4), repeat=5):
        s, value = 2, 0.0
        for time, a in enumerate(actions):
            following = int(rules.moves[s, a].argmax())
            value += gamma**time * rules.rewards[s, a, following]
            s = following
        best[actions[0]] = max(value, best.get(actions[0], -np.inf))
    assert rules.values(gamma)[2] == pytest.approx(list(best.values()), abs=1e-12)


def test_the_time_limit_reads_ten():
    """γ = .9, T = 10: 10; 5.26 if truncation is termination, 9.09 if resets are stored."""
    gamma, length = 0.9, 10
    probe = drawn("time-limit", 0)
    reward = probe.rules.rewards[0, 0, 0]
    assert probe.values(gamma) / reward == pytest.approx(np.full((3, 2), 10.0), rel=1e-10)
    cut, stored = readings(probe, gamma, length)
    assert cut / reward == pytest.approx(5.263, abs=0.15)
    assert stored / reward == pytest.approx(9.091, abs=0.15)
    assert 1 / (1 - gamma * (1 - 1 / length)) == pytest.approx(5.263, abs=5e-4)


def readings(probe, gamma, length):
    """Means of the fixed points of two slips, from what a vector of episodes shows."""
    rng = np.random.default_rng(5)
    env = probe.vector(rng, 1000, length)
    env.reset()
    rewards, ends, resets = [], [], []
    ended = np.zeros(1000, dtype=bool)
    for _ in range(11 * length):
        _, paid, terminated, truncated, _ = env.step(rng.integers(2, size=1000))
        rewards.append(paid)
        resets.append(ended)
        ended = terminated | truncated
        ends.append(ended)
    rewards, ends, resets = map(np.array, (rewards, ends, resets))
    cut = rewards[~resets].mean() / (1 - gamma * (1 - ends[~resets].mean()))
    return cut, rewards.mean() / (1 - gamma)


@pytest.mark.parametrize("name", NAMES)
def test_episodes_follow_the_rules(name):
    """What a vector pays and where it goes has the law of the tables, action by action."""
    probe = drawn(name, 4)
    rng = np.random.default_rng(5)
    env = probe.vector(rng, 200, 7)
    number = {code.tobytes(): place for place, code in enumerate(probe.codes)}
    states = [number[row.tobytes()] for row in env.reset()[0]]
    shape = probe.rules.moves.shape
    counts, ended = np.zeros(shape), np.zeros(200, dtype=bool)
    for _ in range(300):
        actions = rng.integers(probe.actions, size=200)
        seen, rewards, terminated, truncated, _ = env.step(actions)
        after = [number[row.tobytes()] for row in seen]
        for i in np.flatnonzero(~ended):
            place = states[i], actions[i], after[i]
            counts[place] += 1
            assert rewards[i] == probe.rules.rewards[place]
            assert terminated[i] == probe.rules.ends[place]
        for i in np.flatnonzero(ended):
            assert probe.rules.start[after[i]] > 0
        states, ended = after, terminated | truncated
    made = counts[: probe.rules.acted].sum(axis=2, keepdims=True)
    assert (made > 0).all()
    found = counts[: probe.rules.acted] / made
    assert np.abs(found - probe.rules.moves[: probe.rules.acted]).max() < 0.05


@pytest.mark.parametrize("name", NAMES)
def test_observations_are_orthonormal_and_everything_is_drawn(name):
    first, second = drawn(name, 1), drawn(name, 2)
    count = len(first.codes)
    assert first.codes @ first.codes.T == pytest.approx(np.eye(count), abs=1e-12)
    assert first.observation_shape == (count,)
    assert not np.allclose(first.codes, second.codes)
    assert first.observations.shape == (first.rules.acted, count)
    assert not np.allclose(first.values(0.8), second.values(0.8), rtol=0.01)
