"""The reference of dqn-target-loss against hand calculations and the time-limit probe's figures."""

import numpy as np
import pytest
import torch

from tests.support.programs import ROOT, load_module

TASK = ROOT / "tasks" / "dqn-target-loss"
REFERENCE = ROOT / "reference" / "dqn-target-loss"


solution = load_module(REFERENCE / "solution.py")
measure = load_module(TASK / "measure.py")


def _float(*values):
    return torch.tensor(values, dtype=torch.float64)


Q_NEXT = _float([0, 2], [-3, -1], [4, 4])
Q, ACTIONS, TARGETS = _float([1, 5], [0, 1], [3, 0.5]), torch.tensor([0, 1, 1]), _float(2, -1.5, 2)


@pytest.mark.parametrize(
    ("reward", "q_next", "terminated", "truncated", "target"),
    [
        (1.0, [0.0, 2.0], False, False, 2.0),
        (1.0, [0.0, 2.0], True, False, 1.0),
        (1.0, [0.0, 2.0], False, True, 2.0),
        (1.0, [0.0, 2.0], True, True, 1.0),
        (-1.0, [-3.0, -1.0], False, False, -1.5),
        (-1.0, [-3.0, -1.0], False, True, -1.5),
        (-1.0, [-3.0, -1.0], True, False, -1.0),
        (2.0, [4.0, 4.0], False, False, 4.0),
        (0.0, [-1.0, -1.0], False, True, -0.5),
    ],
)
def test_targets_by_hand(reward, q_next, terminated, truncated, target):
    flags = torch.tensor([terminated]), torch.tensor([truncated])
    assert solution.dqn_targets(_float(reward), _float(q_next), *flags, 0.5).tolist() == [target]


def test_the_statement_s_losses():
    flags = torch.tensor([False, False, True]), torch.tensor([False, True, False])
    targets = solution.dqn_targets(_float(1, -1, 2), Q_NEXT, *flags, 0.5)
    assert torch.equal(targets, TARGETS)
    q = Q.clone().requires_grad_()
    loss = solution.dqn_loss(q, ACTIONS, TARGETS)
    (gradient,) = torch.autograd.grad(loss, q)
    direction = solution.update_direction(Q, ACTIONS, TARGETS)
    torch.testing.assert_close(loss.detach(), _float(9.5)[0] / 3)
    torch.testing.assert_close(gradient, _float([-2, 0], [0, 5], [0, -3]) / 3)
    torch.testing.assert_close(direction, _float([1, 0], [0, -2.5], [0, 1.5]) / 3)
    huber = solution.huber_loss(Q, ACTIONS, TARGETS, 1.0)
    torch.testing.assert_close(huber, _float(3.5)[0] / 3)


def test_the_slide_s_direction_is_minus_half_of_the_gradient():
    q = Q.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(solution.dqn_loss(q, ACTIONS, TARGETS), q)
    direction = solution.update_direction(Q, ACTIONS, TARGETS)
    torch.testing.assert_close(direction, -0.5 * gradient)


ONE = (_float([1.0]), torch.tensor([0]), _float(1.0), _float([2.0]), _float(0.5))


def test_semi_gradient_is_not_the_residual_gradient():
    weights = _float([1.0, 2.0]).requires_grad_()
    loss = solution.td_loss_linear(weights, *ONE)
    (gradient,) = torch.autograd.grad(loss, weights)
    assert loss.item() == 4
    assert gradient.tolist() == [[-4, 0]]

    def residual(shift):
        moved = (weights + shift).detach()
        return solution.td_loss_linear(moved, *ONE).item()

    step = 1e-6
    other = (residual(_float([0.0, step])) - residual(_float([0.0, -step]))) / (2 * step)
    assert other == pytest.approx(4, abs=1e-6)


def test_the_target_weights_stand_still_between_copies():
    learner = solution.Learner(_float([1.0, 2.0]), 0.1, 2)
    probe = _float([1.0])
    losses, online, target = [], [], []
    for _ in range(2):
        losses.append(learner.step(*ONE).item())
        online.append(learner.online_values(probe))
        target.append(learner.target_values(probe))
    assert losses == pytest.approx([4, 2.56])
    torch.testing.assert_close(torch.cat(online), _float([1.4, 2], [1.72, 2]))
    torch.testing.assert_close(torch.cat(target), _float([1, 2], [1.72, 2]))


@pytest.mark.parametrize(("cut_is_an_end", "value"), [(False, 10.0), (True, 5.263)])
def test_time_limit_probe(cut_is_an_end, value):
    """One state, reward 1, episodes of 10 steps, γ = 0.9: the fixed point of the mean target."""
    rewards, cut = torch.ones(10, dtype=torch.float64), torch.arange(10) == 9
    never = torch.zeros(10, dtype=torch.bool)
    flags = (cut, never) if cut_is_an_end else (never, cut)
    estimate = _float(0.0)[0]
    for _ in range(400):
        q_next = estimate.expand(10, 1)
        estimate = solution.dqn_targets(rewards, q_next, *flags, 0.9).mean()
    assert estimate.item() == pytest.approx(value, abs=5e-4)


def test_the_table_has_every_kind_of_transition():
    rewards, q_next, terminated, truncated = measure.table_of(np.random.default_rng(3))
    below, tied = q_next.max(1) < 0, (q_next == q_next.max(1, keepdims=True)).sum(1) > 1
    kinds = zip(terminated, truncated, rewards > 0, below, tied, strict=True)
    counts = dict.fromkeys(map(tuple, np.array(list(kinds)).tolist()), 0)
    assert len(rewards) == 64
    assert len(counts) == 32
