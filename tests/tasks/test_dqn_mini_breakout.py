"""dqn-mini-breakout: λ-returns against sums written out, the marks of odd policies, who learns."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from harness import environments
from harness.environments.breakout import PADDLE
from harness.kinds import seed_success
from harness.statistics import sequential
from tests.support.programs import ROOT, load, load_module, variants_are_slow

FOLDER, REFERENCE = ROOT / "tasks/dqn-mini-breakout", ROOT / "reference/dqn-mini-breakout"
TASK = load("dqn-mini-breakout")
(CHECK,) = (check for check in TASK.spec.checks if check.kind == "seed-success")
COMPLETE = ROOT / "submissions" / "complete" / "dqn_mini_breakout.py"
HONEST = [REFERENCE / "solution.py", *sorted((REFERENCE / "variants").glob("*.py")), COMPLETE]


@pytest.fixture(scope="module")
def measure():
    return load_module(FOLDER / "measure.py")


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


# --- the returns -----------------------------------------------------------------------------


def n_step(rewards, best, lost, cut, gamma, start, most):
    """The discounted rewards of at most so many steps and the value where they stop: one game."""
    total, discount = 0.0, 1.0
    for t in range(start, start + most):
        total += discount * rewards[t]
        discount *= gamma
        if lost[t]:
            return total
        if cut[t] or t == len(rewards) - 1:
            break
    return total + discount * best[t]


def mixture(rewards, best, lost, cut, gamma, lam):
    """(1-λ) Σ λ^(n-1) of the n-step returns; the last one has all of the weight that is left."""
    steps = len(rewards)
    found = []
    for start in range(steps):
        most = steps - start
        returns = [n_step(rewards, best, lost, cut, gamma, start, n) for n in range(1, most + 1)]
        weights = [(1 - lam) * lam ** (n - 1) for n in range(1, most)] + [lam ** (most - 1)]
        found.append(np.dot(weights, returns))
    return found


@pytest.mark.parametrize("path", HONEST, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("ends", [(0, 0), (0.3, 0), (0, 0.3), (0.3, 0.3)])
@pytest.mark.parametrize("lam", [0.0, 0.7, 1.0])
def test_a_return_is_a_mixture_of_n_step_returns(path, ends, lam):
    rng = np.random.default_rng(1)
    rewards, values = rng.normal(size=(9, 5)), rng.normal(size=(9, 5, 3))
    lost, cut = (rng.random((9, 5)) < share for share in ends)
    arrays = (torch.from_numpy(each) for each in (rewards, values, lost, cut))
    found = load_module(path).lambda_returns(*arrays, 0.9, lam).numpy()
    best = values.max(axis=2)
    for game in range(5):
        columns = (each[:, game] for each in (rewards, best, lost, cut))
        np.testing.assert_allclose(found[:, game], mixture(*columns, 0.9, lam), atol=1e-12)


# --- odd policies ----------------------------------------------------------------------------


def played(measure, act, seed):
    """The mean return of the grader's episodes under a rule that sees what a program sees."""
    rng = np.random.default_rng([11, seed])
    hidden = environments.draw("breakout", rng)
    return measure._play(None, SimpleNamespace(act=act), hidden, rng).mean()


def test_returns_of_policies_that_have_learnt_nothing(measure):
    rng = np.random.default_rng(12)
    drawn = [played(measure, lambda seen: rng.integers(3, size=len(seen)), k) for k in range(10)]
    assert np.mean(drawn) == pytest.approx(CHECK.low, abs=0.15)
    for action in range(3):
        constant = [
            played(measure, lambda seen, a=action: np.full(len(seen), a), k) for k in range(5)
        ]
        assert max(constant) < 2
    assert CHECK.threshold > 1.5 * max(drawn)


def test_untrained_players_do_not_succeed(measure, solution):
    found = []
    for seed in range(40):
        player = solution.Player(4, 3, torch.Generator().manual_seed(seed))
        found.append(
            played(measure, lambda seen, p=player: p.act(torch.from_numpy(seen)).numpy(), seed)
        )
    assert max(found) < CHECK.threshold


class Follower:
    """Knows the rules by heart, and finds out the disguise from what it sees.

    The wall has the most cells, the paddle three of the last row; the ball is the channel that is
    no copy of the one before. It tries the actions until each has shown where the paddle goes.
    """

    def __init__(self, count):
        self.count, self.before, self.ball, self.taken = count, None, None, None
        self.moves = {}

    def act(self, seen):
        cells = seen.sum(axis=(0, 2, 3))
        bricks = cells.argmax()
        low = seen[:, :, PADDLE].sum(axis=(0, 2))
        paddle = low.argmax()
        others = [c for c in range(4) if c not in (bricks, paddle)]
        middle = seen[:, paddle, PADDLE].argmax(axis=1) + 1
        if self.before is not None:
            old, old_middle = self.before
            shifts = middle - old_middle
            inside = (old_middle > 1) & (old_middle < 8)
            for action in range(3):
                moved = shifts[(self.taken == action) & inside]
                if action not in self.moves and len(moved):
                    self.moves[action] = int(np.median(moved))
            if self.ball is None:
                first, second = others
                trails = (seen[:, second] == old[:, first]).all(axis=(1, 2)).mean()
                self.ball = first if trails > 0.5 else second
        self.before = seen, middle
        if len(self.moves) < 3 or self.ball is None:
            self.taken = np.arange(len(seen)) % 3
        else:
            column = seen[:, self.ball].any(axis=1).argmax(axis=1)
            number = {move: action for action, move in self.moves.items()}
            wanted = np.sign(column - middle)
            self.taken = np.array([number[int(move)] for move in wanted])
        return self.taken


def test_what_a_program_reaches_that_knows_everything_but_the_seed(measure):
    """The disguise keeps weights from home out, and no rules: the statement says so."""
    found = [played(measure, Follower(64).act, seed) for seed in range(12)]
    assert min(found) > CHECK.threshold
    statement = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert "A program that knows the rules" in statement


# --- learning --------------------------------------------------------------------------------


def trained(measure, program, seed):
    """(The player after one seed of learning, its mean return), with the measurement's numbers."""
    rng, generator = np.random.default_rng([17, seed]), torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    hidden = environments.draw("breakout", rng)
    player = program.Player(4, 3, generator)
    games = hidden.vector(rng, measure.GAMES, measure.LENGTH)
    env = Counting(games)
    assert player.learn(env, measure.STEPS, generator) == env.steps <= measure.STEPS
    learnt = SimpleNamespace(act=lambda seen: player.act(torch.from_numpy(seen)).numpy())
    return learnt, measure._play(None, learnt, hidden, rng).mean()


class Counting:
    """Counts the steps that a program takes."""

    def __init__(self, env):
        self._env, self.num_envs, self.steps = env, env.num_envs, 0

    def reset(self):
        return self._env.reset()

    def step(self, actions):
        self.steps += 1
        return self._env.step(np.asarray(actions))


@pytest.mark.parametrize(
    "path", variants_are_slow(HONEST), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_an_honest_program_learns(measure, path):
    assert trained(measure, load_module(path), 0)[1] >= CHECK.threshold


@pytest.mark.slow
def test_a_player_from_home_does_not_succeed_behind_other_disguises(measure, solution):
    learnt, at_home = trained(measure, solution, 0)
    assert at_home >= CHECK.threshold
    found = np.array([played(measure, learnt.act, seed) for seed in range(100)])
    assert np.mean(found >= CHECK.threshold) <= 0.1


def test_the_statement_tells_when_seeds_suffice():
    plan = seed_success.design(CHECK)
    decided = {n: sequential.state(plan, [True] * n).status for n in (5, 6)}
    assert decided == {5: "open", 6: "pass"}
    decided = {n: sequential.state(plan, [False] * n).status for n in (4, 5)}
    assert decided == {4: "open", 5: "fail"}
    statement = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"**{CHECK.threshold:g} or more**" in statement
