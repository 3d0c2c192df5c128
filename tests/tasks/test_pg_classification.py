"""pg-classification: the lecture's table, its variances, sums over actions, slopes, digits."""

import numpy as np
import pytest
import torch

from harness.images import bundled
from tests.support.programs import ROOT, load_module

solution = load_module(ROOT / "reference" / "pg-classification" / "solution.py")
measure = load_module(ROOT / "tasks" / "pg-classification" / "measure.py")

LOGITS = torch.tensor([[1.0, 0.5, -0.5, 0.0, 0.2]], dtype=torch.float64)
TARGET = torch.tensor([0])


def total_variance(rewards, baseline=0.0):
    baselines = torch.full((1,), baseline, dtype=torch.float64)
    return float(solution.total_variance(LOGITS, TARGET, *rewards, baselines))


@pytest.mark.parametrize(
    ("rewards", "variance"), list(zip(measure.TABLE, (0.1163, 78.81, 71.33), strict=True))
)
def test_rewards_of_the_lecture_have_one_mean_and_three_variances(rewards, variance):
    y_t = LOGITS.softmax(1)[0, 0]
    assert float(y_t) == pytest.approx(0.3778, abs=5e-5)
    mean = solution.expected_update(LOGITS, TARGET, *rewards)
    logistic = solution.cross_entropy_update(LOGITS, TARGET)
    torch.testing.assert_close(mean, y_t * logistic, rtol=1e-12, atol=1e-14)
    assert total_variance(rewards) == pytest.approx(variance, rel=5e-4)


def test_baselines_of_the_catalogue():
    found = [total_variance((0.0, 1.0), b) for b in (float(LOGITS.softmax(1)[0, 0]), 0.2495)]
    assert found == pytest.approx([0.0820, 0.0697], abs=5e-5)
    for moved in (0.24, 0.26):
        assert total_variance((0.0, 1.0), moved) > found[1]


@pytest.mark.parametrize(
    ("rewards", "wrong", "right"), list(zip(measure.TABLE, (0, 1, -1), (1, 1, -1), strict=True))
)
def test_signs_are_those_of_the_slide(rewards, wrong, right):
    """Whether log y_a went up or down where the logits have gone a little along the update."""
    tiny = 1e-4
    for action in range(5):
        chosen = torch.tensor([action])
        update = solution.reinforce_update(LOGITS, chosen, TARGET, *rewards)
        before, after = (z.log_softmax(1)[0, action] for z in (LOGITS, LOGITS + tiny * update))
        went = float(after - before)
        assert np.sign(went) == (right if action == 0 else wrong)
        rate = solution.log_prob_changes(LOGITS, TARGET, *rewards)[0, action]
        assert went == pytest.approx(tiny * float(rate), rel=1e-2, abs=1e-12)


def test_mean_and_variance_are_sums_over_actions():
    rng = np.random.default_rng(0)
    logits, targets = torch.from_numpy(rng.normal(size=(7, 4))), torch.tensor([0, 1, 2, 3, 0, 1, 2])
    baselines, rewards = torch.from_numpy(rng.normal(size=7)), (-1.5, 4.0)
    updates = [
        solution.reinforce_update(logits, torch.full_like(targets, a), targets, *rewards).numpy()
        for a in range(4)
    ]
    y = logits.softmax(1).numpy()
    mean = sum(y[:, [a]] * updates[a] for a in range(4))
    found = solution.expected_update(logits, targets, *rewards).numpy()
    np.testing.assert_allclose(found, mean, atol=1e-13)
    scores = np.eye(4)[:, None] - y
    moved = np.stack(updates) - baselines.numpy()[:, None] * scores
    variance = sum(y[:, a] * ((moved[a] - mean) ** 2).sum(1) for a in range(4))
    found = solution.total_variance(logits, targets, *rewards, baselines).numpy()
    np.testing.assert_allclose(found, variance, atol=1e-12)


def _digits():
    images = bundled.load("digits")
    pixels = torch.from_numpy(images.pixels.reshape(len(images), -1).astype(np.float64))
    return pixels, torch.from_numpy(images.labels.copy())


def test_descent_on_the_loss_is_reinforce_on_digits():
    images, targets = (part[:50] for part in _digits())
    rng = np.random.default_rng(1)
    weights = torch.from_numpy(rng.normal(size=(64, 10))).requires_grad_()
    actions = torch.from_numpy(rng.integers(0, 10, 50))
    solution.policy_loss(weights, images, actions, targets, 10.0, 11.0).backward()
    logits = (images @ weights).detach()
    update = solution.reinforce_update(logits, actions, targets, 10.0, 11.0)
    torch.testing.assert_close(-weights.grad, images.T @ update / 50, rtol=1e-11, atol=1e-12)


def test_both_trainings_learn_digits_and_cross_entropy_is_ahead():
    """From zero weights y_t = 1/10, so that REINFORCE's first step is a tenth of the other's."""
    images, targets = _digits()
    zero = torch.zeros(64, 10, dtype=torch.float64)
    one, other = solution.train(zero, images, targets, 0.0, 1.0, 0.01, 1)
    torch.testing.assert_close(one, other / 10, rtol=1e-12, atol=1e-15)
    trained = solution.train(zero, images, targets, 10.0, 11.0, 0.5, 60)
    losses = [
        float(-(images @ w).log_softmax(1)[range(len(images)), targets].mean()) for w in trained
    ]
    right = [float(((images @ w).argmax(1) == targets).double().mean()) for w in trained]
    assert min(right) > 0.5
    assert losses[1] < losses[0] < np.log(10)
