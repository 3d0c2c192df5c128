"""a2c-update: hand calculations, a small MDP whose trajectories are all listed, the time limit."""

import itertools

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load, load_module, outcomes, sample

TASK = load("a2c-update")
solution = load_module(ROOT / "reference" / "a2c-update" / "solution.py")
measure = load_module(ROOT / "tasks" / "a2c-update" / "measure.py")

STATES, ACTIONS, STEPS = 3, 2, 4


def tensor(values):
    return torch.as_tensor(np.asarray(values))


def by_definition(rewards, values, terminated, truncated, gamma, n_steps):
    """G of every step as the statement says it: h is looked for, then h terms are summed."""
    found = np.zeros_like(rewards)
    for i, t in np.ndindex(*rewards.shape):
        rest = rewards.shape[1] - t
        ends = [k + 1 for k in range(rest) if terminated[i, t + k] or truncated[i, t + k]]
        h = min([n_steps, rest, *ends])
        value = 0.0 if terminated[i, t + h - 1] else values[i, t + h - 1]
        found[i, t] = gamma ** np.arange(h) @ rewards[i, t : t + h] + gamma**h * value
    return found


@pytest.mark.parametrize("n_steps", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("gamma", [0.0, 0.7, 1.0])
def test_returns_are_those_of_the_definition(n_steps, gamma):
    rng = np.random.default_rng(n_steps)
    rewards, values = rng.normal(size=(2, 6, 7))
    flags = measure._flags(rng, 0.3, 6, 7)
    found = solution.n_step_returns(*map(tensor, (rewards, values, *flags)), gamma, n_steps)
    expected = by_definition(rewards, values, *flags, gamma, n_steps)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("cut_is_an_end", "value"), [(False, 10.0), (True, 5.263)])
def test_time_limit_probe(cut_is_an_end, value):
    """One state, reward 1, episodes of 10 steps, γ = 0.9: the fixed point of the mean return."""
    rewards, cut = torch.ones(1, 10, dtype=torch.float64), torch.arange(10)[None] == 9
    never = torch.zeros(1, 10, dtype=torch.bool)
    flags = (cut, never) if cut_is_an_end else (never, cut)
    estimate = torch.zeros((), dtype=torch.float64)
    for _ in range(400):
        values = estimate.expand(1, 10)
        estimate = solution.n_step_returns(rewards, values, *flags, 0.9, 1).mean()
    assert estimate.item() == pytest.approx(value, abs=5e-4)


class Listed:
    """All trajectories of an MDP of 3 states and 4 steps, one row each, and their probabilities.

    Features are one-hot in step and state, so that the critic can hold the exact values; after
    the last step the state is terminal.
    """

    def __init__(self, rng):
        self.moves = rng.dirichlet(np.ones(STATES), (STATES, ACTIONS))
        self.reward_of = rng.normal(2.0, 1.0, (STATES, ACTIONS))
        paths = itertools.product(range(STATES), repeat=STEPS - 1)
        choices = list(itertools.product(range(ACTIONS), repeat=STEPS))
        pairs = [((0, *path), choice) for path in paths for choice in choices]
        self.states, self.actions = (np.array(column) for column in zip(*pairs, strict=True))
        later, before = self.states[:, 1:], self.states[:, :-1]
        self.moved = self.moves[before, self.actions[:, :-1], later].prod(1)
        cells = np.arange(STEPS) * STATES + self.states
        self.features = np.eye(STEPS * STATES)[cells]
        self.next_features = np.zeros_like(self.features)
        self.next_features[:, :-1] = self.features[:, 1:]
        self.rewards = self.reward_of[self.states, self.actions]
        self.terminated = np.zeros(self.states.shape, dtype=bool)
        self.terminated[:, -1] = True

    def policy(self, theta):
        weights = np.exp(theta)
        return weights / weights.sum(-1, keepdims=True)

    def odds(self, theta):
        pi = self.policy(theta).reshape(STEPS, STATES, ACTIONS)
        return self.moved * pi[np.arange(STEPS), self.states, self.actions].prod(1)

    def objective(self, theta, gamma):
        return self.odds(theta) @ (self.rewards @ gamma ** np.arange(STEPS))

    def values(self, theta, gamma):
        """V of every step and state from the last to the first: [t s] flat."""
        pi = self.policy(theta).reshape(STEPS, STATES, ACTIONS)
        table = np.zeros((STEPS + 1, STATES))
        for t in reversed(range(STEPS)):
            q = self.reward_of + gamma * self.moves @ table[t + 1]
            table[t] = (pi[t] * q).sum(1)
        return table[:-1].ravel()

    def updates(self, theta, phi, gamma, n_steps):
        """The mean step of theta and of phi, each trajectory a rollout of its own."""
        never = np.zeros_like(self.terminated)
        steps = []
        for i in range(len(self.states)):
            row = (self.features, self.next_features, self.actions, self.rewards, self.terminated)
            args = [tensor(each[i : i + 1]) for each in (*row, never)]
            new = solution.a2c_update(tensor(theta), tensor(phi), *args, gamma, n_steps, 1.0, 1.0)
            steps.append([(new[0].numpy() - theta).ravel(), new[1].numpy() - phi])
        odds = self.odds(theta)
        return [odds @ np.array(column) for column in zip(*steps, strict=True)]


@pytest.mark.parametrize("n_steps", [1, 2, 3, 4, 9])
def test_with_the_exact_critic_the_mean_update_is_the_policy_gradient(n_steps):
    """For every n: it is ∇J, whose numerical derivative is taken; the critic stands still."""
    rng = np.random.default_rng(7)
    mdp, theta = Listed(rng), rng.normal(size=(STEPS * STATES, ACTIONS))
    assert mdp.odds(theta).sum() == pytest.approx(1.0)
    up, down = mdp.updates(theta, mdp.values(theta, 1.0), 1.0, n_steps)
    gradient, step = np.zeros(theta.size), 1e-5
    for k, unit in enumerate(np.eye(theta.size).reshape(-1, *theta.shape)):
        ends = [mdp.objective(theta + sign * step * unit, 1.0) for sign in (1, -1)]
        gradient[k] = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(up, gradient, atol=1e-8)
    np.testing.assert_allclose(down, 0.0, atol=1e-12)


def test_any_critic_leaves_the_mean_of_the_whole_return_s_update():
    """With n as long as the episode the critic is a baseline; with n = 1 a wrong one biases."""
    rng = np.random.default_rng(8)
    mdp, theta = Listed(rng), rng.normal(size=(STEPS * STATES, ACTIONS))
    wrong = rng.normal(0.0, 5.0, STEPS * STATES)
    exact, _ = mdp.updates(theta, mdp.values(theta, 1.0), 1.0, STEPS)
    whole, _ = mdp.updates(theta, wrong, 1.0, STEPS)
    short, _ = mdp.updates(theta, wrong, 1.0, 1)
    np.testing.assert_allclose(whole, exact, atol=1e-12)
    assert np.abs(short - exact).max() > 0.1


def test_the_update_is_gradient_descent_on_the_two_losses():
    """Without entropy: both steps are B times the gradients of the loss with c_V = 1."""
    rng = np.random.default_rng(9)
    shape, window = (3, 5, 4, 3), (0.9, 2)
    theta, phi = rng.normal(size=(4, 3)), rng.normal(size=4)
    x, next_x = rng.normal(size=(2, *shape[:3]))
    actions, rewards = rng.integers(0, 3, (3, 5)), rng.normal(size=(3, 5))
    rest = [tensor(each) for each in (x, next_x, actions, rewards, *measure._flags(rng, 0.3, 3, 5))]
    weights = [tensor(each).requires_grad_() for each in (theta, phi)]
    loss = solution.a2c_loss(*weights, *rest, *window, 1.0, 0.0)
    grads = torch.autograd.grad(loss, weights)
    new = solution.a2c_update(tensor(theta), tensor(phi), *rest, *window, 0.5, 0.25)
    for old, grad, rate, found in zip((theta, phi), grads, (0.5, 0.25), new, strict=True):
        np.testing.assert_allclose(found.numpy(), old - rate * 15 * grad.numpy(), rtol=1e-12)


def test_every_kind_of_end_is_measured():
    rng = np.random.default_rng(0)
    kinds = measure._ending(*measure._flags(rng, 0.3, 50, 12), 3)
    assert set(np.unique(kinds)) == {0, 1, 2, 3}
    both = np.logical_and(*measure._flags(rng, 0.3, 50, 12))
    assert both.any()


def test_the_mistaken_sample_loses_what_it_gets_wrong():
    found = outcomes(TASK, sample("mistaken", TASK))
    passed = {name for name, outcome in found if outcome.status == "PASS"}
    assert passed == {"n-step", "rollout-end", "terminated", "advantage", "centred", "actor"}
