"""Policy gradient for classification."""

import torch
import torch.nn.functional as F


def reinforce_update(logits, actions, targets, r_wrong, r_right):
    y = F.softmax(logits, dim=1)
    r = torch.where(actions == targets, 1.0, 0.0) * (r_right - r_wrong) + r_wrong
    return r[:, None] * (F.one_hot(targets, logits.shape[1]) - y)


def cross_entropy_update(logits, targets):
    return F.one_hot(targets, logits.shape[1]) - F.softmax(logits, dim=1)


def expected_update(logits, targets, r_wrong, r_right):
    y = F.softmax(logits, dim=1)
    y_t = y.gather(1, targets[:, None])
    # only right guesses are rewarded
    return r_right * y_t * cross_entropy_update(logits, targets)


def total_variance(logits, targets, r_wrong, r_right, baselines):
    y = F.softmax(logits, dim=1)
    k = logits.shape[1]
    t = F.one_hot(targets, k)
    r = r_wrong + (r_right - r_wrong) * t - baselines[:, None]
    u = r[:, :, None] * (torch.eye(k, dtype=y.dtype) - y[:, None, :])
    return (y[:, :, None] * u**2).sum((1, 2))


def log_prob_changes(logits, targets, r_wrong, r_right):
    y = F.softmax(logits, dim=1)
    r = r_wrong + (r_right - r_wrong) * F.one_hot(targets, logits.shape[1])
    return r * (1 - y)


def policy_loss(weights, images, actions, targets, r_wrong, r_right):
    log_y = F.log_softmax(images @ weights, dim=1).gather(1, actions[:, None]).squeeze(1)
    r = r_wrong + (r_right - r_wrong) * (actions == targets)
    return -(r * log_y).mean()


def train(weights, images, targets, r_wrong, r_right, rate, steps):
    a = b = weights
    for _ in range(steps):
        a = a + rate * images.T @ expected_update(images @ a, targets, r_wrong, r_right) / len(images)
        b = b + rate * images.T @ cross_entropy_update(images @ b, targets) / len(images)
    return a, b
