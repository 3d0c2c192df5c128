"""pg-baseline-cartpole: baselines on enumerated batches, the prize, cheats, and who learns."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from harness import environments
from harness.kinds import seed_success
from harness.statistics import sequential
from tests.support.programs import ROOT, load, load_module, one_seed, sample, variants_are_slow

FOLDER = ROOT / "tasks" / "pg-baseline-cartpole"
TASK = load("pg-baseline-cartpole")
(CHECK,) = (check for check in TASK.spec.checks if check.kind == "seed-success")
HONEST = [TASK.reference.solution, *TASK.reference.variants, sample("complete", TASK)]
FAILING = [mutant for mutant in TASK.reference.mutants if mutant.mistake.check == CHECK.id]
PLAIN_WEIGHTS = np.array([0.05, 0.15, 0.1, 0.25])


@pytest.fixture(scope="module")
def solution():
    return load_module(ROOT / "reference" / "pg-baseline-cartpole" / "solution.py")


@pytest.fixture(scope="module")
def measure():
    return load_module(FOLDER / "measure.py")


# --- baselines -------------------------------------------------------------------------------


def batches(m, steps):
    """Every batch of m episodes of some steps with two actions: actions [batches, m, steps]."""
    return np.array(list(itertools.product((0, 1), repeat=m * steps))).reshape(-1, m, steps)


def mean_gradient(solution, theta, reward_of, m, baseline):
    """The mean of minus the gradient of the policy's loss by theta [steps, 2], over all batches.

    The reward of an episode depends on all its actions, and comes in its last step;
    `baseline(rewards, mask)` gives the values that are subtracted.
    """
    steps, total = len(theta), np.zeros_like(theta)
    pi = np.exp(theta) / np.exp(theta).sum(1, keepdims=True)
    mask = torch.ones(m, steps, dtype=torch.bool)
    for actions in batches(m, steps):
        chance = pi[np.arange(steps), actions].prod()
        rewards = torch.zeros(m, steps, dtype=torch.float64)
        rewards[:, -1] = torch.from_numpy(reward_of[tuple(actions.T)])
        logits = torch.tensor(np.tile(theta, (m, 1, 1)), requires_grad=True)
        values = baseline(rewards, mask)
        loss = solution.policy_loss(logits, torch.from_numpy(actions), rewards, values, mask, 1.0)
        (found,) = torch.autograd.grad(loss, logits)
        total -= chance * found.numpy().sum(0)
    return total


def slope(theta, reward_of):
    """The derivative of the mean reward by theta, by autograd through the probabilities."""
    logits = torch.tensor(theta, requires_grad=True)
    pi, mean = logits.softmax(1), torch.zeros((), dtype=torch.float64)
    for actions in itertools.product((0, 1), repeat=len(theta)):
        mean = mean + pi[range(len(theta)), actions].prod() * reward_of[actions]
    mean.backward()
    return logits.grad.numpy()


@pytest.mark.parametrize(("m", "steps"), [(2, 1), (3, 1), (4, 1), (2, 2), (3, 2)])
def test_the_mean_of_the_others_is_unbiased_and_that_of_all_shrinks_the_gradient(
    solution, m, steps
):
    """By 1 - 1/m, as the mean of the batch holds the episode itself."""
    rng = np.random.default_rng([m, steps])
    theta, reward_of = rng.normal(size=(steps, 2)), rng.normal(5.0, 2.0, (2,) * steps)

    def others(rewards, mask):
        return solution.others_mean(rewards, mask, 1.0)

    def everybody(rewards, mask):
        return rewards.sum(1).mean().expand_as(rewards)

    wanted = slope(theta, reward_of)
    found = mean_gradient(solution, theta, reward_of, m, others)
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-13)
    found = mean_gradient(solution, theta, reward_of, m, everybody)
    np.testing.assert_allclose(found, (1 - 1 / m) * wanted, rtol=1e-10, atol=1e-13)


def test_values_of_the_state_leave_the_mean_gradient_alone(solution):
    rng = np.random.default_rng(3)
    theta, reward_of = rng.normal(size=(2, 2)), rng.normal(5.0, 2.0, (2, 2))
    table = torch.from_numpy(rng.normal(0.0, 9.0, (2, 2)))  # of episode and step
    found = mean_gradient(solution, theta, reward_of, 2, lambda rewards, mask: table)
    np.testing.assert_allclose(found, slope(theta, reward_of), rtol=1e-10, atol=1e-13)


def test_the_mean_of_the_others_by_brute_force(solution):
    rng = np.random.default_rng(4)
    for _ in range(30):
        n, t, gamma = int(rng.integers(1, 6)), int(rng.integers(1, 6)), rng.uniform()
        rewards, lengths = rng.normal(size=(n, t)), rng.integers(1, t + 1, n)
        mask = np.arange(t) < lengths[:, None]
        returns = [
            [
                sum(gamma ** (k - s) * rewards[i, k] for k in range(s, lengths[i]))
                for s in range(lengths[i])
            ]
            for i in range(n)
        ]
        wanted = np.zeros((n, t))
        for i, s in zip(*np.nonzero(mask), strict=True):
            rest = [returns[j][s] for j in range(n) if j != i and s < lengths[j]]
            wanted[i, s] = np.mean(rest) if rest else 0.0
        found = solution.others_mean(torch.tensor(rewards), torch.tensor(mask), gamma)
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_the_value_loss_leads_to_the_mean_return_of_each_state(solution):
    """Its gradient vanishes at the mean over all visits, whatever the lengths of the episodes."""
    rng = np.random.default_rng(5)
    mask = torch.tensor(np.arange(4) < np.array([4, 1, 3])[:, None])
    states, rewards = (
        torch.tensor(rng.integers(2, size=(3, 4))),
        torch.tensor(rng.normal(size=(3, 4))),
    )
    G = solution.advantages(rewards, torch.zeros_like(rewards), mask, 0.7)
    table = torch.stack([G[mask & (states == s)].mean() for s in range(2)]).requires_grad_()
    solution.value_loss(table[states], rewards, mask, 0.7).backward()
    np.testing.assert_allclose(table.grad, 0.0, atol=1e-14)


# --- the prize -------------------------------------------------------------------------------


def drawn(measure, seed, count, factor=400.0, length=200):
    rng = np.random.default_rng([7, seed])
    poles = environments.draw("poles", rng)
    return measure.Prized(poles.vector(rng, count, length), rng, factor)


def test_a_prize_is_seen_all_along_and_paid_once_at_the_end(measure):
    env, rng = drawn(measure, 0, 16), np.random.default_rng(8)
    seen = env.reset()[0]
    prizes, over = seen[:, 4], np.zeros(16, dtype=bool)
    ends = 0
    for _ in range(80):
        before = seen[:, 4].copy()
        seen, rewards, fallen, cut, _ = env.step(rng.integers(2, size=16))
        begun, over = over, fallen | cut
        np.testing.assert_array_equal(seen[~begun, 4], before[~begun])
        assert (seen[begun, 4] != before[begun]).all()
        expected = np.where(begun, 0.0, 1.0) + 400.0 * seen[:, 4] * over
        np.testing.assert_allclose(rewards, expected)
        assert not (begun & over).any()
        ends += over.sum()
    assert ends > 30
    assert np.abs(prizes).max() <= 1
    assert (env.reset()[0][:, 4] != seen[:, 4]).all()


def test_the_prize_is_most_of_a_return_and_is_nothing_to_an_action(measure):
    """Of returns from the first step under random actions, and of what is left without it."""
    env, rng = drawn(measure, 1, 400), np.random.default_rng(9)
    seen = env.reset()[0]
    prizes, returns, playing = seen[:, 4], np.zeros(400), np.ones(400, dtype=bool)
    while playing.any():
        seen, rewards, fallen, cut, _ = env.step(rng.integers(2, size=400))
        returns += rewards * playing
        playing &= ~(fallen | cut)
    lengths = returns - 400.0 * prizes
    np.testing.assert_allclose(lengths, lengths.round(), atol=1e-9)
    assert lengths.mean() == pytest.approx(22.3, abs=2.5)
    assert CHECK.low == pytest.approx(lengths.mean(), abs=2.5)
    assert lengths.var() < 0.01 * returns.var()


# --- cheats ----------------------------------------------------------------------------------

DISGUISES = 60


class Player:
    """Stands for an agent that has learnt, or not."""

    def __init__(self, weights):
        self.weights = weights

    def act(self, seen):
        return (seen[:, :4] @ self.weights > 0).astype(np.int64)


def success_rate(measure, player):
    found = [
        measure._play(None, player, drawn(measure, seed, 40)).mean()
        for seed in range(100, 100 + DISGUISES)
    ]
    return np.mean(np.array(found) >= CHECK.threshold)


def test_weights_of_the_plain_pole_gain_little(measure):
    assert success_rate(measure, Player(PLAIN_WEIGHTS)) <= 0.25


# --- learning --------------------------------------------------------------------------------


@pytest.mark.parametrize("program", variants_are_slow(HONEST), ids=lambda program: program.name)
def test_an_honest_program_learns(program):
    assert one_seed(TASK, program)["steps"] >= CHECK.threshold


@pytest.mark.slow
@pytest.mark.parametrize("mutant", FAILING, ids=lambda mutant: mutant.mistake.name)
def test_mistakes_do_not_succeed(mutant):
    found = [one_seed(TASK, mutant.program, seed)["steps"] for seed in range(10)]
    assert np.mean(np.array(found) >= CHECK.threshold) <= 0.4


# --- how it is marked ------------------------------------------------------------------------


def test_the_statement_tells_when_seeds_suffice():
    plan = seed_success.design(CHECK)
    decided = {n: sequential.state(plan, [True] * n).status for n in (5, 6)}
    assert decided == {5: "open", 6: "pass"}
    decided = {n: sequential.state(plan, [False] * n).status for n in (4, 5)}
    assert decided == {4: "open", 5: "fail"}
    statement = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"**{CHECK.threshold:.0f} steps or more**" in statement


ODD = {
    "nothing": lambda rows, call: np.zeros(len(rows), dtype=bool),
    "call 20": lambda rows, call: np.full(len(rows), call % 20 == 0),
    "call 150": lambda rows, call: np.full(len(rows), call % 150 == 0),
    "row 0": lambda rows, call: np.arange(len(rows)) == 0,
    "last row": lambda rows, call: np.arange(len(rows)) == len(rows) - 1,
    "size 5": lambda rows, call: np.full(len(rows), len(rows) == 5),
    "equal rows": lambda rows, call: np.full(len(rows), len(np.unique(rows, axis=0)) < len(rows)),
    "a zero": lambda rows, call: np.full(len(rows), (rows == 0).any()),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_action_that_depends_on_more_than_its_row_is_seen(measure, odd):
    """An agent that looks at one component, and where something is odd acts the other way."""

    class Agent:
        calls = 0

        def __init__(self, actions):
            self.actions = actions

        def act(self, rows):
            self.calls += 1
            action = np.where(rows[:, 0] > 0, 0, self.actions - 1)
            return np.where(ODD[odd](rows, self.calls), self.actions - 1 - action, action)

    student = SimpleNamespace(
        new=lambda name, width, actions, generator: Agent(actions),
        generator=lambda: None,
        domain=TASK.instances,
    )
    found = measure.acts(student, np.random.default_rng(1))["alike"]
    assert found.all() == (odd == "nothing")
