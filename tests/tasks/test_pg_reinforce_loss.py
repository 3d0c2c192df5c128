"""pg-reinforce-loss: means over all trajectories are the gradient of J; biases of known slips."""

import itertools

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load_module
from tests.support.tensors import tensor

REFERENCE = ROOT / "reference" / "pg-reinforce-loss"
HONEST = [
    REFERENCE / "solution.py",
    *sorted((REFERENCE / "variants").glob("*.py")),
    ROOT / "submissions" / "complete" / "pg_reinforce_loss.py",
]
measure = load_module(ROOT / "tasks" / "pg-reinforce-loss" / "measure.py")


@pytest.fixture(scope="module", params=HONEST, ids=lambda path: path.stem)
def program(request):
    return load_module(request.param)


@pytest.fixture(scope="module")
def solution():
    return load_module(HONEST[0])


class MDP:
    """A small MDP with all trajectories that can occur; rewards [t s a] may depend on time."""

    def __init__(self, start, moves, theta, rewards):
        self.start, self.moves, self.theta = tensor(start), tensor(moves), tensor(theta)
        self.table = tensor(rewards)
        found = measure._every_trajectory(np.asarray(start), np.asarray(moves), len(rewards))
        self.states, self.actions = (torch.from_numpy(each) for each in found)
        steps = torch.arange(len(rewards))
        self.rewards = self.table[steps, self.states, self.actions]

    @property
    def path(self):
        return self.states, self.actions, self.theta, self.start, self.moves

    def gradient(self, gamma):
        """∇J by backward recursion of the value function, differentiated by autograd."""
        theta = self.theta.clone().requires_grad_()
        pi, value = theta.softmax(1), torch.zeros(len(theta), dtype=theta.dtype)
        for reward in self.table.flip(0):
            value = (pi * (reward + gamma * self.moves @ value)).sum(1)
        return torch.autograd.grad(self.start @ value, theta)[0]

    def mean(self, program, weights):
        """The mean over trajectories of minus the gradient of the loss with these weights."""
        theta = self.theta.clone().requires_grad_()
        p = program.log_prob(*self.path).exp()
        losses = program.reinforce_loss(theta[self.states], self.actions, weights)
        return -torch.autograd.grad((p * losses).sum(), theta)[0]

    def bias(self, program, weights, gamma=1.0):
        exact = self.gradient(gamma)
        return float((self.mean(program, weights) - exact).norm() / exact.norm())


def three_states():
    """The MDP of 432 trajectories: 3 states, 2 actions, 4 steps from state 0."""
    rng = np.random.default_rng(0)
    moves = rng.dirichlet(np.ones(3) * 0.7, size=(3, 2))
    rewards = rng.normal(size=(3, 2)) + 2
    return MDP(np.eye(3)[0], moves, rng.normal(size=(3, 2)) * 0.5, np.tile(rewards, (4, 1, 1)))


def corridor():
    """Five steps; the next state is the action, and state 1 brings 5 at the end."""
    rewards = np.tile([[1.0, 1.1], [1.0, 1.1]], (5, 1, 1))
    rewards[-1, 1] += 5
    return MDP(np.eye(2)[0], np.tile(np.eye(2), (2, 1, 1)), [[0.2, -0.3], [-0.1, 0.4]], rewards)


MDPS = {"three states": three_states, "corridor": corridor}


@pytest.fixture(params=MDPS)
def mdp(request):
    return MDPS[request.param]()


def test_numbers_of_trajectories():
    assert [len(make().states) for make in MDPS.values()] == [432, 32]


def test_probabilities_sum_to_one_and_their_gradients_to_zero(program, mdp):
    assert float(program.log_prob(*mdp.path).exp().sum()) == pytest.approx(1, abs=1e-13)
    assert program.prob_gradient(*mdp.path).sum(0).abs().max() < 1e-13


@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.7, 1.0])
def test_three_means_are_the_gradient_of_the_return(program, mdp, gamma):
    exact, total = mdp.gradient(gamma), program.total_return(mdp.rewards, gamma)
    found = [
        (total[:, :, None] * program.prob_gradient(*mdp.path)).sum(0),
        mdp.mean(program, total.expand_as(mdp.rewards)),
        mdp.mean(program, program.discounted_reward_to_go(mdp.rewards, gamma)),
    ]
    for mean in found:
        assert (mean - exact).abs().max() < 1e-8


def test_reward_to_go_is_unbiased_without_a_discount(program, mdp):
    assert mdp.bias(program, program.reward_to_go(mdp.rewards, 1.0)) < 1e-12


def test_the_gradient_of_the_return_is_a_finite_difference(mdp):
    step = 1e-5
    for place in np.ndindex(*mdp.theta.shape):
        values = []
        for sign in (1, -1):
            theta = mdp.theta.clone()
            theta[place] += sign * step
            pi, value = theta.softmax(1), torch.zeros(len(theta), dtype=theta.dtype)
            for reward in mdp.table.flip(0):
                value = (pi * (reward + 0.7 * mdp.moves @ value)).sum(1)
            values.append(float(mdp.start @ value))
        slope = (values[0] - values[1]) / (2 * step)
        assert float(mdp.gradient(0.7)[place]) == pytest.approx(slope, abs=1e-8)


def test_without_the_factor_the_discounted_gradient_is_missed(solution):
    mdp = three_states()
    found, exact = mdp.mean(solution, solution.reward_to_go(mdp.rewards, 0.7)), mdp.gradient(0.7)
    assert float((found - exact).norm() / exact.norm()) == pytest.approx(0.487, abs=5e-4)
    cosine = float((found * exact).sum() / (found.norm() * exact.norm()))
    assert cosine == pytest.approx(0.991, abs=5e-4)


@pytest.mark.parametrize(
    ("weights", "biases"),
    [
        (lambda r, G: torch.nn.functional.pad(G[:, 1:], (0, 1)), (1.07, 0.072)),
        (lambda r, G: r.cumsum(1), (0.39, 0.93)),
        (lambda r, G: r, (0.39, 0.93)),
    ],
    ids=["own reward dropped", "past rewards", "immediate reward"],
)
def test_biases_of_known_slips(solution, weights, biases):
    """Which of the two MDPs shows a slip depends on the slip."""
    found = []
    for make in MDPS.values():
        mdp = make()
        to_go = solution.reward_to_go(mdp.rewards, 1.0)
        found.append(mdp.bias(solution, weights(mdp.rewards, to_go)))
    assert sorted(found) == pytest.approx(sorted(biases), abs=6e-3)


def test_a_mean_over_the_steps_keeps_the_direction_alone(solution):
    mdp = three_states()
    to_go = solution.reward_to_go(mdp.rewards, 1.0)
    assert mdp.bias(solution, to_go / 4) == pytest.approx(0.75, abs=1e-12)


def test_the_score_does_not_know_the_dynamics(program, mdp):
    rng = np.random.default_rng(1)
    scores = []
    for _ in range(2):
        theta = mdp.theta.clone().requires_grad_()
        start = tensor(rng.dirichlet(np.ones(len(theta))))
        moves = tensor(rng.dirichlet(np.ones(len(theta)), tuple(theta.shape)))
        log_p = program.log_prob(mdp.states, mdp.actions, theta, start, moves)
        scores.append(torch.autograd.grad(log_p @ torch.arange(len(log_p)).double(), theta)[0])
    np.testing.assert_allclose(*scores, rtol=1e-12)


def test_losses_are_cross_entropies(program):
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(6, 5, 3, dtype=torch.float64, generator=generator)
    actions = torch.randint(3, (6, 5), generator=generator)
    weights = torch.randn(6, 5, dtype=torch.float64, generator=generator)
    surprise = torch.nn.functional.cross_entropy(logits.mT, actions, reduction="none")
    found = program.reinforce_loss(logits, actions, weights)
    np.testing.assert_allclose(found, (weights * surprise).sum(1), rtol=1e-12)
    found = program.total_return_loss(logits, actions, weights[:, :1])
    np.testing.assert_allclose(found, (weights[:, :1] * surprise).sum(1).mean(), rtol=1e-12)


def test_no_gradient_goes_through_weights(program):
    logits = torch.zeros(2, 2, 2, dtype=torch.float64, requires_grad=True)
    weights = torch.ones(2, 2, dtype=torch.float64, requires_grad=True)
    actions = torch.zeros(2, 2, dtype=torch.int64)
    program.reinforce_loss(logits, actions, weights).sum().backward()
    program.total_return_loss(logits, actions, weights[:, :1]).backward()
    assert weights.grad is None or not weights.grad.any()
    assert logits.grad.any()


def test_a_certain_action_costs_nothing_and_an_impossible_one_a_finite_loss(program):
    logits = torch.tensor([[[500.0, -500.0]], [[-500.0, 500.0]]], dtype=torch.float64)
    logits.requires_grad_()
    zeros, ones = torch.zeros(2, 1, dtype=torch.int64), torch.ones(2, 1, dtype=torch.float64)
    losses = program.reinforce_loss(logits, zeros, ones)
    assert losses.tolist() == [0, 1000]
    (slope,) = torch.autograd.grad(losses.sum(), logits)
    assert slope.tolist() == [[[0, 0]], [[-1, 1]]]


def test_returns_are_sums_over_pairs_of_steps(program):
    rng = np.random.default_rng(3)
    for steps, gamma in itertools.product((1, 2, 7), (0.0, 0.4, 1.0)):
        rewards = rng.normal(size=(3, steps))
        G, weighted, R = np.zeros((3, steps)), np.zeros((3, steps)), np.zeros((3, 1))
        for t, later in itertools.product(range(steps), repeat=2):
            if later >= t:
                G[:, t] += gamma ** (later - t) * rewards[:, later]
                weighted[:, t] += gamma**later * rewards[:, later]
            R[:, 0] += (t == 0) * gamma**later * rewards[:, later]
        found = (program.reward_to_go, program.discounted_reward_to_go, program.total_return)
        for function, wanted in zip(found, (G, weighted, R), strict=True):
            np.testing.assert_allclose(function(tensor(rewards), gamma), wanted, atol=1e-13)
