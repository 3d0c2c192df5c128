"""dqn-cartpole: double targets by brute force and their bias, what the grader counts, cheats."""

import numpy as np
import pytest
import torch

from harness import environments
from harness.kinds import seed_success
from harness.statistics import sequential
from tests.support.programs import ROOT, load, load_module, one_seed, sample, variants_are_slow

FOLDER = ROOT / "tasks" / "dqn-cartpole"
TASK = load("dqn-cartpole")
(CHECK,) = (check for check in TASK.spec.checks if check.kind == "seed-success")
HONEST = [TASK.reference.solution, *TASK.reference.variants, sample("complete", TASK)]
FAILING = [mutant for mutant in TASK.reference.mutants if mutant.mistake.check == CHECK.id]
PLAIN_WEIGHTS = np.array([0.05, 0.15, 0.1, 0.25])


@pytest.fixture(scope="module")
def solution():
    return load_module(ROOT / "reference" / "dqn-cartpole" / "solution.py")


@pytest.fixture(scope="module")
def measure():
    return load_module(FOLDER / "measure.py")


# --- targets ---------------------------------------------------------------------------------


def test_double_targets_by_brute_force(solution):
    rng = np.random.default_rng(1)
    for _ in range(30):
        b, a, gamma = rng.integers(1, 9), rng.integers(1, 6), rng.random()
        r = rng.normal(size=b)
        online, target = rng.integers(-3, 4, (2, b, a)).astype(np.float64)
        fallen, cut = rng.random((2, b)) < 0.4
        wanted = [
            r[i] + (0.0 if fallen[i] else gamma * target[i, list(online[i]).index(max(online[i]))])
            for i in range(b)
        ]
        arrays = [torch.from_numpy(each) for each in (r, online, target, fallen, cut)]
        np.testing.assert_allclose(solution.double_targets(*arrays, gamma), wanted, atol=1e-14)


def test_two_networks_take_away_the_bias_of_the_largest_estimate(solution):
    """All of six actions are worth 0; estimates have noise 1. E max of six is 1.267."""
    rng, b = np.random.default_rng(2), 40_000
    online, target = (torch.from_numpy(each) for each in rng.normal(size=(2, b, 6)))
    r, never = torch.zeros(b, dtype=torch.float64), torch.zeros(b, dtype=torch.bool)
    double = solution.double_targets(r, online, target, never, never, 1.0).mean()
    single = solution.double_targets(r, target, target, never, never, 1.0).mean()
    assert double == pytest.approx(0.0, abs=4 / b**0.5)
    assert single == pytest.approx(1.2672, abs=4 / b**0.5)


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
    assert f"**32 episodes in a row last {CHECK.threshold:.0f} steps or more**" in statement
