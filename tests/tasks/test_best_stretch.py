"""Cart-poles marked by the best stretch of a training: what is counted, cheats, learning."""

import numpy as np
import pytest

from harness import environments
from harness.kinds import seed_success
from harness.statistics import sequential
from tests.support.programs import (
    ROOT,
    honest_programs,
    load,
    load_module,
    one_seed,
    variants_are_slow,
)

#: Task -> episodes in a row that its statement asks for.
STRETCHES = {"a2c-cartpole": 64, "dqn-cartpole": 32}
CHECKS = {
    name: next(check for check in load(name).spec.checks if check.kind == "seed-success")
    for name in STRETCHES
}
PLAIN_WEIGHTS = np.array([0.05, 0.15, 0.1, 0.25])


@pytest.fixture(scope="module", params=STRETCHES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def measure(name):
    return load_module(ROOT / "tasks" / name / "measure.py")


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


def played(measure, check, weights_of, disguises=40):
    """The share of disguises behind which linear weights succeed: `weights_of(rng)` [4]."""
    good = []
    for seed in range(disguises):
        rng = np.random.default_rng([11, seed])
        poles = measure.Counted(environments.draw("poles", rng).vector(rng, measure.POLES, 200))
        weights = weights_of(rng)
        seen, _ = poles.reset()
        for _ in range(610):  # three whole episodes a pole
            seen, *_ = poles.step((seen @ weights > 0).astype(np.int64))
        good.append(poles.best(measure.WINDOW) >= check.threshold)
    return np.mean(good)


def test_weights_of_the_plain_pole_gain_little(name, measure):
    assert played(measure, CHECKS[name], lambda rng: PLAIN_WEIGHTS) <= 0.3


def test_random_actions_reach_what_credit_starts_from(name, measure):
    rng = np.random.default_rng(12)
    poles = measure.Counted(environments.draw("poles", rng).vector(rng, measure.POLES, 200))
    poles.reset()
    for _ in range(measure.STEPS):
        poles.step(rng.integers(2, size=measure.POLES))
    assert poles.best(measure.WINDOW) == pytest.approx(CHECKS[name].low, abs=4)


# --- learning --------------------------------------------------------------------------------


HONEST = [
    case
    for name in STRETCHES
    for case in variants_are_slow([(name, each) for each in honest_programs(load(name))])
]
FAILING = [
    pytest.param(name, mutant, id=f"{name}-{mutant.mistake.name}")
    for name in STRETCHES
    for mutant in load(name).reference.mutants
    if mutant.mistake.check == CHECKS[name].id
]


@pytest.mark.parametrize("case", HONEST, ids=lambda case: f"{case[0]}-{case[1].name}")
def test_an_honest_program_learns(case):
    task, program = case
    assert one_seed(load(task), program)["steps"] >= CHECKS[task].threshold


@pytest.mark.slow
@pytest.mark.parametrize(("task", "mutant"), FAILING)
def test_mistakes_do_not_succeed(task, mutant):
    found = [one_seed(load(task), mutant.program, seed)["steps"] for seed in range(10)]
    assert np.mean(np.array(found) >= CHECKS[task].threshold) <= 0.4


def test_the_statement_tells_when_seeds_suffice(name):
    check = CHECKS[name]
    plan = seed_success.design(check)
    decided = {n: sequential.state(plan, [True] * n).status for n in (5, 6)}
    assert decided == {5: "open", 6: "pass"}
    decided = {n: sequential.state(plan, [False] * n).status for n in (4, 5)}
    assert decided == {4: "open", 5: "fail"}
    statement = (ROOT / "tasks" / name / "README.md").read_text(encoding="utf-8")
    wanted = f"**{STRETCHES[name]} episodes in a row last {check.threshold:.0f} steps or more**"
    assert wanted in statement
