"""a2c-cartpole: advantages by brute force and in an MDP, episodes counted by the grader, cheats."""

import numpy as np
import pytest
import torch

from harness import environments
from harness.kinds import seed_success
from harness.statistics import sequential
from tests.support.programs import ROOT, load, load_module, one_seed, sample, variants_are_slow

FOLDER = ROOT / "tasks" / "a2c-cartpole"
TASK = load("a2c-cartpole")
(CHECK,) = (check for check in TASK.spec.checks if check.kind == "seed-success")
HONEST = [TASK.reference.solution, *TASK.reference.variants, sample("complete", TASK)]
FAILING = [mutant for mutant in TASK.reference.mutants if mutant.mistake.check == CHECK.id]
PLAIN_WEIGHTS = np.array([0.05, 0.15, 0.1, 0.25])


@pytest.fixture(scope="module")
def solution():
    return load_module(ROOT / "reference" / "a2c-cartpole" / "solution.py")


@pytest.fixture(scope="module")
def measure():
    return load_module(FOLDER / "measure.py")


# --- advantages ------------------------------------------------------------------------------


def by_brute_force(r, v, w, fell, cut, over, gamma, lam):
    """The (1-λ)-weighted mean of the advantages over 1, 2, … steps, each written out."""
    found = np.zeros_like(r)
    for i, j in np.ndindex(*r.shape):
        begins = over[j] if i == 0 else fell[i - 1, j] or cut[i - 1, j]
        if begins:
            continue
        last = i
        while last < len(r) - 1 and not (fell[last, j] or cut[last, j]):
            last += 1
        over_h = []
        for h in range(1, last - i + 2):
            rest = 0.0 if fell[i + h - 1, j] else w[i + h - 1, j]
            between = sum(gamma ** (k + 1) * (v[i + k + 1, j] - w[i + k, j]) for k in range(h - 1))
            rewards = sum(gamma**k * r[i + k, j] for k in range(h))
            over_h.append(rewards + gamma**h * rest - v[i, j] - between)
        weights = [(1 - lam) * lam**k for k in range(len(over_h) - 1)] + [lam ** (len(over_h) - 1)]
        found[i, j] = np.dot(weights, over_h)
    return found


def test_advantages_are_weighted_means_over_all_numbers_of_steps(solution):
    """Where V(s') and V of the next row differ, each sum of k residuals takes both into account."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        t, n = rng.integers(1, 8, 2)
        r, v, w = rng.normal(size=(3, t, n))
        fell, cut = rng.random((2, t, n)) < 0.2
        over, (gamma, lam) = rng.random(n) < 0.3, rng.random(2)
        arrays = [torch.from_numpy(each) for each in (r, v, w, fell, cut, over)]
        found = solution.advantages(*arrays, gamma, lam)
        wanted = by_brute_force(r, v, w, fell, cut, over, gamma, lam)
        np.testing.assert_allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize("lam", [0.0, 0.6, 1.0])
def test_with_the_true_values_the_mean_advantage_is_that_of_the_action(solution, lam):
    """Of a chain of two random states, over all 64 records of three steps: Q(s, a) - V(s)."""
    rng, gamma = np.random.default_rng(2), 0.8
    reward, chance = rng.normal(size=(2, 2)), rng.uniform(0.2, 0.8, (2, 2))  # of s, a; of s' = 1
    pi = np.array([[0.3, 0.7], [0.6, 0.4]])
    to = np.stack([1 - chance, chance], axis=2)
    V = np.linalg.solve(np.eye(2) - gamma * (pi[:, :, None] * to).sum(1), (pi * reward).sum(1))
    Q = reward + gamma * to @ V
    sums, weights = np.zeros(2), np.zeros(2)
    for record in np.ndindex(2, 2, 2, 2, 2, 2):
        actions, states = record[:3], (0, *record[3:])
        probability = np.prod([pi[states[i], actions[i]] for i in range(3)])
        probability *= np.prod([to[states[i], actions[i], states[i + 1]] for i in range(3)])
        r = np.array([[reward[states[i], actions[i]]] for i in range(3)])
        values, following = V[list(states[:-1])][:, None], V[list(states[1:])][:, None]
        never = torch.zeros(3, 1, dtype=torch.bool)
        arrays = [torch.from_numpy(each) for each in (r, values, following)]
        A = solution.advantages(*arrays, never, never, never[0], gamma, lam)
        sums[actions[0]] += probability * A[0, 0].item()
        weights[actions[0]] += probability
    np.testing.assert_allclose(sums / weights, Q[0] - V[0], atol=1e-12)


# --- what is counted -------------------------------------------------------------------------


class Script:
    """Poles that end when they are told to: ``ends`` [steps, poles]."""

    metadata, spec = {}, None

    def __init__(self, ends):
        self.num_envs, self._ends = len(ends[0]), iter(np.array(ends, dtype=bool))

    def reset(self):
        return np.zeros((self.num_envs, 4)), {}

    def step(self, actions):
        ended = next(self._ends)
        seen, rewards = np.zeros((self.num_envs, 4)), np.ones(self.num_envs)
        return seen, rewards, ended, np.zeros_like(ended), {}


def counted(measure, ends, resets=()):
    poles = measure.Counted(Script(ends))
    poles.reset()
    for number in range(len(ends)):
        if number in resets:
            poles.reset()
        poles.step(np.zeros(len(ends[0])))
    return poles


def test_episodes_are_written_down_as_they_end(measure):
    """In the order of their ends, then of the poles; the call that begins one is none of it."""
    ends = [[0, 0], [1, 0], [0, 0], [0, 1], [0, 0], [1, 0]]
    assert counted(measure, ends).lengths == [2, 4, 3]


def test_what_a_reset_breaks_off_counts_and_what_still_runs_does_not(measure):
    ends = [[0, 0], [1, 0], [0, 0], [0, 0], [1, 0], [0, 1]]
    assert counted(measure, ends, resets=(4,)).lengths == [2, 1, 4, 1, 2]
    assert counted(measure, ends, resets=(2,)).lengths == [2, 2, 3, 4]


def test_a_reset_at_the_end_of_an_episode_adds_nothing(measure):
    assert counted(measure, [[1, 1], [1, 1]], resets=(1,)).lengths == [1, 1, 1, 1]


@pytest.mark.parametrize("number", [0, 1, 5, 40])
def test_the_best_stretch_by_brute_force(measure, number):
    poles = measure.Counted(Script([[0]]))
    poles.lengths = np.random.default_rng(number).integers(1, 201, number).tolist()
    padded = [0] * 8 + poles.lengths
    wanted = max(np.mean(padded[i : i + 8]) for i in range(number + 1))
    assert poles.best(8) == pytest.approx(wanted)


# --- cheats ----------------------------------------------------------------------------------


def played(measure, weights_of, disguises=40):
    """The share of disguises behind which linear weights succeed: `weights_of(rng)` [4]."""
    good = []
    for seed in range(disguises):
        rng = np.random.default_rng([11, seed])
        poles = measure.Counted(environments.draw("poles", rng).vector(rng, measure.POLES, 200))
        weights = weights_of(rng)
        seen, _ = poles.reset()
        for _ in range(610):  # three whole episodes a pole
            seen, *_ = poles.step((seen @ weights > 0).astype(np.int64))
        good.append(poles.best(measure.WINDOW) >= CHECK.threshold)
    return np.mean(good)


def test_weights_of_the_plain_pole_gain_little(measure):
    assert played(measure, lambda rng: PLAIN_WEIGHTS) <= 0.3


def test_random_actions_reach_what_credit_starts_from(measure):
    rng = np.random.default_rng(12)
    poles = measure.Counted(environments.draw("poles", rng).vector(rng, measure.POLES, 200))
    poles.reset()
    for _ in range(measure.STEPS):
        poles.step(rng.integers(2, size=measure.POLES))
    assert poles.best(measure.WINDOW) == pytest.approx(CHECK.low, abs=4)


# --- learning --------------------------------------------------------------------------------


@pytest.mark.parametrize("program", variants_are_slow(HONEST), ids=lambda program: program.name)
def test_an_honest_program_learns(program):
    assert one_seed(TASK, program)["steps"] >= CHECK.threshold


@pytest.mark.slow
@pytest.mark.parametrize("mutant", FAILING, ids=lambda mutant: mutant.mistake.name)
def test_mistakes_do_not_succeed(mutant):
    found = [one_seed(TASK, mutant.program, seed)["steps"] for seed in range(10)]
    assert np.mean(np.array(found) >= CHECK.threshold) <= 0.4


def test_the_statement_tells_when_seeds_suffice():
    plan = seed_success.design(CHECK)
    decided = {n: sequential.state(plan, [True] * n).status for n in (5, 6)}
    assert decided == {5: "open", 6: "pass"}
    decided = {n: sequential.state(plan, [False] * n).status for n in (4, 5)}
    assert decided == {4: "open", 5: "fail"}
    statement = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"**64 episodes in a row last {CHECK.threshold:.0f} steps or more**" in statement
