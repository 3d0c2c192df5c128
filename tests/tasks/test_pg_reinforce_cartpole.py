"""pg-reinforce-cartpole: gradients of small MDPs, the law of the poles, cheats, and who learns."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv

from harness.kinds import seed_success
from harness.statistics import sequential
from tests.support.programs import ROOT, load, load_module, variants_are_slow

FOLDER, REFERENCE = (
    ROOT / "tasks" / "pg-reinforce-cartpole",
    ROOT / "reference/pg-reinforce-cartpole",
)
TASK = load("pg-reinforce-cartpole")
(CHECK,) = (check for check in TASK.spec.checks if check.kind == "seed-success")
COMPLETE = ROOT / "submissions" / "complete" / "pg_reinforce_cartpole.py"
HONEST = [REFERENCE / "solution.py", *sorted((REFERENCE / "variants").glob("*.py")), COMPLETE]
FAILING = [mutant for mutant in TASK.reference.mutants if mutant.mistake.check == CHECK.id]
UNDISGUISED = (np.eye(4), np.arange(2), np.ones(5))
PLAIN_WEIGHTS = np.array([0.05, 0.15, 0.1, 0.25])


@pytest.fixture(scope="module")
def solution():
    return load_module(REFERENCE / "solution.py")


@pytest.fixture(scope="module")
def poles():
    return load_module(FOLDER / "measure.py")


def to_go(solution, rewards, mask, gamma):
    return solution.reward_to_go(torch.tensor(rewards), torch.tensor(mask), gamma).numpy()


def gradient(solution, logits, actions, returns, mask):
    """The loss and its gradient by the logits."""
    logits = torch.tensor(logits, requires_grad=True)
    rest = (torch.tensor(array) for array in (actions, returns, mask))
    loss = solution.reinforce_loss(logits, *rest)
    (found,) = torch.autograd.grad(loss, logits)
    return loss.item(), found.numpy()


# --- the formulas ----------------------------------------------------------------------------


def test_example_of_the_statement(solution):
    rewards = [[1.0, 2.0, 4.0], [3.0, 1.0, 9.0]]
    mask = [[True, True, True], [True, False, False]]
    actions = [[1, 0, 1], [0, 1, 0]]
    returns = to_go(solution, rewards, mask, 0.5)
    np.testing.assert_array_equal(returns, [[3, 4, 4], [3, 0, 0]])
    loss, found = gradient(solution, np.zeros((2, 3, 2)), actions, returns, mask)
    assert loss == pytest.approx(7 * np.log(2), rel=1e-15)
    assert f"{loss:.4f}" == "4.8520"
    expected = [[[0.75, -0.75], [-1, 1], [1, -1]], [[-0.75, 0.75], [0, 0], [0, 0]]]
    np.testing.assert_allclose(found, expected, atol=1e-15)


class Enumerated:
    """All trajectories of a small MDP from state 0, with their probabilities."""

    def __init__(self, states, actions, rewards, theta, moves):
        self.states, self.actions, self.rewards, self.theta = states, actions, rewards, theta
        policy = np.exp(theta) / np.exp(theta).sum(1, keepdims=True)
        chance = policy[states, actions].prod(1)
        self.chance = chance * moves[states[:, :-1], actions[:, :-1], states[:, 1:]].prod(1)
        self.whole = np.ones_like(rewards, dtype=bool)

    def ascent(self, solution, returns):
        """The mean of minus the gradient of the loss, by theta."""
        logits, n = self.theta[self.states], len(self.states)
        _, found = gradient(solution, logits, self.actions, returns, self.whole)
        table = np.zeros_like(self.theta)
        np.add.at(table, self.states, -n * self.chance[:, None, None] * found)
        return table

    def slope(self, gamma=1.0):
        """The derivative of E[Σ γ^t r_t] by theta, by autograd through the probabilities."""
        theta = torch.tensor(self.theta, requires_grad=True)
        taken = theta.log_softmax(1)[self.states, self.actions].sum(1)
        ratio = (taken - taken.detach()).exp() * torch.from_numpy(self.chance)
        discounts = gamma ** np.arange(self.rewards.shape[1])
        (ratio @ torch.from_numpy(self.rewards @ discounts)).backward()
        return theta.grad.numpy()

    def bias(self, solution, returns, gamma=1.0):
        wanted = self.slope(gamma)
        return np.linalg.norm(self.ascent(solution, returns) - wanted) / np.linalg.norm(wanted)


def three_states():
    """The 432 trajectories of the catalogue's MDP: 3 states, 2 actions, 4 steps."""
    rng = np.random.default_rng(0)
    moves = rng.dirichlet(np.ones(3) * 0.7, size=(3, 2))
    table, theta = rng.normal(size=(3, 2)) + 2, rng.normal(size=(3, 2)) * 0.5
    paths = np.array([(0, *rest) for rest in itertools.product(range(3), repeat=3)])
    choices = np.array(list(itertools.product(range(2), repeat=4)))
    states, actions = np.repeat(paths, len(choices), 0), np.tile(choices, (len(paths), 1))
    return Enumerated(states, actions, table[states, actions], theta, moves)


def corridor():
    """Five steps; the state is the last action, and state 1 brings 5 at the end."""
    theta = np.array([[0.2, -0.3], [-0.1, 0.4]])
    actions = np.array(list(itertools.product((0, 1), repeat=5)))
    states = np.concatenate([np.zeros((32, 1), dtype=np.int64), actions[:, :-1]], axis=1)
    rewards = 1 + 0.1 * actions
    rewards[:, -1] += 5 * (states[:, -1] == 1)
    moves = np.broadcast_to(np.eye(2), (2, 2, 2))
    return Enumerated(states, actions, rewards, theta, moves)


@pytest.mark.parametrize("mdp", [three_states(), corridor()], ids=["432", "corridor"])
def test_the_mean_gradient_is_the_slope_of_the_objective(solution, mdp):
    assert mdp.chance.sum() == pytest.approx(1, abs=1e-12)
    returns = to_go(solution, mdp.rewards, mdp.whole, 1.0)
    np.testing.assert_allclose(mdp.ascent(solution, returns), mdp.slope(), rtol=1e-9, atol=1e-12)
    total = np.repeat(mdp.rewards.sum(1, keepdims=True), mdp.rewards.shape[1], 1)
    np.testing.assert_allclose(mdp.ascent(solution, total), mdp.slope(), rtol=1e-9, atol=1e-12)


def test_biases_of_known_slips(solution):
    for mdp, off_by_one, immediate, from_the_start, divided in (
        (three_states(), 1.07, 0.39, 0.39, 0.75),
        (corridor(), 0.072, 0.93, 0.93, 0.8),
    ):
        returns = to_go(solution, mdp.rewards, mdp.whole, 1.0)
        slips = {
            "t' > t": (returns - mdp.rewards, off_by_one),
            "immediate": (mdp.rewards, immediate),
            "forward sum": (mdp.rewards.cumsum(1), from_the_start),
            "divided by T": (returns / returns.shape[1], divided),
        }
        for name, (wrong, bias) in slips.items():
            assert mdp.bias(solution, wrong) == pytest.approx(bias, abs=6e-3), name


def test_discount_without_its_factor_is_another_gradient(solution):
    mdp = three_states()
    returns = to_go(solution, mdp.rewards, mdp.whole, 0.7)
    assert mdp.bias(solution, returns, 0.7) == pytest.approx(0.487, abs=5e-4)
    found, wanted = mdp.ascent(solution, returns), mdp.slope(0.7)
    cosine = (found * wanted).sum() / np.linalg.norm(found) / np.linalg.norm(wanted)
    assert cosine == pytest.approx(0.991, abs=5e-4)
    with_factor = returns * 0.7 ** np.arange(4)
    assert mdp.bias(solution, with_factor, 0.7) < 1e-12


# --- the poles -------------------------------------------------------------------------------


def test_without_a_disguise_they_are_gymnasiums_own(poles):
    ours = poles.Poles(np.random.default_rng(5), 8, UNDISGUISED)
    theirs = CartPoleVectorEnv(8, max_episode_steps=200)
    theirs.reset(seed=int(np.random.default_rng(5).integers(2**31)))
    seen, raw = ours.reset()[0], theirs.reset()[0]
    rng = np.random.default_rng(6)
    for _ in range(60):
        np.testing.assert_array_equal(seen, raw / poles.SIZES)
        actions = rng.integers(2, size=8)
        (seen, *ours_ended, _), (raw, *theirs_ended, _) = ours.step(actions), theirs.step(actions)
        np.testing.assert_array_equal(ours_ended, theirs_ended)


def test_a_disguise_is_a_rotation_an_order_and_factors(poles):
    rng = np.random.default_rng(7)
    drawn = [poles.disguise(rng) for _ in range(200)]
    rotations, orders, factors = (np.stack(each) for each in zip(*drawn, strict=True))
    np.testing.assert_allclose(
        rotations @ rotations.mT, np.tile(np.eye(4), (200, 1, 1)), atol=1e-12
    )
    assert 60 < (np.linalg.det(rotations) > 0).sum() < 140
    assert 60 < (orders[:, 0] == 0).sum() < 140
    assert 0.9 <= factors.min() < 0.91 and 1.09 < factors.max() <= 1.1
    # entries of a matrix from Haar's law have mean 0 and variance 1/4
    assert np.abs(rotations.mean(0)).max() < 4 * 0.5 / np.sqrt(200)
    np.testing.assert_allclose((rotations**2).mean(0), 0.25, atol=0.07)


def test_the_drawn_parameters_are_those_of_the_poles(poles):
    factors = np.array([1.1, 0.9, 1.05, 0.95, 1.02])
    drawn = poles.Poles(np.random.default_rng(8), 4, (np.eye(4), np.arange(2), factors))
    before = drawn.reset()[0] * poles.SIZES
    after = drawn.step(np.ones(4, dtype=np.int64))[0] * poles.SIZES
    gravity, cart, pole, length, force = np.array([9.8, 1.0, 0.1, 0.5, 10.0]) * factors
    _, speed, angle, spin = before.T
    push = (force + pole * length * spin**2 * np.sin(angle)) / (cart + pole)
    inertia = length * (4 / 3 - pole * np.cos(angle) ** 2 / (cart + pole))
    twist = (gravity * np.sin(angle) - np.cos(angle) * push) / inertia
    shift = push - pole * length * twist * np.cos(angle) / (cart + pole)
    rates = np.stack([speed, shift, spin, twist], axis=1)
    np.testing.assert_allclose(after, before + 0.02 * rates, atol=1e-6)


def test_every_reset_begins_anew_whatever_it_is_told(poles):
    drawn = poles.Poles(np.random.default_rng(9), 4, poles.disguise(np.random.default_rng(9)))
    starts = [drawn.reset(seed=1)[0] for _ in range(3)]
    assert len({start.tobytes() for start in starts}) == 3
    again = poles.Poles(np.random.default_rng(9), 4, poles.disguise(np.random.default_rng(9)))
    np.testing.assert_array_equal(again.reset()[0], starts[0])


class Player:
    """Stands for a policy that has learnt, or not."""

    def __init__(self, act):
        self.act = act


def linear(weights):
    return Player(lambda seen: (seen @ weights > 0).astype(np.int64))


def learnt(policy):
    return Player(lambda seen: policy.act(torch.from_numpy(seen)).numpy())


def mean_return(poles, player, seed, count=None, hidden=None):
    rng = np.random.default_rng([11, seed])
    hidden = hidden or poles.disguise(rng)
    played = poles._play(None, player, poles.Poles(rng, count or poles.EPISODES, hidden))
    return played.mean()


def test_returns_of_trivial_policies(poles):
    rng = np.random.default_rng(12)
    by_chance = Player(lambda seen: rng.integers(2, size=len(seen)))
    one_side = Player(lambda seen: np.ones(len(seen), dtype=np.int64))
    found = [mean_return(poles, by_chance, seed) for seed in range(25)]
    assert np.mean(found) == pytest.approx(22.3, abs=1.5)
    assert CHECK.low == pytest.approx(np.mean(found), abs=1.5)
    assert np.mean([mean_return(poles, one_side, seed) for seed in range(5)]) < 10


def test_an_episode_is_cut_at_200_steps_and_counted_once(poles):
    plain = poles.Poles(np.random.default_rng(13), 40, UNDISGUISED)
    np.testing.assert_array_equal(poles._play(None, linear(PLAIN_WEIGHTS), plain), 200.0)


# --- cheats ----------------------------------------------------------------------------------

DISGUISES = 60


def success_rate(poles, player):
    found = [mean_return(poles, player, seed) for seed in range(100, 100 + DISGUISES)]
    return np.mean(np.array(found) >= CHECK.threshold)


def test_weights_of_the_plain_pole_gain_nothing(poles):
    assert success_rate(poles, linear(PLAIN_WEIGHTS)) <= 0.2


def test_a_lucky_seed_gains_nothing(poles):
    """The first torch seed whose direction balances behind one disguise, behind 60 others.

    Any direction is as good as any other there: over 1,000 disguises, 11 % of them succeed.
    """
    seed = next(found for found in range(1000) if lucky(poles, found))
    assert success_rate(poles, linear(direction(seed))) <= 0.2


def direction(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(4, generator=generator, dtype=torch.float64).numpy()


def lucky(poles, seed):
    return mean_return(poles, linear(direction(seed)), 0) >= CHECK.threshold


def test_an_untrained_network_with_a_lucky_seed_gains_nothing(poles, solution):
    def untrained(seed):
        return learnt(solution.Policy(4, 2, torch.Generator().manual_seed(seed)))

    seed = next(
        found for found in range(1000) if mean_return(poles, untrained(found), 0) >= CHECK.threshold
    )
    assert success_rate(poles, untrained(seed)) <= 0.2


# --- learning --------------------------------------------------------------------------------


def trained(poles, program, seed):
    """The mean return after one seed of learning, with the measurement's numbers."""
    rng, generator = np.random.default_rng([17, seed]), torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    hidden = poles.disguise(rng)
    policy = program.Policy(poles.OBSERVATIONS, poles.ACTIONS, generator)
    env = Counting(poles.Poles(rng, poles.POLES, hidden))
    assert policy.learn(env, poles.STEPS, generator) == env.steps <= poles.STEPS
    return mean_return(poles, learnt(policy), seed, hidden=hidden)


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
def test_an_honest_program_learns(poles, path):
    assert trained(poles, load_module(path), 0) >= CHECK.threshold


def module_of(program):
    """The module of a program of the reference's."""
    names = {"__name__": program.name}
    (source,) = program.files.values()
    exec(compile(source, program.name, "exec"), names)
    return SimpleNamespace(**names)


@pytest.mark.slow
@pytest.mark.parametrize("path", HONEST, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_honest_programs_succeed(poles, path):
    program = load_module(path)
    found = np.array([trained(poles, program, seed) for seed in range(40)])
    assert np.mean(found >= CHECK.threshold) >= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("mutant", FAILING, ids=lambda mutant: mutant.mistake.name)
def test_mistakes_do_not_succeed(poles, mutant):
    program = module_of(mutant.program)
    found = np.array([trained(poles, program, seed) for seed in range(20)])
    assert np.mean(found >= CHECK.threshold) <= 0.2


# --- how it is marked ------------------------------------------------------------------------


def test_the_statement_tells_when_seeds_suffice():
    plan = seed_success.design(CHECK)
    decided = {n: sequential.state(plan, [True] * n).status for n in (5, 6)}
    assert decided == {5: "open", 6: "pass"}
    decided = {n: sequential.state(plan, [False] * n).status for n in (4, 5)}
    assert decided == {4: "open", 5: "fail"}
    assert sequential.operating(plan, 0.95).p_fail < 3e-6
    assert sequential.operating(plan, 0.4).p_fail >= 0.95
    statement = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    assert f"**{CHECK.threshold:.0f} or more**" in statement


ODD = {
    "nothing": lambda rows, call: np.zeros(len(rows), dtype=bool),
    "call 20": lambda rows, call: np.full(len(rows), call % 20 == 0),
    "call 30": lambda rows, call: np.full(len(rows), call % 30 == 0),
    "call 150": lambda rows, call: np.full(len(rows), call % 150 == 0),
    "row 0": lambda rows, call: np.arange(len(rows)) == 0,
    "row 7": lambda rows, call: np.arange(len(rows)) == 7,
    "last row": lambda rows, call: np.arange(len(rows)) == len(rows) - 1,
    "size 5": lambda rows, call: np.full(len(rows), len(rows) == 5),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_action_that_depends_on_more_than_its_row_is_seen(poles, odd):
    """A policy that looks at one component, and where something is odd acts the other way."""

    class Policy:
        calls = 0

        def __init__(self, actions):
            self.actions = actions

        def act(self, rows):
            self.calls += 1
            action = np.where(rows[:, 0] > 0, 0, self.actions - 1)
            return np.where(ODD[odd](rows, self.calls), self.actions - 1 - action, action)

    student = SimpleNamespace(
        new=lambda name, width, actions, generator: Policy(actions),
        generator=lambda: None,
        domain=TASK.instances,
    )
    found = poles.acts(student, np.random.default_rng(1))["alike"]
    assert found.all() == (odd == "nothing")
